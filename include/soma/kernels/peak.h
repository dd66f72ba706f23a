#pragma once
// What this core can do at most, measured: the yardstick of every benchmark (kernels.md 18).
//
// FMA peak: 12 independent chains of vector FMA in registers, one thread, for one kernel table; it
// depends on the ISA because the clock does. Bandwidths: sums over (read) and copies of arrays that
// fit in half of L1 or L2, or are far larger than any cache. Clock: thread CPU time, so that
// preemption does not count; best of several runs. Takes about 20 ms a figure.

#include "soma/kernels/kernel_table.h"

namespace soma::kernels {

struct Peak {
    double f32_gflops, f64_gflops;                  // 10^9 flop per second, an FMA counts 2
    double l1_read_gbs, l2_read_gbs, ram_read_gbs;  // 10^9 bytes per second
    double ram_copy_gbs;                            // bytes read + bytes written
};

// 2 * (FMA per second) of one thread, in 10^9.
template <class T>
double measure_fma_gflops(const KernelTable& table);
Peak measure_peak(const KernelTable& table);

}  // namespace soma::kernels
