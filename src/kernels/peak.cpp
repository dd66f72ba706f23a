// Measurement behind peak.h: a probe kernel is repeated until a run is long enough for the clock,
// and the best run counts, because everything that disturbs a run only makes it slower.

#include "soma/kernels/peak.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "soma/core/cpu.h"

namespace soma::kernels {
namespace {

constexpr int kRuns = 5;
constexpr double kRunSeconds = 0.004;
constexpr Index kFarBytes = Index{128} << 20;  // beyond the caches of most machines

double thread_seconds() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Seconds of f(repeats) divided by repeats: best of kRuns runs of at least kRunSeconds each.
template <class F>
double best_seconds(F&& f) {
    Index repeats = 1;
    double best = 1e30;
    for (int run = 0; run < kRuns;) {
        const double start = thread_seconds();
        f(repeats);
        const double seconds = thread_seconds() - start;
        if (seconds < kRunSeconds) {
            repeats *= 2;
            continue;
        }
        best = std::min(best, seconds / static_cast<double>(repeats));
        ++run;
    }
    return best;
}

// 10^9 bytes per second of summing an array of about `bytes`.
double read_gbs(const KernelTable& table, Index bytes) {
    const Index step = 8 * table.f32.width, n = bytes / 4 / step * step;
    const std::vector<float> x(static_cast<std::size_t>(n), 1.0f);
    volatile float sink = 0;
    const double seconds = best_seconds([&](Index repeats) {
        for (Index i = 0; i < repeats; ++i) sink = table.f32.probe.read(n, x.data());
    });
    return 4e-9 * static_cast<double>(n) / seconds;
}

double copy_gbs(const KernelTable& table, Index bytes) {
    const Index n = bytes / 4;
    const std::vector<float> x(static_cast<std::size_t>(n), 1.0f);
    std::vector<float> y(x.size());
    const double seconds = best_seconds([&](Index repeats) {
        for (Index i = 0; i < repeats; ++i) table.f32.elementwise.scale(n, 1, x.data(), y.data());
    });
    return 8e-9 * static_cast<double>(n) / seconds;
}

}  // namespace

template <class T>
double measure_fma_gflops(const KernelTable& table) {
    const TypedKernels<T>* kernels;
    if constexpr (sizeof(T) == 4) {
        kernels = &table.f32;
    } else {
        kernels = &table.f64;
    }
    volatile T sink = 0;
    const double seconds = best_seconds([&](Index rounds) { sink = kernels->probe.fma(rounds); });
    return 2e-9 * kProbeChains * kernels->width / seconds;
}

template double measure_fma_gflops<float>(const KernelTable&);
template double measure_fma_gflops<double>(const KernelTable&);

Peak measure_peak(const KernelTable& table) {
    return {.f32_gflops = measure_fma_gflops<float>(table),
            .f64_gflops = measure_fma_gflops<double>(table),
            .l1_read_gbs = read_gbs(table, cpu().l1d_bytes / 2),
            .l2_read_gbs = read_gbs(table, cpu().l2_bytes / 2),
            .ram_read_gbs = read_gbs(table, kFarBytes),
            .ram_copy_gbs = copy_gbs(table, kFarBytes)};
}

}  // namespace soma::kernels
