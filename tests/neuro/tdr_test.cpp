// TDR and mTDR against planted directions.

#include "soma/neuro/tdr.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linalg/planted.h"
#include "neuro/needs_lapack.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

using TdrTest = NeedsLapack;
using MtdrTest = NeedsLapack;

// Choice, motion and colour of 6 * 2^3 trials: all combinations of +-1.
Matrix factorial_variables(Index repeats) {
    Matrix x(8 * repeats, 3);
    for (Index k = 0; k < x.rows; ++k) {
        for (Index v = 0; v < 3; ++v) x(k, v) = (k >> v & 1) != 0 ? 1 : -1;
    }
    return x;
}

// r = offset_i + sum_v x_v f_v(t) w_{v,i} + noise, where f_v peaks at step 5 (v + 1).
struct Planted {
    static constexpr Index kSteps = 20, kUnits = 30;
    Matrix w = linalg::random_matrix(kUnits, 3, 1);  // not orthogonal
    Matrix variables = factorial_variables(6);
    Responses r = Responses(48, kSteps, kUnits);

    explicit Planted(double noise = 0) {
        const Matrix jitter = linalg::random_matrix(r.states.rows, kUnits, 2);
        for (Index k = 0; k < r.trials; ++k) {
            for (Index t = 0; t < kSteps; ++t) {
                for (Index i = 0; i < kUnits; ++i) {
                    r(k, t, i) = double(i) + noise * jitter(k * kSteps + t, i);
                    for (Index v = 0; v < 3; ++v) {
                        const double late = double(t - 5 * (v + 1)) / 4;
                        r(k, t, i) += variables(k, v) * std::exp(-late * late) * w(i, v);
                    }
                }
            }
        }
    }

    // The axes of z-scored units: w / scale, orthogonalised in order.
    Matrix axes(const std::vector<double>& scale) const {
        Matrix scaled = w;
        for (Index i = 0; i < kUnits; ++i) {
            for (Index v = 0; v < 3; ++v) scaled(i, v) /= scale[std::size_t(i)];
        }
        return linalg::qr(scaled).q;
    }
};

// Rounding of the regression, the components and QR; all are well conditioned.
TEST_F(TdrTest, FindsPlantedAxesAndPeaks) {
    const Planted planted;
    const Tdr t = tdr(planted.r, planted.variables);
    EXPECT_LE(linalg::distance(t.axes, planted.axes(t.scale)), 1e-10);
    EXPECT_EQ(t.peak_step, (std::vector<Index>{5, 10, 15}));
    ASSERT_EQ(t.beta.size(), 4u);
    for (Index i = 0; i < Planted::kUnits; ++i) {
        EXPECT_NEAR(t.beta[1](10, i), planted.w(i, 1) / t.scale[std::size_t(i)], 1e-12);
        EXPECT_NEAR(t.beta[3](10, i), 0, 1e-12);
    }
}

TEST_F(TdrTest, ProjectionsSeparateTheValuesOfAVariable) {
    const Planted planted;
    const Tdr t = tdr(planted.r, planted.variables);
    const Responses p = t.project(planted.r);
    ASSERT_EQ(p.units(), 3);
    for (Index k = 0; k < p.trials; ++k) {
        EXPECT_GT(p(k, 15, 2) * planted.variables(k, 2), 0) << k;
    }
}

// With noise as large as the signal, three of the components hold the signal and the others a few
// of the 30 directions of the noise.
TEST_F(TdrTest, DenoisingBringsTheAxesCloserToTheTruth) {
    const Planted planted(1);
    const Tdr with = tdr(planted.r, planted.variables, {.denoise_components = 4});
    const Tdr without = tdr(planted.r, planted.variables, {.denoise_components = 0});
    const Matrix truth = planted.axes(with.scale);
    EXPECT_LT(linalg::distance(with.axes, truth), 0.8 * linalg::distance(without.axes, truth));
}

TEST_F(TdrTest, BootstrapErrorCoversTheErrorAndGrowsWithTheNoise) {
    const TdrOptions options{.bootstrap = {.repeats = 50, .seed = 3}};
    const Planted quiet(0.1), loud(1);
    const Tdr a = tdr(quiet.r, quiet.variables, options), b = tdr(loud.r, loud.variables, options);
    const Matrix truth = loud.axes(b.scale);
    for (std::size_t v = 0; v < 3; ++v) {
        EXPECT_GT(b.axis_error[v], 2 * a.axis_error[v]);
        double dot = 0;
        for (Index i = 0; i < Planted::kUnits; ++i) dot += truth(i, Index(v)) * b.axes(i, Index(v));
        EXPECT_LT(std::acos(dot), b.axis_error[v]);
    }
    EXPECT_EQ(tdr(loud.r, loud.variables, options).axis_error, b.axis_error);
}

TEST_F(TdrTest, InteractionsAreRegressedButNeedNoAxis) {
    Planted planted;
    const Matrix v = linalg::random_matrix(Planted::kUnits, 1, 4);
    for (Index k = 0; k < planted.r.trials; ++k) {
        for (Index i = 0; i < Planted::kUnits; ++i) {
            planted.r(k, 7, i) += planted.variables(k, 0) * planted.variables(k, 2) * v(i, 0);
        }
    }
    const Tdr t = tdr(planted.r, with_interactions(planted.variables, {{0, 2}}), {.axes = 3});
    EXPECT_LE(linalg::distance(t.axes, planted.axes(t.scale)), 1e-10);
    EXPECT_NEAR(t.beta[3](7, 0), v(0, 0) / t.scale[0], 1e-12);
}

