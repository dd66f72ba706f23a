#include "bench/accuracy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "bench/operands.h"

namespace soma::bench {
namespace {

constexpr Index kSize = 256;
constexpr Index kMostBarredK = 4096;
constexpr double kUniformBar = 20, kNormalBar = 8;

Operand<float> random(Numbers numbers, Index n, std::uint64_t seed) {
    Operand<float> x(n, seed, 0, 1);
    if (numbers == Numbers::uniform) return x;
    const Operand<float> angle(n, seed + 1, 0, 1);
    for (Index i = 0; i < n; ++i) {  // Box & Muller 1958
        const double radius = std::sqrt(-2 * std::log(1 - double{x.data()[i]}));
        x.data()[i] =
            static_cast<float>(radius * std::cos(2 * std::numbers::pi * double{angle.data()[i]}));
    }
    return x;
}

// A B in double, where f32 inputs leave errors 2^-29 times those that are measured; absolute:
// |A||B|.
Operand<double> exact(Index k, const Operand<float>& a, const Operand<float>& b, bool absolute) {
    const auto widened = [absolute](const Operand<float>& x) {
        Operand<double> y(x.count());
        std::transform(x.data(), x.data() + x.count(), y.data(),
                       [absolute](float v) { return absolute ? std::abs(double{v}) : double{v}; });
        return y;
    };
    const Operand<double> wide_a = widened(a), wide_b = widened(b);
    Operand<double> c(kSize * kSize);
    kernels::gemm<double>({.m = kSize,
                           .n = kSize,
                           .k = k,
                           .a = wide_a.data(),
                           .lda = k,
                           .b = wide_b.data(),
                           .ldb = kSize,
                           .c = c.data(),
                           .ldc = kSize});
    return c;
}

}  // namespace

const char* name_of(Numbers numbers) { return numbers == Numbers::uniform ? "uniform" : "normal"; }

std::vector<AccuracyRow> measure_accuracy(Numbers numbers, Index k,
                                          const std::vector<Rival>& rivals) {
    const Operand<float> a = random(numbers, kSize * k, 1), b = random(numbers, k * kSize, 3);
    const Operand<double> c_star = exact(k, a, b, false), scale = exact(k, a, b, true);
    const Operand<float> c(kSize * kSize);
    const Product<float> product{.gemm = {.m = kSize,
                                          .n = kSize,
                                          .k = k,
                                          .a = a.data(),
                                          .lda = k,
                                          .b = b.data(),
                                          .ldb = kSize,
                                          .c = c.data(),
                                          .ldc = kSize}};
    std::vector<AccuracyRow> rows;
    const auto judge = [&](const std::string& name) {
        double most = 0, sum = 0;
        for (Index i = 0; i < c.count(); ++i) {
            const double e = std::abs(c.data()[i] - c_star.data()[i]) / (0x1p-24 * scale.data()[i]);
            most = std::isnan(e) ? INFINITY : std::max(most, e);  // unwritten
            sum += e;
        }
        rows.push_back({numbers, k, name, most, sum / static_cast<double>(c.count())});
    };
    kernels::gemm(product.gemm);
    judge("soma");
    for (const Rival& rival : rivals) {
        const Work work = rival.sgemm ? rival.sgemm(product) : Work{};
        if (!work) continue;
        std::fill_n(c.data(), c.count(), std::numeric_limits<float>::quiet_NaN());
        work(1);
        judge(rival.name);
    }
    return rows;
}

double accuracy_bar(Numbers numbers, Index k) {
    const double bar = numbers == Numbers::uniform ? kUniformBar : kNormalBar;
    return k <= kMostBarredK ? std::min(bar, static_cast<double>(k)) : static_cast<double>(k);
}

}  // namespace soma::bench
