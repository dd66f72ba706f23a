// Demixed PCA against planted factors and against direct reduced-rank regression.

#include "soma/neuro/dpca.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linalg/planted.h"
#include "neuro/dpca_planted.h"
#include "neuro/needs_lapack.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

using DpcaTest = NeedsLapack;
using Planted = DpcaPlanted;

// Squared correlation of columns i and j of matrices with equal rows.
double r_squared(const Matrix& a, Index i, const Matrix& b, Index j) {
    double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
    for (Index row = 0; row < a.rows; ++row) {
        ma += a(row, i) / double(a.rows);
        mb += b(row, j) / double(a.rows);
    }
    for (Index row = 0; row < a.rows; ++row) {
        ab += (a(row, i) - ma) * (b(row, j) - mb);
        aa += (a(row, i) - ma) * (a(row, i) - ma);
        bb += (b(row, j) - mb) * (b(row, j) - mb);
    }
    return ab * ab / (aa * bb);
}

// x = [[1, 2], [5, 10]] over (row, column): mean 4.5, rows -3, +3, columns -1.5, +1.5, rest +-1.
TEST(DpcaMarginalise, KnowsATwoByTwoTableByHand) {
    const Matrix x(4, 1, {1, 2, 5, 10});
    EXPECT_EQ(marginalise(x, {2, 2}, 0).values, (std::vector<double>{4.5, 4.5, 4.5, 4.5}));
    EXPECT_EQ(marginalise(x, {2, 2}, 1).values, (std::vector<double>{-3, -3, 3, 3}));
    EXPECT_EQ(marginalise(x, {2, 2}, 2).values, (std::vector<double>{-1.5, 1.5, -1.5, 1.5}));
    EXPECT_EQ(marginalise(x, {2, 2}, 3).values, (std::vector<double>{1, -1, -1, 1}));
    EXPECT_THROW(marginalise(x, {2, 3}, 1), Error);
}

// Values of order 1: rounding of each element is below 1e-14.
TEST(DpcaMarginalise, PartsAreOrthogonalAndSumToTheWhole) {
    const std::vector<Index> sizes = {3, 2, 5};
    const Matrix x = linalg::random_matrix(30, 4, 1);
    Matrix sum(30, 4);
    for (std::uint32_t a = 0; a < 8; ++a) {
        const Matrix part = marginalise(x, sizes, a);
        for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += part.values[i];
        for (std::uint32_t b = 0; b < a; ++b) {
            const Matrix cross = linalg::product(part, marginalise(x, sizes, b), Op::T);
            EXPECT_LE(linalg::frobenius(cross), 1e-13) << a << " " << b;
        }
    }
    EXPECT_LE(linalg::distance(sum, x), 1e-13);
}

TEST_F(DpcaTest, FindsPlantedFactors) {
    const Planted planted(10, 0.5);
    const Dpca d = dpca(planted.r, planted.factors, {.components = 1});
    ASSERT_EQ(d.marginalisations.size(), 4u);
    EXPECT_EQ(d.marginalisations[3].name, "stimulus x decision");
    const Matrix scores = d.project(d.averages);
    for (Index k = 0; k < 3; ++k) {  // the weakest is the interaction, which was not planted
        const Index group = d.marginalisation[std::size_t(k)];
        ASSERT_LT(group, 3);
        EXPECT_GT(r_squared(scores, k, planted.latent, group), 0.99) << group;
        EXPECT_GT(d.explained_part(k, group), 0.98 * d.explained[std::size_t(k)]);
    }
}

// Without noise X has rank 3 of 14: the inverse leaves the others out, and demixing is exact.
TEST_F(DpcaTest, IsExactWithoutNoise) {
    const Planted planted(1, 0);
    const Dpca d = dpca(planted.r, planted.factors);
    ASSERT_EQ(d.encoder.cols, 3);
    const Matrix scores = d.project(d.averages);
    double explained = 0;
    for (Index k = 0; k < 3; ++k) {
        const Index group = d.marginalisation[std::size_t(k)];
        EXPECT_NEAR(r_squared(scores, k, planted.latent, group), 1, 1e-12);
        EXPECT_NEAR(d.explained[std::size_t(k)], d.share[std::size_t(group)], 1e-12);
        explained += d.explained[std::size_t(k)];
        Index majority = 0;
        for (Index i = 0; i < kUnits; ++i) majority += d.encoder(i, k) > 0 ? 1 : -1;
        EXPECT_GE(majority, 0);
    }
    EXPECT_NEAR(explained, 1, 1e-12);
    EXPECT_NEAR(d.share[3], 0, 1e-12);
}

// The largest principal angle between the columns of a and b, through the sine of the residual.
double angle(const Matrix& a, const Matrix& b) {
    const Matrix qa = linalg::qr(a).q, qb = linalg::qr(b).q;
    const Matrix inside = linalg::product(qa, linalg::product(qa, qb, Op::T));
    Matrix rest = qb;
    for (std::size_t i = 0; i < rest.values.size(); ++i) rest.values[i] -= inside.values[i];
    return linalg::svd(rest).s[0];
}

