// jPCA against planted rotations and against dynamics that do not rotate.

#include "soma/neuro/jpca.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "linalg/planted.h"
#include "neuro/needs_lapack.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

using JpcaTest = NeedsLapack;

constexpr Index kConditions = 9, kSteps = 60, kUnits = 20;
constexpr double kDt = 0.01;
const std::vector<double> kOmega = {12, 7, 3};

// Conditions that differ in their start only: three planes turn at kOmega; all conditions share a
// trajectory that does not rotate.
Responses rotating(double noise = 0) {
    const Matrix basis = linalg::random_orthonormal(kUnits, 6, 1);
    const Matrix start = linalg::random_matrix(kConditions, 6, 2);
    const Matrix jitter = linalg::random_matrix(kConditions * kSteps, kUnits, 3);
    Responses latent(kConditions, kSteps, 6);
    for (Index c = 0; c < kConditions; ++c) {
        for (Index t = 0; t < kSteps; ++t) {
            for (Index p = 0; p < 3; ++p) {
                const double angle = kOmega[std::size_t(p)] * kDt * double(t);
                const double a = start(c, 2 * p), b = start(c, 2 * p + 1);
                latent(c, t, 2 * p) = std::cos(angle) * a - std::sin(angle) * b;
                latent(c, t, 2 * p + 1) = std::sin(angle) * a + std::cos(angle) * b;
            }
        }
    }
    Responses r = latent;
    r.states = linalg::product(latent.states, basis, Op::N, Op::T);
    for (Index row = 0; row < r.states.rows; ++row) {
        for (Index i = 0; i < kUnits; ++i) {
            r.states(row, i) += 0.05 * double(row % kSteps) + noise * jitter(row, i);
        }
    }
    return r;
}

// Six directions that decay at six rates: dx/dt = M x with a symmetric M.
Responses decaying() {
    const Matrix basis = linalg::random_orthonormal(kUnits, 6, 4);
    const Matrix start = linalg::random_matrix(kConditions, 6, 5);
    Responses r(kConditions, kSteps, kUnits);
    for (Index c = 0; c < kConditions; ++c) {
        for (Index t = 0; t < kSteps; ++t) {
            for (Index k = 0; k < 6; ++k) {
                const double x = start(c, k) * std::exp(-double(k + 1) * kDt * double(t));
                for (Index i = 0; i < kUnits; ++i) r(c, t, i) += x * basis(i, k);
            }
        }
    }
    return r;
}

// The midpoint fit of a rotation is exact, so only rounding is left: the weakest plane turns by
// 0.03 a step, which magnifies eps by about 1e3.
TEST_F(JpcaTest, FindsPlantedRotationsExactly) {
    const Jpca j = jpca(rotating(), {.dt = kDt});
    for (std::size_t p = 0; p < 3; ++p) EXPECT_NEAR(j.planes[p].omega, kOmega[p], 1e-9);
    EXPECT_NEAR(j.ratio, 1, 1e-9);
    EXPECT_NEAR(j.r2_skew, 1, 1e-9);
    const double explained = j.planes[0].explained + j.planes[1].explained + j.planes[2].explained;
    EXPECT_NEAR(explained, 1, 1e-9);
}

// neuro.md 6.6: omega within 1 %, ratio above 0.98; in one plane the bias of the forward difference
// is 1 - sin(0.12) / 0.12 = 0.24 % and (1 - cos 0.12) / 2 = 0.4 %.
TEST_F(JpcaTest, ForwardDifferenceFindsPlantedRotationsWithItsKnownBias) {
    const Jpca j = jpca(rotating(), {.dt = kDt, .difference = JpcaDifference::forward});
    for (std::size_t p = 0; p < 3; ++p) {
        EXPECT_NEAR(j.planes[p].omega, kOmega[p], 0.01 * kOmega[p]);
    }
    EXPECT_GT(j.ratio, 0.98);
    EXPECT_LT(j.ratio, 1 - 1e-4);
}

TEST_F(JpcaTest, SurvivesNoise) {
    const Jpca j = jpca(rotating(0.01), {.dt = kDt});
    for (std::size_t p = 0; p < 3; ++p) EXPECT_NEAR(j.planes[p].omega, kOmega[p], 0.01 * kOmega[p]);
    EXPECT_GT(j.ratio, 0.98);
}

TEST_F(JpcaTest, DecayIsNotRotation) {
    const Jpca j = jpca(decaying(), {.dt = kDt});
    EXPECT_NEAR(j.r2_free, 1, 1e-9);
    EXPECT_LT(j.ratio, 0.3);
}

