// Measurement behind peak.h: a probe kernel is repeated until a run is long enough for the clock,
// and the best run counts.

#include "soma/kernels/peak.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "soma/core/arena.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"

namespace soma::kernels {
namespace {

constexpr int kRuns = 5;
constexpr double kRunSeconds = 0.004;

double seconds_of(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Calls f(thread) on each of `threads` threads at once.
template <class F>
void on_threads(int threads, F&& f) {
    parallel_for(threads, 1, [&](Index begin, Index end) {
        for (Index t = begin; t < end; ++t) f(static_cast<std::size_t>(t));
    });
}

// Seconds of f(thread, repeats) on all threads at once, divided by repeats. How many repeats fill a
// run is found on this thread alone: wall time may be that of threads waiting for a processor.
template <class F>
double best_seconds(int threads, F&& f) {
    Index repeats = 1;
    for (;; repeats *= 2) {
        const double start = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        f(std::size_t{0}, repeats);
        if (seconds_of(CLOCK_THREAD_CPUTIME_ID) - start >= kRunSeconds) break;
    }
    const clockid_t clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    double best = 1e30;
    for (int run = 0; run < kRuns; ++run) {
        const double start = seconds_of(clock);
        on_threads(threads, [&](std::size_t thread) { f(thread, repeats); });
        best = std::min(best, (seconds_of(clock) - start) / static_cast<double>(repeats));
    }
    return best;
}

// n ones for each thread, written by the thread that reads them.
class Arrays {
public:
    Arrays(int threads, Index n) : blocks_(static_cast<std::size_t>(threads)) {
        on_threads(threads, [&](std::size_t t) {
            blocks_[t] = allocate_aligned(static_cast<std::size_t>(n) * sizeof(float));
            std::fill_n(data(t), n, 1.0f);
        });
    }
    float* data(std::size_t thread) const {
        return reinterpret_cast<float*>(blocks_[thread].get());
    }

private:
    std::vector<AlignedBlock> blocks_;
};

// 10^9 bytes per second of summing about `bytes` in each thread.
double read_gbs(const KernelTable& table, int threads, Index bytes) {
    if (bytes == 0) return 0;
    const Index step = kProbeChains * table.f32.width,
                n = std::max<Index>(1, bytes / 4 / step) * step;
    const Arrays x(threads, n);
    const double seconds = best_seconds(threads, [&](std::size_t thread, Index repeats) {
        table.f32.probe.read(n, x.data(thread), repeats);
    });
    return 4e-9 * static_cast<double>(n * threads) / seconds;
}

// The same of copying: half of the bytes to the other half.
double copy_gbs(const KernelTable& table, int threads, Index bytes) {
    const Index n = bytes / 8;
    const Arrays x(threads, n), y(threads, n);
    const double seconds = best_seconds(threads, [&](std::size_t t, Index repeats) {
        for (Index i = 0; i < repeats; ++i) table.f32.elementwise.scale(n, 1, x.data(t), y.data(t));
    });
    return 8e-9 * static_cast<double>(n * threads) / seconds;
}

}  // namespace

ProbeSizes probe_sizes(const CpuInfo& cpu, Index memory_bytes) {
    const Index mb = Index{1} << 20;
    const Index most = std::clamp(memory_bytes / 8, 128 * mb, 1024 * mb);
    const bool has_l3 = cpu.l3_bytes > cpu.l2_bytes;
    return {.l1 = cpu.l1d_bytes / 2,
            .l2 = cpu.l2_bytes / 2,
            .l3 = has_l3 ? std::min(8 * cpu.l2_bytes, cpu.l3_bytes / 2) : 0,
            .ram = std::clamp(2 * cpu.l3_bytes, 128 * mb, most)};
}

template <class T>
double measure_fma_gflops(const KernelTable& table, int threads) {
    const TypedKernels<T>* kernels;
    if constexpr (sizeof(T) == 4) {
        kernels = &table.f32;
    } else {
        kernels = &table.f64;
    }
    const double seconds =
        best_seconds(threads, [&](std::size_t, Index rounds) { kernels->probe.fma(rounds); });
    return 2e-9 * kProbeChains * static_cast<double>(kernels->width * threads) / seconds;
}

template double measure_fma_gflops<float>(const KernelTable&, int);
template double measure_fma_gflops<double>(const KernelTable&, int);

Peak measure_peak(const KernelTable& table, int threads) {
    SOMA_CHECK(threads >= 1 && threads <= num_threads(), "measure_peak: threads is ", threads,
               "; need 1 to ", num_threads());
    const auto memory = static_cast<Index>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
    const ProbeSizes sizes = probe_sizes(cpu(), memory);
    return {.threads = threads,
            .f32_gflops = measure_fma_gflops<float>(table, threads),
            .f64_gflops = measure_fma_gflops<double>(table, threads),
            .l1_read_gbs = read_gbs(table, threads, sizes.l1),
            .l2_read_gbs = read_gbs(table, threads, sizes.l2),
            .l3_read_gbs = read_gbs(table, threads, sizes.l3),
            .ram_read_gbs = read_gbs(table, threads, sizes.ram / threads),
            .ram_copy_gbs = copy_gbs(table, threads, sizes.ram / threads),
            .ram_bytes = sizes.ram};
}

}  // namespace soma::kernels