// Direct reduced-rank regression: A = X_f on X by least squares, encoder = left singular vectors of
// the fit, decoder = A^T encoder. neuro.md 6.6 asks for 1e-6; gaps and conditions here are
// moderate.
TEST_F(DpcaTest, EqualsDirectReducedRankRegression) {
    const Planted planted(4, 2);
    const Dpca d = dpca(planted.r, planted.factors, {.components = 2, .noise = false});
    Matrix x = d.averages;
    for (Index row = 0; row < x.rows; ++row) {
        for (Index i = 0; i < kUnits; ++i) x(row, i) -= d.mean[std::size_t(i)];
    }
    for (Index group = 0; group < 4; ++group) {
        Matrix part(x.rows, x.cols);
        for (const std::uint32_t set : d.marginalisations[std::size_t(group)].sets) {
            const Matrix one = marginalise(x, {kStimuli, kDecisions, kSteps}, set);
            for (std::size_t i = 0; i < part.values.size(); ++i) part.values[i] += one.values[i];
        }
        const Matrix a = linalg::least_squares(x, part).x;
        const Matrix encoder = linalg::columns(linalg::svd(linalg::product(x, a)).v, 0, 2);
        Matrix mine_encoder(kUnits, 2), mine_decoder(kUnits, 2);
        Index found = 0;
        for (Index k = 0; k < d.encoder.cols; ++k) {
            if (d.marginalisation[std::size_t(k)] != group) continue;
            for (Index i = 0; i < kUnits; ++i) {
                mine_encoder(i, found) = d.encoder(i, k);
                mine_decoder(i, found) = d.decoder(i, k);
            }
            ++found;
        }
        ASSERT_EQ(found, 2);
        EXPECT_LT(angle(encoder, mine_encoder), 1e-6);
        EXPECT_LT(angle(linalg::product(a, encoder), mine_decoder), 1e-6);
    }
}

TEST_F(DpcaTest, RegularisationShrinksTheDecoders) {
    const Planted planted(4, 1);
    const Dpca small = dpca(planted.r, planted.factors, {.components = 1, .lambda = 0});
    const Dpca large = dpca(planted.r, planted.factors, {.components = 1, .lambda = 1e-1});
    EXPECT_LT(linalg::frobenius(large.decoder), 0.1 * linalg::frobenius(small.decoder));
}

TEST_F(DpcaTest, MarginalisationsMayBeChosen) {
    const Planted planted(2, 0.1);
    const DpcaOptions options{.marginalisations = {{"all but time", {1, 2, 3, 5, 6, 7}}}};
    const Dpca d = dpca(planted.r, planted.factors, options);
    const Dpca standard = dpca(planted.r, planted.factors);
    EXPECT_NEAR(d.share[0], 1 - standard.share[0], 1e-12);
    for (const auto& sets : std::vector<std::vector<std::uint32_t>>{{}, {0}, {8}, {1, 1}}) {
        EXPECT_THROW(dpca(planted.r, planted.factors, {.marginalisations = {{"bad", sets}}}),
                     Error);
    }
}

TEST_F(DpcaTest, BootstrapIntervalsHoldTheShares) {
    const Planted planted(10, 0.5);
    const Dpca d = dpca(planted.r, planted.factors, {.bootstrap = {.repeats = 100, .seed = 3}});
    for (std::size_t g = 0; g < 3; ++g) {
        EXPECT_LT(d.share_interval[g].low, d.share[g] + 0.01);
        EXPECT_GT(d.share_interval[g].high, d.share[g] - 0.01);
        EXPECT_LT(d.share_interval[g].high - d.share_interval[g].low, 0.1);
    }
}

TEST_F(DpcaTest, RejectsBadArguments) {
    Planted planted(2, 0.1);
    EXPECT_THROW(dpca(planted.r, {}), Error);
    EXPECT_THROW(dpca(planted.r, {{"short", {0, 1}}}), Error);
    EXPECT_THROW(dpca(planted.r, planted.factors, {.lambda = -1}), Error);
    EXPECT_THROW(dpca(planted.r, planted.factors, {.components = 0}), Error);
    EXPECT_THROW(dpca(Responses(12, kSteps, kUnits), planted.factors), Error);  // constant
    std::vector<Factor> gap = planted.factors;
    for (Index& level : gap[0].level) level = level == 1 ? 2 : level;
    EXPECT_THROW(dpca(planted.r, gap), Error);
    const Planted single(1, 0.1);
    EXPECT_THROW(dpca_lambda(single.r, single.factors), Error);
    EXPECT_THROW(dpca_significance(single.r, single.factors), Error);
}

}  // namespace
}  // namespace soma::neuro