TEST_F(JpcaTest, AxesAreOrthonormalAndTrajectoriesTurnFromTheFirstToTheSecond) {
    const Responses r = rotating();
    const Jpca j = jpca(r, {.dt = kDt});
    EXPECT_LE(linalg::distance(linalg::product(j.axes, j.axes, Op::T), linalg::identity(6)), 1e-12);
    for (Index p = 0; p < 3; ++p) {
        double spread[2] = {0, 0};
        for (Index c = 0; c < kConditions; ++c) {
            const Responses& x = j.trajectories;
            const double a = x(c, 0, 2 * p), b = x(c, 0, 2 * p + 1);
            const double angle = kOmega[std::size_t(p)] * kDt;
            EXPECT_NEAR(x(c, 1, 2 * p), std::cos(angle) * a - std::sin(angle) * b, 1e-9);
            EXPECT_NEAR(x(c, 1, 2 * p + 1), std::sin(angle) * a + std::cos(angle) * b, 1e-9);
            spread[0] += a * a;  // starts have zero mean over conditions
            spread[1] += b * b;
        }
        EXPECT_GE(spread[0], spread[1]);
    }
}

// Two planes at the same speed: any split of the four dimensions into turning planes is right.
TEST_F(JpcaTest, EqualSpeedsGiveOrthogonalPlanes) {
    Responses r(4, 40, 4);
    const Matrix start = linalg::random_matrix(4, 4, 6);
    const double omega = 2 * std::numbers::pi / 40;  // a full turn: the mean over steps is zero
    for (Index c = 0; c < 4; ++c) {
        for (Index t = 0; t < 40; ++t) {
            const double s = std::sin(omega * double(t)), k = std::cos(omega * double(t));
            for (Index p : {0, 2}) {
                r(c, t, p) = k * start(c, p) - s * start(c, p + 1);
                r(c, t, p + 1) = s * start(c, p) + k * start(c, p + 1);
            }
        }
    }
    const Jpca j = jpca(r, {.components = 4, .subtract_condition_mean = false});
    EXPECT_NEAR(j.planes[0].omega, omega, 1e-12);
    EXPECT_NEAR(j.planes[1].omega, omega, 1e-12);
    EXPECT_LE(linalg::distance(linalg::product(j.axes, j.axes, Op::T), linalg::identity(4)), 1e-12);
}

TEST_F(JpcaTest, BootstrapIntervalHoldsThePlantedSpeed) {
    const JpcaOptions options{.dt = kDt, .bootstrap = {.repeats = 100, .seed = 7}};
    const Jpca j = jpca(rotating(0.02), options);
    EXPECT_LT(j.planes[0].omega_interval.low, kOmega[0]);
    EXPECT_GT(j.planes[0].omega_interval.high, kOmega[0]);
    EXPECT_LT(j.ratio_interval.low, j.ratio_interval.high);
    EXPECT_EQ(jpca(rotating(0.02), options).ratio_interval.low, j.ratio_interval.low);
}

// Against least squares over the k (k - 1) / 2 free numbers of a skew matrix.
TEST_F(JpcaTest, SkewLeastSquaresIsTheMinimum) {
    constexpr Index kRows = 30, kK = 4;
    const Matrix x = linalg::random_matrix(kRows, kK, 8), d = linalg::random_matrix(kRows, kK, 9);
    Matrix design(kRows * kK, kK * (kK - 1) / 2), target(kRows * kK, 1, d.values);
    Index column = 0;
    for (Index i = 0; i < kK; ++i) {
        for (Index j = i + 1; j < kK; ++j, ++column) {
            for (Index row = 0; row < kRows; ++row) {
                design(row * kK + j, column) = x(row, i);
                design(row * kK + i, column) = -x(row, j);
            }
        }
    }
    const Matrix direct = linalg::least_squares(design, target).x;
    const Matrix k = skew_least_squares(x, d);
    column = 0;
    for (Index i = 0; i < kK; ++i) {
        for (Index j = i + 1; j < kK; ++j, ++column) {
            EXPECT_NEAR(k(i, j), direct(column, 0), 1e-13);  // condition of X^T X below 10
            EXPECT_EQ(k(j, i), -k(i, j));
        }
    }
}

TEST_F(JpcaTest, RejectsBadArguments) {
    const Responses r = rotating();
    EXPECT_THROW(jpca(r, {.components = 5}), Error);
    EXPECT_THROW(jpca(r, {.components = 22}), Error);
    EXPECT_THROW(jpca(r, {.dt = 0}), Error);
    EXPECT_THROW(jpca(Responses(1, 5, 4), {.components = 2}), Error);
    EXPECT_THROW(jpca(Responses(3, 5, 4), {.components = 2}), Error);
    EXPECT_THROW(skew_least_squares(Matrix(3, 2), Matrix(2, 2)), Error);
}

}  // namespace
}  // namespace soma::neuro
