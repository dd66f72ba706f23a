// Cross-validation of demixed PCA: errors against direct sums, decoding of what was planted.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "linalg/planted.h"
#include "neuro/dpca_planted.h"
#include "neuro/needs_lapack.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/neuro/dpca.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

using DpcaLambdaTest = NeedsLapack;
using DpcaSignificanceTest = NeedsLapack;
using Planted = DpcaPlanted;

// Equal trials predict each other exactly; an infinite penalty predicts nothing.
TEST_F(DpcaLambdaTest, ErrorRunsFromZeroWithoutNoiseToOne) {
    const Planted planted(3, 0);
    const DpcaLambda l = dpca_lambda(planted.r, planted.factors, {}, {}, {0, 1e6});
    EXPECT_EQ(l.best, 0);
    EXPECT_EQ(l.error.cols, 3);  // a fold for each trial of a condition
    EXPECT_NEAR(l.mean[0], 0, 1e-12);
    EXPECT_NEAR(l.mean[1], 1, 1e-9);
}

Matrix centred(Matrix x) {
    for (Index i = 0; i < x.cols; ++i) {
        double mean = 0;
        for (Index row = 0; row < x.rows; ++row) mean += x(row, i) / double(x.rows);
        for (Index row = 0; row < x.rows; ++row) x(row, i) -= mean;
    }
    return x;
}

// The error as it is defined, from a model fitted to the training trials.
double direct_error(const Dpca& d, const Matrix& held_out, const std::vector<Index>& sizes) {
    const Matrix x = centred(d.averages), scores = linalg::product(centred(held_out), d.decoder);
    double error = 0, variance = 0;
    for (std::size_t g = 0; g < d.marginalisations.size(); ++g) {
        Matrix rest(x.rows, x.cols);
        for (const std::uint32_t set : d.marginalisations[g].sets) {
            const Matrix part = marginalise(x, sizes, set);
            for (std::size_t i = 0; i < rest.values.size(); ++i) rest.values[i] += part.values[i];
        }
        for (const double v : rest.values) variance += v * v;
        for (Index k = 0; k < d.encoder.cols; ++k) {
            if (d.marginalisation[std::size_t(k)] != Index(g)) continue;
            for (Index row = 0; row < x.rows; ++row) {
                for (Index i = 0; i < x.cols; ++i) rest(row, i) -= scores(row, k) * d.encoder(i, k);
            }
        }
        for (const double v : rest.values) error += v * v;
    }
    return error / variance;
}

// Two conditions of two trials: a fold is one of four splits, which are all tried here.
TEST_F(DpcaLambdaTest, ErrorIsThatOfItsDefinition) {
    Responses r(4, 12, 5);
    r.states = linalg::random_matrix(48, 5, 1);
    const std::vector<Factor> factors = {{"side", {0, 0, 1, 1}}};
    const DpcaOptions options{.components = 1, .lambda = 0.01, .noise = false};
    std::vector<double> possible;
    for (Index a : {0, 1}) {
        for (Index b : {2, 3}) {
            Responses train(2, 12, 5), held(2, 12, 5);
            for (Index t = 0; t < 12; ++t) {
                for (Index i = 0; i < 5; ++i) {
                    train(0, t, i) = r(1 - a, t, i);
                    train(1, t, i) = r(5 - b, t, i);
                    held(0, t, i) = r(a, t, i);
                    held(1, t, i) = r(b, t, i);
                }
            }
            const Dpca d = dpca(train, {{"side", {0, 1}}}, options);
            possible.push_back(direct_error(d, held.states, {2, 12}));
        }
    }
    const DpcaLambda l = dpca_lambda(r, factors, options, {.seed = 2}, {0.01});
    ASSERT_EQ(l.error.cols, 2);
    std::vector<std::size_t> splits;
    for (Index f : {0, 1}) {
        for (std::size_t s = 0; s < 4; ++s) {
            if (std::abs(l.error(0, f) - possible[s]) < 1e-12) splits.push_back(s);
        }
    }
    ASSERT_EQ(splits.size(), 2u);
    EXPECT_EQ(splits[0] + splits[1], 3u);  // every trial is held out once: 0 and 3, or 1 and 2
}

