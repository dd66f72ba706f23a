// The BLAS libraries, and what all rivals share.

#include "bench/rivals/rivals.h"

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>

#include "bench/rivals/library.h"
#include "bench/rivals/onednn.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"

namespace soma::bench {
namespace {

using kernels::Gemm;
using kernels::Op;

constexpr int kRowMajor = 101, kNoTrans = 111, kTrans = 112;  // of CBLAS
constexpr int kMklLp64 = 0, kMklSequential = 1, kMklGnuThreads = 3;

int cblas_op(Op op) { return op == Op::N ? kNoTrans : kTrans; }
// Sizes of the published shapes fit; LP64 libraries take int.
int size(Index n) { return static_cast<int>(n); }

template <class T>
using CblasGemm = void(int order, int op_a, int op_b, int m, int n, int k, T alpha, const T* a,
                       int lda, const T* b, int ldb, T beta, T* c, int ldc);
template <class T>
using CblasBatch = void(int order, int op_a, int op_b, int m, int n, int k, T alpha, const T* a,
                        int lda, int stride_a, const T* b, int ldb, int stride_b, T beta, T* c,
                        int ldc, int stride_c, int batch);
template <class T>
using FortranGemm = void(const char* op_a, const char* op_b, const int* m, const int* n,
                         const int* k, const T* alpha, const T* a, const int* lda, const T* b,
                         const int* ldb, const T* beta, T* c, const int* ldc);

template <class T>
std::function<Work(const Product<T>&)> cblas(CblasGemm<T>* gemm) {
    if (gemm == nullptr) return {};
    return [gemm](const Product<T>& p) -> Work {
        return [gemm, p](Index repeats) {
            for (Index r = 0; r < repeats; ++r) {
                for (Index i = 0; i < p.batch; ++i) {
                    const Gemm<T> g = p.item(i);
                    gemm(kRowMajor, cblas_op(g.op_a), cblas_op(g.op_b), size(g.m), size(g.n),
                         size(g.k), 1, g.a, size(g.lda), g.b, size(g.ldb), 0, g.c, size(g.ldc));
                }
            }
        };
    };
}

// One call for the whole batch.
template <class T>
std::function<Work(const Product<T>&)> cblas_batched(CblasGemm<T>* gemm, CblasBatch<T>* batched) {
    if (batched == nullptr) return cblas(gemm);
    return [one = cblas(gemm), batched](const Product<T>& p) -> Work {
        if (p.batch == 1) return one(p);
        return [p, batched](Index repeats) {
            const Gemm<T>& g = p.gemm;
            for (Index r = 0; r < repeats; ++r)
                batched(kRowMajor, cblas_op(g.op_a), cblas_op(g.op_b), size(g.m), size(g.n),
                        size(g.k), 1, g.a, size(g.lda), size(p.stride_a), g.b, size(g.ldb),
                        size(p.stride_b), 0, g.c, size(g.ldc), size(p.stride_c), size(p.batch));
        };
    };
}

// Column-major libraries compute C^T = op(B)^T op(A)^T.
template <class T>
std::function<Work(const Product<T>&)> fortran(FortranGemm<T>* gemm) {
    if (gemm == nullptr) return {};
    return [gemm](const Product<T>& p) -> Work {
        return [gemm, p](Index repeats) {
            const T one = 1, zero = 0;
            for (Index r = 0; r < repeats; ++r) {
                for (Index i = 0; i < p.batch; ++i) {
                    const Gemm<T> g = p.item(i);
                    const int m = size(g.m), n = size(g.n), k = size(g.k);
                    const int lda = size(g.lda), ldb = size(g.ldb), ldc = size(g.ldc);
                    gemm(g.op_b == Op::N ? "N" : "T", g.op_a == Op::N ? "N" : "T", &n, &m, &k, &one,
                         g.b, &ldb, g.a, &lda, &zero, g.c, &ldc);
                }
            }
        };
    };
}

// An OpenMP runtime that the library brings along, told of the threads.
void limit_openmp(const Library& library, int threads) {
    if (auto* set = library.function<void(int)>("omp_set_num_threads")) set(threads);
}

// OpenBLAS falls back to SSE kernels on a CPU that is younger than itself; a rival should not lose
// for that reason.
std::string openblas_version(const Library& library) {
    auto* config = library.function<const char*()>("openblas_get_config");
    if (config == nullptr) return "unknown version";
    const std::string version = config();
    if (!cpu().avx2_fma || version.find("Prescott") == std::string::npos) return version;
    return version +
           ": unaware of this CPU; OPENBLAS_CORETYPE=" + (cpu().avx512 ? "SkylakeX" : "Haswell") +
           " in the environment gives it its best kernels";
}

Rival openblas(const Library& library, int threads) {
    if (auto* set = library.function<void(int)>("openblas_set_num_threads")) set(threads);
    return {.name = "openblas",
            .version = openblas_version(library),
            .sgemm = cblas(library.function<CblasGemm<float>>("cblas_sgemm")),
            .dgemm = cblas(library.function<CblasGemm<double>>("cblas_dgemm"))};
}

Rival blis(const Library& library, int threads) {
    limit_openmp(library, threads);
    if (auto* set = library.function<void(Index)>("bli_thread_set_num_threads")) set(threads);
    auto* version = library.function<const char*()>("bli_info_get_version_str");
    return {.name = "blis",
            .version = version != nullptr ? concat("BLIS ", version()) : "unknown version",
            .sgemm = cblas(library.function<CblasGemm<float>>("cblas_sgemm")),
            .dgemm = cblas(library.function<CblasGemm<double>>("cblas_dgemm"))};
}

Rival mkl(const Library& library, int threads) {
    if (auto* set = library.function<int(int)>("MKL_Set_Interface_Layer")) set(kMklLp64);
    if (auto* set = library.function<int(int)>("MKL_Set_Threading_Layer"))
        set(threads == 1 ? kMklSequential : kMklGnuThreads);
    if (auto* set = library.function<void(int)>("MKL_Set_Num_Threads")) set(threads);
    char version[200] = "unknown version";
    if (auto* get = library.function<void(char*, int)>("MKL_Get_Version_String"))
        get(version, static_cast<int>(sizeof version));
    std::string text = version;
    text.erase(text.find_last_not_of(' ') + 1);
    return {
        .name = "mkl",
        .version = text,
        .sgemm = cblas_batched(library.function<CblasGemm<float>>("cblas_sgemm"),
                               library.function<CblasBatch<float>>("cblas_sgemm_batch_strided")),
        .dgemm = cblas_batched(library.function<CblasGemm<double>>("cblas_dgemm"),
                               library.function<CblasBatch<double>>("cblas_dgemm_batch_strided"))};
}

Rival libxsmm(const Library& library, int threads) {
    limit_openmp(library, threads);
    if (auto* init = library.function<void()>("libxsmm_init")) init();
    return {.name = "libxsmm",
            .version = library.path(),
            .sgemm = fortran(library.function<FortranGemm<float>>("libxsmm_sgemm")),
            .dgemm = fortran(library.function<FortranGemm<double>>("libxsmm_dgemm"))};
}

double seconds_of(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace

const char* name_of(ConvPass pass) {
    switch (pass) {
        case ConvPass::forward:
            return "forward";
        case ConvPass::data:
            return "data";
        case ConvPass::weights:
            return "weights";
    }
    return "?";
}

std::vector<Rival> find_rivals(const std::vector<std::string>& folders, int threads) {
    setenv("ONEDNN_VERBOSE", "none", 0);  // it reports devices that it does not find
    using Make = Rival (*)(const Library&, int);
    const struct {
        std::vector<std::string> names;
        Make make;
    } known[] = {
        {{"libopenblas.so.0", "libopenblas.so"}, openblas},
        {{"libblis.so.4", "libblis.so"}, blis},
        {{"libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so"}, mkl},
        {{"libdnnl.so.3", "libdnnl.so.2"}, onednn},
        {{"libxsmm.so.2", "libxsmm.so.1", "libxsmm.so"}, libxsmm},
    };
    std::vector<Rival> rivals;
    for (const auto& [names, make] : known) {
        const Library library(names, folders);
        if (!library) continue;
        limit_openmp(library, threads);
        rivals.push_back(make(library, threads));
    }
    return rivals;
}

Work fastest(std::vector<Work> ways) {
    constexpr int kTrials = 3;
    constexpr double kTrialSeconds = 2e-3;
    Work best;
    double least = std::numeric_limits<double>::infinity();
    for (Work& way : ways) {
        way(1);
        double start = seconds_of(CLOCK_MONOTONIC);
        way(1);
        const double call = seconds_of(CLOCK_MONOTONIC) - start;
        const auto repeats = std::max<Index>(1, static_cast<Index>(kTrialSeconds / (call + 1e-9)));
        for (int trial = 0; trial < kTrials; ++trial) {
            start = seconds_of(CLOCK_MONOTONIC);
            way(repeats);
            const double seconds =
                (seconds_of(CLOCK_MONOTONIC) - start) / static_cast<double>(repeats);
            if (seconds >= least) continue;
            least = seconds;
            best = way;
        }
    }
    return best;
}

bool runs_on_this_thread(const Work& work) {
    constexpr double kSeconds = 5e-3, kTolerance = 1.2;
    constexpr int kAttempts = 5;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        double process = 0, thread = 0;
        for (Index repeats = 1; thread < kSeconds && process < 2 * kSeconds; repeats *= 2) {
            const double process_start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
            const double thread_start = seconds_of(CLOCK_THREAD_CPUTIME_ID);
            work(repeats);
            thread = seconds_of(CLOCK_THREAD_CPUTIME_ID) - thread_start;
            process = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - process_start;
        }
        if (process <= kTolerance * thread) return true;
        // Workers of an idle pool may still be spinning: they fall asleep.
        std::this_thread::sleep_for(std::chrono::milliseconds(40));
    }
    return false;
}

void pin_to(int threads) {
    const std::vector<int>& allowed = cpu().affinity;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < std::min<int>(threads, static_cast<int>(allowed.size())); ++i)
        CPU_SET(static_cast<std::size_t>(allowed[static_cast<std::size_t>(i)]), &set);
    sched_setaffinity(0, sizeof set, &set);  // where it is refused, results are noisier, not wrong
}

}  // namespace soma::bench
