// Initialisers: moments of the distributions, exactness of the orthogonal matrices.

#include "soma/nn/init.h"

#include <gtest/gtest.h>

#include <cmath>

namespace soma::nn {
namespace {

constexpr PhiloxKey kKey = {12, 34};

Tensor make(const Init& init, const Shape& shape, DType dtype = DType::f64, PhiloxKey key = kKey) {
    Tensor t(shape, dtype);
    initialise(init, key, t);
    return t;
}

struct Moments {
    double mean = 0, variance = 0, fourth = 0, largest = 0;
};

Moments moments(const Tensor& t) {
    Moments m;
    const double n = static_cast<double>(t.count());
    for (Index i = 0; i < t.count(); ++i) {
        const double x = t.at(i);
        m.mean += x / n;
        m.variance += x * x / n;
        m.fourth += x * x * x * x / n;
        m.largest = std::max(m.largest, std::abs(x));
    }
    return m;
}

// Six standard errors: a fixed key either passes for ever or the distribution is wrong (2e-9).
constexpr double kSigmas = 6;
constexpr Index kCount = 1 << 18;

TEST(Init, UniformHasTheMomentsOfItsBound) {
    const double a = 0.3, n = kCount;
    const Moments m = moments(make(Init::uniform(a), {kCount}));
    EXPECT_NEAR(m.mean, 0, kSigmas * a / std::sqrt(3 * n));
    // Var(x^2) = a^4 (1/5 - 1/9).
    EXPECT_NEAR(m.variance, a * a / 3, kSigmas * a * a * std::sqrt(4.0 / 45 / n));
    EXPECT_LE(m.largest, a);
    EXPECT_GT(m.largest, 0.999 * a);
}

TEST(Init, NormalHasTheMomentsOfItsDeviation) {
    const double sd = 0.02, n = kCount;
    const Moments m = moments(make(Init::normal(sd), {kCount}));
    EXPECT_NEAR(m.mean, 0, kSigmas * sd / std::sqrt(n));
    EXPECT_NEAR(m.variance, sd * sd, kSigmas * sd * sd * std::sqrt(2 / n));
    // Var(x^4) = (105 - 9) sd^8.
    EXPECT_NEAR(m.fourth, 3 * std::pow(sd, 4), kSigmas * std::pow(sd, 4) * std::sqrt(96 / n));
}

TEST(Init, ConstantFillsEveryElement) {
    const Tensor t = make(Init::constant(-1.5), {100});
    for (Index i = 0; i < 100; ++i) ASSERT_EQ(t.at(i), -1.5);
}

TEST(Init, IdentityFillsTheDiagonal) {
    for (const Shape& shape : {Shape{3, 3}, Shape{2, 4}, Shape{4, 2}}) {
        const Tensor t = make(Init::identity(0.5), shape);
        for (Index i = 0; i < t.count(); ++i) {
            const Index row = i / shape.cols(), col = i % shape.cols();
            ASSERT_EQ(t.at(i), row == col ? 0.5 : 0) << shape;
        }
    }
}

TEST(Init, F32AndF64DrawTheSameNumbers) {
    const Tensor wide = make(Init::uniform(0.25), {1000}, DType::f64);
    const Tensor narrow = make(Init::uniform(0.25), {1000}, DType::f32);
    // A bound that is a power of two scales exactly.
    for (Index i = 0; i < 1000; ++i) ASSERT_EQ(wide.at(i), narrow.at(i));
}

TEST(Init, KeysGiveDifferentNumbers) {
    const Tensor a = make(Init::normal(1), {8}), b = make(Init::normal(1), {8}, DType::f64, {1, 2});
    EXPECT_NE(a.at(0), b.at(0));
}

// Deviation from orthonormality of the shorter side's vectors of a [rows, cols] matrix.
double orthogonality_error(const Tensor& t, double gain) {
    const Index rows = t.shape().rows(), cols = t.shape().cols();
    const bool tall = rows >= cols;
    const Index n = tall ? cols : rows, length = tall ? rows : cols;
    const auto element = [&](Index vector, Index i) {
        return t.at(tall ? i * cols + vector : vector * cols + i) / gain;
    };
    double worst = 0;
    for (Index a = 0; a < n; ++a) {
        for (Index b = 0; b < n; ++b) {
            double dot = a == b ? -1 : 0;
            for (Index i = 0; i < length; ++i) dot += element(a, i) * element(b, i);
            worst = std::max(worst, std::abs(dot));
        }
    }
    return worst;
}

TEST(Init, OrthogonalHasOrthonormalVectorsOnItsShorterSide) {
    // Householder QR: |Q^T Q - I| is a small multiple of m n u (Higham 2002, theorem 19.4).
    for (const Shape& shape :
         {Shape{64, 64}, Shape{5, 40}, Shape{40, 5}, Shape{3, 3, 2, 7}, Shape{1, 1}, Shape{6}}) {
        const double bound = 10 * static_cast<double>(shape.count()) * 0x1p-53;
        EXPECT_LE(orthogonality_error(make(Init::orthogonal(), shape), 1), bound) << shape;
        EXPECT_LE(orthogonality_error(make(Init::orthogonal(1.5), shape), 1.5), bound) << shape;
    }
}

// Uniformly distributed: every element has mean 0, also the diagonal. n Q_ij^2 has mean 1.
TEST(Init, OrthogonalIsUnbiased) {
    const Index n = 4;
    const int draws = 2000;
    std::vector<double> sum(static_cast<std::size_t>(n * n)), square(sum.size());
    for (int d = 0; d < draws; ++d) {
        const Tensor q =
            make(Init::orthogonal(), {n, n}, DType::f64, {static_cast<std::uint32_t>(d), 7});
        for (std::size_t i = 0; i < sum.size(); ++i) {
            const double x = q.at(static_cast<Index>(i));
            sum[i] += x;
            square[i] += x * x;
        }
    }
    for (std::size_t i = 0; i < sum.size(); ++i) {
        // Var(q) = 1/n; Var(q^2) = 3 / (n (n + 2)) - 1 / n^2 = 1/16 for n = 4.
        EXPECT_NEAR(sum[i] / draws, 0, kSigmas * 0.5 / std::sqrt(draws));
        EXPECT_NEAR(square[i] / draws, 0.25, kSigmas * 0.25 / std::sqrt(draws));
    }
}

TEST(Init, FanHelpersGiveTheStatedBounds) {
    EXPECT_EQ(Init::lecun1989(24).a, 2.4 / 24);
    EXPECT_EQ(Init::lecun_sqrt(16).a, 0.6);
    EXPECT_EQ(Init::glorot_uniform(10, 14).a, 0.5);
    EXPECT_EQ(Init::he_normal(8).a, 0.5);
    EXPECT_EQ(Init::he_uniform(24).a, 0.5);
    EXPECT_EQ(Init::he_normal(8).kind, Init::Kind::normal);
    EXPECT_EQ(Init::he_uniform(24).kind, Init::Kind::uniform);
    EXPECT_THROW(Init::lecun1989(0), Error);
    EXPECT_THROW(Init::glorot_uniform(3, 0), Error);
}

}  // namespace
}  // namespace soma::nn
