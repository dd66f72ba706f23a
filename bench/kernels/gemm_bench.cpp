// bench_gemm [ROUNDS]: GEMM in f32 on one thread, as % of the measured FMA peak and against
// OpenBLAS.
//
// Every round times each contender once on each shape, the order rotated; a timing is thread CPU
// time over about 2 ms. Reported: medians over rounds; the ratio is formed per round, then its
// median taken (kernels.md 18). Each contender's result is checked before it is timed.
// SOMA_ISA chooses the kernels.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "bench/rivals.h"
#include "bench/shapes.h"
#include "kernels/ref/gemm.h"
#include "soma/core/arena.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/rng.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/peak.h"

namespace {

using soma::Index;
using soma::bench::GemmCase;
using soma::bench::OpenBlas;
using soma::kernels::Gemm;
using soma::kernels::Op;

double thread_seconds() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double median(std::vector<double> x) {
    std::nth_element(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2), x.end());
    return x[x.size() / 2];
}

// A product with its operands, and its times so far.
class Contest {
public:
    Contest(const GemmCase& shape, const OpenBlas& blas)
        : shape_(shape),
          blas_(blas),
          a_(random(shape.m * shape.k, 1)),
          b_(random(shape.k * shape.n, 2)),
          c_(random(shape.m * shape.n, 3)) {
        call_ = {.op_a = shape.op_a,
                 .op_b = shape.op_b,
                 .m = shape.m,
                 .n = shape.n,
                 .k = shape.k,
                 .a = a_.data(),
                 .lda = shape.op_a == Op::N ? shape.k : shape.m,
                 .b = b_.data(),
                 .ldb = shape.op_b == Op::N ? shape.n : shape.k,
                 .c = c_.data(),
                 .ldc = shape.n};
        run_soma(1);
        check("soma");
        if (blas_.sgemm != nullptr) {
            run_blas(1);
            check("openblas");
        }
    }

    void round(bool blas_first) {
        if (blas_.sgemm == nullptr) {
            soma_.push_back(seconds(&Contest::run_soma));
            return;
        }
        double blas = 0;
        if (blas_first) blas = seconds(&Contest::run_blas);
        const double soma = seconds(&Contest::run_soma);
        if (!blas_first) blas = seconds(&Contest::run_blas);
        soma_.push_back(soma);
        openblas_.push_back(blas);
        ratio_.push_back(blas / soma);
    }

    const char* group() const { return shape_.group; }
    double gflops() const { return flop() / median(soma_) * 1e-9; }
    double ratio() const { return ratio_.empty() ? std::nan("") : median(ratio_); }
    std::string name() const {
        return std::to_string(shape_.m) + "x" + std::to_string(shape_.n) + "x" +
               std::to_string(shape_.k) + (shape_.op_a == Op::N ? " N" : " T") +
               (shape_.op_b == Op::N ? "N" : "T");
    }
    void print(double peak) const {
        const double blas = openblas_.empty() ? std::nan("") : flop() / median(openblas_) * 1e-9;
        std::printf("%-8s %-18s %8.1f %6.0f %% %8.1f %6.2f %12.0f\n", group(), name().c_str(),
                    gflops(), 100 * gflops() / peak, blas, ratio(), median(soma_) * 1e9);
    }

private:
    // 64-byte aligned, as tensors are.
    class Operand {
    public:
        explicit Operand(Index n)
            : block_(soma::allocate_aligned(static_cast<std::size_t>(n) * sizeof(float))) {}
        float* data() const { return reinterpret_cast<float*>(block_.get()); }

    private:
        soma::AlignedBlock block_;
    };
    static Operand random(Index n, std::uint64_t seed) {
        soma::RandomSequence sequence(make_key(seed, soma::Purpose::data_generation));
        Operand x(n);
        for (Index i = 0; i < n; ++i) x.data()[i] = sequence.uniform(-1, 1);
        return x;
    }
    double flop() const {
        return 2.0 * static_cast<double>(shape_.m) * static_cast<double>(shape_.n) *
               static_cast<double>(shape_.k);
    }

