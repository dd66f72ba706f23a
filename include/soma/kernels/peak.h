#pragma once
// What this machine can do at most, measured: the yardstick of every benchmark (kernels.md 18).
//
// FMA peak: 12 independent chains of vector FMA in registers, for one kernel table; it depends on
// the ISA because the clock does. Bandwidths: sums over (read) and copies of 64-byte aligned arrays
//     L1, L2    half of the cache
//     L3        8 times L2, at most half of L3: more than the nearer caches hold. 0: no L3.
//     RAM       twice L3 in all, at least 128 MB, at most 1 GB and an eighth of the memory. Where
//               L3 is larger than half of that (servers share hundreds of MB among their cores, and
//               virtual machines see the whole of it), part of the reads may still hit L3, so
//               ram_bytes says what was read.
// One thread: thread CPU time, so that preemption does not count. Several: wall time, each with
// arrays of its own; figures are of all threads together. Best of several runs, because everything
// that disturbs a run makes it slower. Takes about 20 ms a figure, 1 s for 1 GB.

#include "soma/core/cpu.h"
#include "soma/kernels/kernel_table.h"

namespace soma::kernels {

struct Peak {
    int threads = 1;
    double f32_gflops = 0, f64_gflops = 0;  // 10^9 flop per second, an FMA counts 2
    double l1_read_gbs = 0, l2_read_gbs = 0, l3_read_gbs = 0, ram_read_gbs = 0;  // 10^9 byte/s
    double ram_copy_gbs = 0;  // bytes read + bytes written
    Index ram_bytes = 0;
};

// Bytes that a thread reads to measure a level; 0 where the level is absent. `ram` is of all
// threads together.
struct ProbeSizes {
    Index l1, l2, l3, ram;
};
ProbeSizes probe_sizes(const CpuInfo& cpu, Index memory_bytes);

// 2 * (FMA per second) of `threads` threads together, in 10^9.
template <class T>
double measure_fma_gflops(const KernelTable& table, int threads = 1);
// 1 <= threads <= num_threads(), else Error(usage).
Peak measure_peak(const KernelTable& table, int threads = 1);

}  // namespace soma::kernels
