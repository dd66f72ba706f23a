// bench_peak: the measured limits of one core for every kernel table of this machine (peak.h).

#include <cstdio>

#include "soma/core/cpu.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/peak.h"

int main() {
    std::printf("%s\n", soma::cpu().model.c_str());
    std::printf("%-8s %9s %9s %9s %9s %9s %9s %9s\n", "isa", "f32 GF", "f64 GF", "L1 GB/s",
                "L2 GB/s", "L3 GB/s", "RAM GB/s", "copy GB/s");
    for (const soma::kernels::KernelTable* table : soma::kernels::available()) {
        const soma::kernels::Peak p = soma::kernels::measure_peak(*table);
        std::printf("%-8s %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f\n", table->isa, p.f32_gflops,
                    p.f64_gflops, p.l1_read_gbs, p.l2_read_gbs, p.l3_read_gbs, p.ram_read_gbs,
                    p.ram_copy_gbs);
    }
}