// |X|^2 is of order 1000 here, so these penalties run from nothing to everything.
TEST_F(DpcaLambdaTest, NoiseCallsForAPenalty) {
    const Planted planted(3, 3);
    const DpcaOptions options{.components = 2, .noise = false};
    const std::vector<double> lambdas = {0, 1e-3, 1e-2, 1e-1, 1};
    const DpcaLambda l = dpca_lambda(planted.r, planted.factors, options, {.seed = 1}, lambdas);
    EXPECT_GT(l.best, 0);
    EXPECT_LT(l.best, 1);
    const auto smallest = std::min_element(l.mean.begin(), l.mean.end());
    EXPECT_EQ(l.best, lambdas[std::size_t(smallest - l.mean.begin())]);
    EXPECT_LT(*smallest, l.mean[0] - 0.01);
    EXPECT_LE(l.spread[2].low, l.mean[2]);
    EXPECT_GE(l.spread[2].high, l.mean[2]);
    EXPECT_THROW(dpca_lambda(planted.r, planted.factors, options, {}, {-1}), Error);
    const Responses constant(planted.trials, kSteps, kUnits);
    EXPECT_THROW(dpca_lambda(constant, planted.factors), Error);
    EXPECT_THROW(dpca_significance(constant, planted.factors), Error);
}

TEST_F(DpcaLambdaTest, StandardLambdasAreThePublishedGrid) {
    const Planted planted(2, 1);
    const DpcaLambda l = dpca_lambda(planted.r, planted.factors, {.components = 1});
    ASSERT_EQ(l.lambdas.size(), 26u);
    EXPECT_EQ(l.lambdas[0], 1e-7);
    EXPECT_NEAR(l.lambdas[25], 1e-7 * std::pow(1.5, 25), 1e-12);
}

// The stimulus is there from step 12 on, the decision not at all. A null of 100 shuffles is passed
// by chance with probability 1 / 101 a step, which runs of three or more steps rule out.
TEST_F(DpcaSignificanceTest, FindsWhatWasPlantedWhenItWasPlanted) {
    const Planted planted(6, 0.5, 0);
    const DpcaSignificance s =
        dpca_significance(planted.r, planted.factors, {},
                          {.folds = {.folds = 3, .seed = 4}, .components = 1, .shortest_run = 3});
    ASSERT_EQ(s.components.size(), 3u);  // stimulus, decision, both; time has no classes
    for (const DpcaDecoding& d : s.components) {
        for (Index t = 0; t < kSteps; ++t) {
            const auto at = std::size_t(t);
            const bool planted_here = d.marginalisation == 1 && t >= 12;
            EXPECT_EQ(d.significant[at], planted_here) << d.marginalisation << " at " << t;
            if (planted_here) {
                EXPECT_GT(d.accuracy[at], 0.9);
                EXPECT_EQ(d.p[at], 1.0 / 101);
            }
        }
    }
    EXPECT_EQ(s.components[0].classes, 3);
    EXPECT_EQ(s.components[1].classes, 2);
    EXPECT_EQ(s.components[2].classes, 6);
}

TEST_F(DpcaSignificanceTest, DoesNotDependOnTheNumberOfThreads) {
    const Planted planted(3, 1);
    const DpcaSignificanceOptions options{.folds = {.seed = 5}, .shuffles = 8};
    const int threads = num_threads();
    set_num_threads(1);
    const DpcaSignificance one = dpca_significance(planted.r, planted.factors, {}, options);
    set_num_threads(4);
    const DpcaSignificance four = dpca_significance(planted.r, planted.factors, {}, options);
    set_num_threads(threads);
    EXPECT_EQ(one.null_highest.values, four.null_highest.values);
    ASSERT_EQ(one.components.size(), 9u);
    for (std::size_t k = 0; k < 9; ++k) {
        EXPECT_EQ(one.components[k].accuracy, four.components[k].accuracy);
    }
}

}  // namespace
}  // namespace soma::neuro
