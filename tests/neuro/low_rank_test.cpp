#include "soma/neuro/low_rank.h"

#include <cmath>

#include "needs_lapack.h"
#include "soma/core/error.h"
#include "soma/neuro/tasks/mante.h"
#include "soma/neuro/tasks/rdm.h"
#include "systems.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
class MeanFieldLimit : public NeedsLapack {};

TaskNetOptions low_rank_options(Index units, Index rank) {
    return {.units = units,
            .layer = {.rank = rank, .bias = false},
            .output_bias = false,
            .mean_readout = true,
            .seed = 4};
}

// One centred population in (m, n, I, w), and two with means and different covariances.
GaussianMixture one_population() {
    GaussianMixture g;
    g.weights = {1};
    g.means = Matrix(1, 4);
    g.covariances = {Matrix(4, 4, {1.5, 1.2, 0.2, 1, 1.2, 2, 0.7, 0, 0.2, 0.7, 1, 0, 1, 0, 0, 4})};
    return g;
}

GaussianMixture two_populations() {
    GaussianMixture g = one_population();
    g.weights = {0.6, 0.4};
    g.means = Matrix(2, 4, {0.3, 0.5, -0.2, 0, -0.4, 0.1, 0.6, 0});
    g.covariances.push_back(Matrix(4, 4));
    for (Index i = 0; i < 4; ++i) g.covariances[1](i, i) = 0.5;
    return g;
}

TEST(Loadings, AreTheWeightsAndGoBackIntoThem) {
    const auto task = make_mante();
    TaskNet a(*task, low_rank_options(20, 2)), b(*task, low_rank_options(20, 2));
    const LoadingSpace space = loading_space(a);
    EXPECT_EQ(space.dimensions(), 9);
    EXPECT_EQ(space.names()[static_cast<std::size_t>(space.input(3))], "I4");
    const Matrix x = loadings(a);
    const Tensor n = a.store().value(a.layer().n()), w_in = a.store().value(a.layer().w_in());
    EXPECT_EQ(x(7, space.n(1)), n.data<float>()[7 * 2 + 1]);
    EXPECT_EQ(x(7, space.input(2)), w_in.data<float>()[2 * 20 + 7]);
    set_loadings(b, x);
    EXPECT_EQ(b.store().hash(), a.store().hash());
    EXPECT_THROW(set_loadings(b, Matrix(19, 9)), Error);
}

TEST(Loadings, NeedALowRankNetThatReadsMeans) {
    const auto task = make_rdm();
    const TaskNet full(*task, {.units = 8});
    EXPECT_THROW(loading_space(full), Error);
}

TEST(Overlaps, AreMeanProducts) {
    const Matrix o = overlaps(Matrix(2, 2, {1, 2, 3, -4}));
    EXPECT_EQ(o(0, 0), 5);
    EXPECT_EQ(o(0, 1), -5);
    EXPECT_EQ(o(1, 1), 10);
}

// Rank 1, centred: kappa' = -kappa + <f'> (s_nm kappa + s_nI v) with <f'> by a sum over a grid of
// its own (neuro.md 6.16).
TEST(MeanField, IsTheRankOneFormulaForACentredPopulation) {
    const GaussianMixture g = one_population();
    const MeanFieldDynamics d({}, g, {.dt = 1, .tau = 1});
    const double kappa = 0.8, v = 0.5;
    const double sd = std::sqrt(1.5 * kappa * kappa + 2 * 0.2 * kappa * v + v * v);
    double gain = 0;
    for (int i = -40000; i <= 40000; ++i) {
        const double z = i * 2.5e-4, r = std::tanh(sd * z);
        gain += 2.5e-4 / std::sqrt(2 * M_PI) * std::exp(-z * z / 2) * (1 - r * r);
    }
    double next = 0;
    d.step({&kappa, 1}, {&v, 1}, {&next, 1});
    EXPECT_NEAR(next, gain * (1.2 * kappa + 0.7 * v), 1e-12);
    EXPECT_NEAR(d.gains({&kappa, 1}, {&v, 1})[0], gain, 1e-12);
}

// Central differences of step 1e-5: error 1e-10 f''' / 6 + 1e-16 / 1e-5.
TEST(MeanField, JacobiansAreTheDerivatives) {
    const MeanFieldDynamics d({}, two_populations(), {.dt = 0.2, .tau = 1});
    const double kappa = 0.7, v = -0.4, h = 1e-5;
    const auto step = [&](double k, double u) {
        double next = 0;
        d.step({&k, 1}, {&u, 1}, {&next, 1});
        return next;
    };
    double j = 0, b = 0;
    d.jacobian({&kappa, 1}, {&v, 1}, {&j, 1});
    d.input_jacobian({&kappa, 1}, {&v, 1}, {&b, 1});
    EXPECT_NEAR(j, (step(kappa + h, v) - step(kappa - h, v)) / (2 * h), 1e-9);
    EXPECT_NEAR(b, (step(kappa, v + h) - step(kappa, v - h)) / (2 * h), 1e-9);
}

// The step of a sampled net is a mean over N units of n f(x): its distance to the mean field is of
// the order sd(n f) / sqrt N <= sqrt(2) / sqrt N alpha; 5 of these, and the ratio of the mean
// absolute distances at N and 16 N is 4. Each mean is over 60 nets: relative error .76 / sqrt 60 =
// 0.1, of the ratio 0.14: within 4 of these.
TEST_F(MeanFieldLimit, IsReachedBySampledNetsAtOneOverRootN) {
    const GaussianMixture g = two_populations();
    const double kappa = 0.9, v = 0.5;
    double limit = 0;
    MeanFieldDynamics({}, g, {.dt = 1, .tau = 1}).step({&kappa, 1}, {&v, 1}, {&limit, 1});
    const auto distance = [&](Index units) {
        double mean = 0;
        for (Index repeat = 0; repeat < 60; ++repeat) {
            const Matrix x = sample(g, units, 21, repeat);
            CtrnnWeights w{.units = units, .inputs = 1, .rank = 1};
            w.m = linalg::column(x, 0);
            w.n = linalg::column(x, 1);
            w.w_in = linalg::column(x, 2);
            double next = 0;
            LowRankDynamics(std::move(w), {}).step({&kappa, 1}, {&v, 1}, {&next, 1});
            mean += std::abs(next - limit) / 60;
        }
        return mean;
    };
    const double few = distance(64), many = distance(1024);
    EXPECT_LT(many, 5 * std::sqrt(2.0 / 1024));
    EXPECT_NEAR(few / many, 4, 4 * 4 * 0.14);
}

}  // namespace
}  // namespace soma::neuro