    void run_soma(Index repeats) {
        for (Index i = 0; i < repeats; ++i) soma::kernels::gemm(call_);
    }
    void run_blas(Index repeats) {
        const auto op = [](Op o) { return o == Op::N ? OpenBlas::kNoTrans : OpenBlas::kTrans; };
        const auto size = [](Index n) { return static_cast<int>(n); };
        for (Index i = 0; i < repeats; ++i)
            blas_.sgemm(OpenBlas::kRowMajor, op(call_.op_a), op(call_.op_b), size(call_.m),
                        size(call_.n), size(call_.k), 1, call_.a, size(call_.lda), call_.b,
                        size(call_.ldb), 0, call_.c, size(call_.ldc));
    }
    double seconds(void (Contest::*run)(Index)) {
        const auto repeats = std::max<Index>(1, static_cast<Index>(2e8 / flop()));
        const double start = thread_seconds();
        (this->*run)(repeats);
        return (thread_seconds() - start) / static_cast<double>(repeats);
    }
    // Some elements against the definition; |error| <= K u (|A||B|), and |A||B| <= K here.
    void check(const char* who) {
        const double bound = static_cast<double>(shape_.k * shape_.k) * 0x1p-24 + 0x1p-24;
        for (Index i = 0; i < shape_.m; i += std::max<Index>(1, shape_.m / 3)) {
            for (Index j = 0; j < shape_.n; j += std::max<Index>(1, shape_.n / 3)) {
                const double exact = soma::kernels::ref::product(call_, i, j);
                const double error = std::abs(c_.data()[i * shape_.n + j] - exact);
                if (error <= bound) continue;
                std::fprintf(stderr, "%s: %s is wrong by %g\n", name().c_str(), who, error);
                std::exit(1);
            }
        }
    }

    GemmCase shape_;
    const OpenBlas& blas_;
    Operand a_, b_, c_;
    Gemm<float> call_;
    std::vector<double> soma_, openblas_, ratio_;
};

// Geometric means of each group.
void summarise(const std::vector<Contest>& contests, double peak) {
    struct Mean {
        double log_percent = 0, log_ratio = 0, worst = 1e9;
        int count = 0;
    };
    std::map<std::string, Mean> means;
    for (const Contest& c : contests) {
        Mean& m = means[c.group()];
        m.log_percent += std::log(100 * c.gflops() / peak);
        m.log_ratio += std::log(c.ratio());
        m.worst = std::min(m.worst, c.ratio());
        ++m.count;
    }
    std::printf("\n%-8s %12s %12s %12s\n", "group", "% of peak", "ratio", "worst ratio");
    for (const auto& [group, m] : means) {
        std::printf("%-8s %12.0f %12.2f %12.2f\n", group.c_str(), std::exp(m.log_percent / m.count),
                    std::exp(m.log_ratio / m.count), m.worst);
    }
}

void run(int rounds) {
    soma::set_num_threads(1);
    const OpenBlas blas;
    const soma::kernels::KernelTable& table = soma::kernels::active();
    std::vector<Contest> contests;
    for (const GemmCase& shape : soma::bench::gemm_cases()) contests.emplace_back(shape, blas);
    std::vector<double> peaks;
    for (int r = 0; r < rounds; ++r) {
        peaks.push_back(soma::kernels::measure_fma_gflops<float>(table));
        for (Contest& c : contests) c.round(r % 2 != 0);
    }
    const double peak = median(peaks);
    std::printf(
        "%s, %s, peak %.1f GF, %d rounds, load %.1f\nrival: %s\n", soma::cpu().model.c_str(),
        table.isa, peak, rounds,
        [] {
            double load = 0;
            getloadavg(&load, 1);
            return load;
        }(),
        blas.name);
    std::printf("%-8s %-18s %8s %8s %8s %6s %12s\n", "group", "shape", "GF", "of peak", "openblas",
                "ratio", "ns");
    for (const Contest& c : contests) c.print(peak);
    summarise(contests, peak);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 20);
        return 0;
    } catch (const soma::Error& e) {
        std::fprintf(stderr, "bench_gemm: %s\n", e.what());
        return 2;
    }
}