TEST_F(TdrTest, RejectsBadArguments) {
    const Planted planted;
    EXPECT_THROW(tdr(planted.r, Matrix(5, 3)), Error);
    EXPECT_THROW(tdr(planted.r, with_interactions(planted.variables, {{0, 0}})), Error);  // all 1
    EXPECT_THROW(tdr(planted.r, planted.variables, {.axes = 4}), Error);
    EXPECT_THROW(with_interactions(planted.variables, {{0, 3}}), Error);
    Planted silent;  // no unit follows the last variable
    for (Index k = 0; k < silent.r.trials; ++k) {
        for (Index t = 0; t < Planted::kSteps; ++t) {
            for (Index i = 0; i < Planted::kUnits; ++i) silent.r(k, t, i) = silent.variables(k, 0);
        }
    }
    EXPECT_THROW(tdr(silent.r, silent.variables), Error);
}

// Betas with chosen singular values: variable 0 has rank 1, variable 1 has (4, 1), whose shares of
// the sum are 0.8 and 1 (of the squares: 0.94), variable 2 none, the intercept (2, 1).
struct PlantedRanks {
    static constexpr Index kSteps = 15, kUnits = 25;
    Matrix variables = factorial_variables(2);
    std::vector<Matrix> units, beta;
    Responses r = Responses(16, kSteps, kUnits);

    PlantedRanks() {
        const std::vector<std::vector<double>> s = {{3}, {4, 1}, {}, {2, 1}};
        for (std::uint64_t v = 0; v < 4; ++v) {
            const auto rank = static_cast<Index>(s[v].size());
            units.push_back(rank == 0 ? Matrix(kUnits, 0)
                                      : linalg::random_orthonormal(kUnits, rank, 10 + v));
            beta.emplace_back(kSteps, kUnits);
            if (rank == 0) continue;
            const Matrix time = linalg::random_orthonormal(kSteps, rank, 20 + v);
            beta[v] = linalg::product(linalg::product(time, linalg::diagonal(s[v])), units[v],
                                      Op::N, Op::T);
        }
        for (Index k = 0; k < r.trials; ++k) {
            for (Index t = 0; t < kSteps; ++t) {
                for (Index i = 0; i < kUnits; ++i) {
                    r(k, t, i) = beta[3](t, i);
                    for (std::size_t v = 0; v < 3; ++v) {
                        r(k, t, i) += variables(k, Index(v)) * beta[v](t, i);
                    }
                }
            }
        }
    }
};

TEST_F(MtdrTest, FindsPlantedRanksAndAxes) {
    const PlantedRanks planted;
    const Mtdr m = mtdr(planted.r, planted.variables);
    ASSERT_EQ(m.factors.size(), 4u);
    const Index ranks[] = {1, 2, 2};
    const std::size_t which[] = {0, 1, 3};
    for (std::size_t f = 0; f < 3; ++f) {
        const MtdrFactor& factor = m.factors[which[f]];
        ASSERT_EQ(factor.rank, ranks[f]);
        // Equal subspaces: U^T W is orthogonal.
        const Matrix overlap = linalg::product(planted.units[which[f]], factor.units, Op::T);
        EXPECT_LE(
            linalg::distance(linalg::product(overlap, overlap, Op::T), linalg::identity(ranks[f])),
            1e-12);
        const Matrix rebuilt = linalg::product(factor.time, factor.units, Op::N, Op::T);
        EXPECT_LE(linalg::distance(rebuilt, planted.beta[which[f]]), 1e-12);
    }
    EXPECT_LE(m.factors[2].singular_values[0], 1e-13);
    EXPECT_NEAR(m.r2_full, 1, 1e-12);
}

TEST_F(MtdrTest, ReducedRankLosesWhatItDrops) {
    const PlantedRanks planted;
    const Mtdr m = mtdr(planted.r, planted.variables, {.threshold = 0.7});
    EXPECT_EQ(m.factors[1].rank, 1);
    EXPECT_EQ(m.factors[3].rank, 2);  // shares 0.67 and 1
    // Variance of the variables is 9 + 16 + 1; the second direction of variable 1 is lost.
    EXPECT_NEAR(m.r2, 1 - 1.0 / 26, 1e-12);
    EXPECT_THROW(mtdr(planted.r, planted.variables, {.threshold = 1}), Error);
}

TEST_F(MtdrTest, BootstrapIntervalHoldsR2) {
    PlantedRanks planted;
    const Matrix jitter = linalg::random_matrix(planted.r.states.rows, planted.r.units(), 5);
    for (std::size_t i = 0; i < jitter.values.size(); ++i) {
        planted.r.states.values[i] += 0.2 * jitter.values[i];
    }
    const Mtdr m = mtdr(planted.r, planted.variables, {.bootstrap = {.repeats = 50, .seed = 6}});
    EXPECT_LT(m.r2_interval.low, m.r2_interval.high);
    EXPECT_GT(m.r2_interval.high, m.r2);  // resampled trials repeat, so they are fitted better
}

}  // namespace
}  // namespace soma::neuro
