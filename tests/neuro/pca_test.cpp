// PCA against planted covariances.

#include "soma/neuro/pca.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linalg/planted.h"
#include "neuro/needs_lapack.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

using PcaTest = NeedsLapack;

// X = U diag(s) V^T with orthonormal U of zero mean: variances are exactly s^2 / (S - 1).
struct Planted {
    static constexpr Index kSamples = 40, kUnits = 12;
    std::vector<double> s;
    Matrix v = linalg::random_orthonormal(kUnits, 3, 1);
    Matrix x = Matrix(kSamples, kUnits);

    explicit Planted(std::vector<double> values = {6, 3, 1}) : s(std::move(values)) {
        Matrix u = linalg::random_matrix(kSamples, 4, 2);
        for (Index i = 0; i < kSamples; ++i) u(i, 0) = 1;  // the others become orthogonal to 1
        u = linalg::columns(linalg::qr(u).q, 1, 4);
        x = linalg::product(linalg::product(u, linalg::diagonal(s)), v, Op::N, Op::T);
        for (Index i = 0; i < kSamples; ++i) {
            for (Index j = 0; j < kUnits; ++j) x(i, j) += static_cast<double>(j);
        }
    }
};

// Values of order 10 and 40 samples: rounding is below 1e-13.
TEST_F(PcaTest, FindsPlantedComponentsAndVariances) {
    const Planted planted;
    const Pca p = pca(planted.x, {.components = 3});
    ASSERT_EQ(p.components.cols, 3);
    for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(p.variance[k], planted.s[k] * planted.s[k] / 39, 1e-12);
        EXPECT_NEAR(p.explained[k], planted.s[k] * planted.s[k] / 46, 1e-12);
        double overlap = 0;
        for (Index i = 0; i < Planted::kUnits; ++i) {
            overlap += p.components(i, Index(k)) * planted.v(i, Index(k));
        }
        EXPECT_NEAR(std::abs(overlap), 1, 1e-12);
    }
    EXPECT_NEAR(p.participation_ratio, 46.0 * 46.0 / (36 * 36 + 9 * 9 + 1), 1e-12);
    for (std::size_t j = 0; j < 12; ++j) EXPECT_NEAR(p.mean[j], double(j), 1e-12);
}

TEST_F(PcaTest, ProjectionRebuildsTheData) {
    const Planted planted;
    const Pca p = pca(planted.x, {.components = 3});
    Matrix rebuilt = linalg::product(p.project(planted.x), p.components, Op::N, Op::T);
    for (Index i = 0; i < rebuilt.rows; ++i) {
        for (Index j = 0; j < rebuilt.cols; ++j) rebuilt(i, j) += p.mean[std::size_t(j)];
    }
    EXPECT_LE(linalg::distance(rebuilt, planted.x), 1e-12);
    EXPECT_THROW(p.project(Matrix(3, 5)), Error);
}

TEST_F(PcaTest, StandardisedVarianceIsTheNumberOfUnits) {
    const Pca p = pca(linalg::random_matrix(30, 5, 3), {.standardise = true});
    double sum = 0;
    for (const double v : p.variance) sum += v;
    EXPECT_NEAR(sum, 5, 1e-12);
}

// A ring of equal variances in d of N dimensions has participation ratio d.
TEST_F(PcaTest, ParticipationRatioCountsEqualDimensions) {
    Matrix x(8, 6);
    for (Index k = 0; k < 4; ++k) {
        x(2 * k, k) = 1;
        x(2 * k + 1, k) = -1;
    }
    EXPECT_NEAR(pca(x).participation_ratio, 4, 1e-12);
}

TEST_F(PcaTest, BootstrapIntervalHoldsTheEstimateAndIsReproducible) {
    const Matrix x = linalg::random_matrix(300, 5, 4);
    const PcaOptions options{.bootstrap = {.repeats = 100, .seed = 5}};
    const Pca p = pca(x, options);
    // Equal variances: true value N = 5. Sampling S rows pushes it to N / (1 + (N + 1) / S), the
    // bootstrap does so again; twice that loss is allowed for.
    EXPECT_LT(p.participation_interval.low, p.participation_interval.high);
    EXPECT_GT(p.participation_interval.low, 5 / (1 + 4 * 6 / 300.0));
    EXPECT_LT(p.participation_interval.high, 5);
    EXPECT_EQ(p.participation_interval.low, pca(x, options).participation_interval.low);
}

// Three dimensions with 41, 33 and 26 % of the variance; permuted, 12 units and 40 samples spread
// it over all 12: the largest share is about (1 + sqrt(12 / 40))^2 / 12 = 0.2.
TEST_F(PcaTest, NullFindsThePlantedNumberOfDimensions) {
    Planted planted({5, 4.5, 4});
    const Matrix noise = linalg::random_matrix(Planted::kSamples, Planted::kUnits, 6);
    for (std::size_t i = 0; i < noise.values.size(); ++i) {
        planted.x.values[i] += 0.1 * noise.values[i];
    }
    const PcaNull three = pca_null(planted.x, {.shuffles = 99, .seed = 7});
    EXPECT_EQ(three.dimensions, 3);
    EXPECT_EQ(three.p[0], 0.01);
    const PcaNull none = pca_null(noise, {.shuffles = 99, .seed = 7});
    EXPECT_EQ(none.dimensions, 0);
    EXPECT_LT(none.mean[0], none.high[0]);
}

TEST_F(PcaTest, RejectsBadArguments) {
    const Matrix x = linalg::random_matrix(6, 3, 8);
    EXPECT_THROW(pca(Matrix(1, 3)), Error);
    EXPECT_THROW(pca(Matrix(4, 3)), Error);
    EXPECT_THROW(pca(x, {.components = 4}), Error);
    EXPECT_THROW(pca(x, {.block = 4}), Error);
    EXPECT_THROW(pca(x, {.bootstrap = {.repeats = 10, .level = 1}}), Error);
    EXPECT_THROW(pca_null(x, {.shuffles = 10}), Error);
    EXPECT_THROW(pca_null(Matrix(4, 3)), Error);
}

}  // namespace
}  // namespace soma::neuro
