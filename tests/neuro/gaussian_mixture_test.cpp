#include "soma/neuro/gaussian_mixture.h"

#include <cmath>

#include "needs_lapack.h"
#include "soma/core/error.h"
#include "systems.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

class Mixture : public NeedsLapack {};

// Two centred populations in the plane, correlated +0.9 and -0.9: the same mean and the same
// variances, told apart by the sign of the correlation alone.
GaussianMixture two_crossed(double weight) {
    GaussianMixture m;
    m.weights = {weight, 1 - weight};
    m.means = Matrix(2, 2);
    m.covariances = {Matrix(2, 2, {1, 0.9, 0.9, 1}), Matrix(2, 2, {1, -0.9, -0.9, 1})};
    return m;
}

TEST_F(Mixture, OneComponentIsTheSampleMomentsAndTheGaussianLikelihood) {
    const Index s = 200;
    const Matrix x(s, 2, test::normals(2 * s, 3.0, 5));
    double mean[2] = {}, c[3] = {};
    for (Index i = 0; i < s; ++i) {
        for (int j = 0; j < 2; ++j) mean[j] += x(i, j) / static_cast<double>(s);
    }
    for (Index i = 0; i < s; ++i) {
        const double a = x(i, 0) - mean[0], b = x(i, 1) - mean[1];
        c[0] += a * a / s, c[1] += a * b / s, c[2] += b * b / s;
    }
    const GaussianMixture m = fit_mixture(x, {.ridge = 0});
    EXPECT_NEAR(m.means(0, 0), mean[0], 1e-12);
    EXPECT_NEAR(m.covariances[0](0, 1), c[1], 1e-12);
    EXPECT_NEAR(m.covariances[0](1, 1), c[2], 1e-12);
    // At the maximum, sum of squares under C^-1 is S D: ln L = -S/2 (D ln 2 pi + ln det C + D).
    const double det = c[0] * c[2] - c[1] * c[1];
    const double expected = -s / 2.0 * (2 * std::log(2 * M_PI) + std::log(det) + 2);
    EXPECT_NEAR(m.log_likelihood, expected, 1e-8 * std::abs(expected));
    EXPECT_NEAR(m.bic, -2 * expected + 5 * std::log(200.0), 1e-8 * std::abs(expected));
}

// 2,000 samples. Standard error of a weight is sqrt(.7 .3 / 2000) = .010 for known labels, of a
// covariance about sqrt((1 + .81) / 600) = .055; overlap of the two raises both, so 4 of them.
TEST_F(Mixture, FindsCentredPopulationsThatDifferInCorrelationAlone) {
    const Matrix x = sample(two_crossed(0.7), 2000, 3);
    const GaussianMixture m = fit_mixture(x, {.components = 2, .zero_means = true, .starts = 3});
    EXPECT_TRUE(m.converged);
    EXPECT_NEAR(m.weights[0], 0.7, 0.06);
    EXPECT_NEAR(m.covariances[0](0, 1), 0.9, 0.22);
    EXPECT_NEAR(m.covariances[1](0, 1), -0.9, 0.22);
    for (const double v : m.means.values) EXPECT_EQ(v, 0);
    const GaussianMixture one = fit_mixture(x, {.components = 1, .zero_means = true});
    const GaussianMixture three =
        fit_mixture(x, {.components = 3, .zero_means = true, .starts = 2, .tolerance = 1e-6});
    EXPECT_LT(m.bic, one.bic);
    EXPECT_LT(m.bic, three.bic);
}

TEST_F(Mixture, AssignsSeparatedClustersWithoutError) {
    Matrix x(60, 2, test::normals(120, 0.1, 9));
    for (Index i = 0; i < 60; ++i) x(i, 0) += i % 3 == 0 ? 10 : -10;
    const GaussianMixture m = fit_mixture(x, {.components = 2});
    const std::vector<Index> k = assign(m, x);
    for (Index i = 0; i < 60; ++i) EXPECT_EQ(k[static_cast<std::size_t>(i)], i % 3 == 0 ? 1 : 0);
    EXPECT_NEAR(m.weights[0], 2.0 / 3, 1e-9);
}

// Four samples at (+-1, 0) + (10, 0) and two at (-10, 0 +- 1), known by hand.
TEST_F(Mixture, PopulationsAreTheMomentsOfTheAssignedSamples) {
    GaussianMixture m;
    m.weights = {0.5, 0.5};
    m.means = Matrix(2, 2, {10, 0, -10, 0});
    m.covariances = {linalg::identity(2), linalg::identity(2)};
    const Matrix x(6, 2, {11, 0, 9, 0, 11, 0, 9, 0, -10, 1, -10, -1});
    const GaussianMixture p = populations(m, x);
    EXPECT_DOUBLE_EQ(p.weights[0], 4.0 / 6);
    EXPECT_DOUBLE_EQ(p.means(0, 0), 10);
    EXPECT_NEAR(p.covariances[0](0, 0), 4.0 / 3, 1e-12);
    EXPECT_NEAR(p.covariances[1](1, 1), 2, 1e-12);
    m.means = Matrix(2, 2);
    m.covariances[0](0, 0) = 100;
    EXPECT_EQ(populations(m, Matrix(4, 2, {9, 0, -9, 0, 0, 1, 0, -1})).means(0, 0), 0);
}

// Moments of 20,000 draws within 5 standard errors: sqrt(2 / S) = .01 of a variance of 1.
TEST_F(Mixture, DrawsHaveTheMomentsOfTheMixtureAndArePure) {
    GaussianMixture m = two_crossed(0.5);
    m.means(0, 0) = 2;
    const Matrix x = sample(m, 20000, 11);
    double mean = 0, variance = 0, cross = 0;
    for (Index i = 0; i < x.rows; ++i) mean += x(i, 0) / 20000;
    for (Index i = 0; i < x.rows; ++i) {
        variance += (x(i, 0) - mean) * (x(i, 0) - mean) / 20000;
        cross += (x(i, 0) - mean) * x(i, 1) / 20000;
    }
    EXPECT_NEAR(mean, 1, 5 * std::sqrt(2.0 / 20000));
    EXPECT_NEAR(variance, 2, 5 * 2 * std::sqrt(2.0 / 20000));
    EXPECT_NEAR(cross, 0, 5 * std::sqrt(2.0 / 20000));
    const Matrix few = sample(m, 10, 11), other = sample(m, 10, 11, 1);
    for (Index i = 0; i < 10; ++i) EXPECT_EQ(few(i, 1), x(i, 1));
    EXPECT_NE(few(0, 0), other(0, 0));
}

TEST_F(Mixture, RefusesTooFewSamplesAndNaN) {
    EXPECT_THROW(fit_mixture(Matrix(5, 2), {.components = 2}), Error);
    Matrix x(50, 2, test::normals(100, 1, 1));
    x(7, 1) = NAN;
    EXPECT_THROW(fit_mixture(x), Error);
}

}  // namespace
}  // namespace soma::neuro
