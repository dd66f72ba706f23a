// Systems whose exponents, or their sum, are known.

#include "soma/neuro/lyapunov.h"

#include <gtest/gtest.h>

#include <cmath>

#include "neuro/systems.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using Vector = std::vector<double>;

TEST(Lyapunov, LogisticMapHasLnTwo) {
    const FunctionDynamics d(
        "logistic", 1, 0,
        {.step = [](Values x, Values, MutableValues y) { y[0] = 4 * x[0] * (1 - x[0]); },
         .jacobian = [](Values x, Values, MutableValues j) { j[0] = 4 - 8 * x[0]; }});
    const LyapunovResult r = lyapunov(d, Vector{0.3}, {}, {.steps = 50000});
    // ln |f'(x)| = ln 2 + h(f(x)) - h(x), h = ln(x (1 - x)) / 2: the mean over N steps is off by
    // (h(x_N) - h(x_0)) / N, |h| < 20 for any x that is not within 1e-17 of 0 or 1.
    EXPECT_NEAR(r.exponents[0], std::log(2.0), 40.0 / 50000);
    EXPECT_EQ(r.dimension, 1);
}

TEST(Lyapunov, HenonMapContractsAreasByItsDeterminant) {
    const FunctionDynamics d("henon", 2, 0,
                             {.step =
                                  [](Values x, Values, MutableValues y) {
                                      y[0] = 1 - 1.4 * x[0] * x[0] + x[1];
                                      y[1] = 0.3 * x[0];
                                  },
                              .jacobian =
                                  [](Values x, Values, MutableValues j) {
                                      j[0] = -2.8 * x[0];
                                      j[1] = 1;
                                      j[2] = 0.3;
                                      j[3] = 0;
                                  }});
    const LyapunovResult r = lyapunov(d, Vector{0.1, 0.1}, {}, {.exponents = 2, .steps = 20000});
    // Every |det R| is 0.3 but for a few eps.
    EXPECT_NEAR(r.exponents[0] + r.exponents[1], std::log(0.3), 1e-12);
    EXPECT_NEAR(r.exponents[0], 0.419, 5 * r.standard_error[0] + 0.001);
    EXPECT_LT(r.standard_error[0], 0.01);
    EXPECT_NEAR(r.dimension, 1.258, 0.02);
}

TEST(Lyapunov, LorenzContractsVolumesByItsDivergence) {
    const RungeKutta4Map d("lorenz",
                           {.size = 3,
                            .velocity =
                                [](Values x, Values, MutableValues v) {
                                    v[0] = 10 * (x[1] - x[0]);
                                    v[1] = x[0] * (28 - x[2]) - x[1];
                                    v[2] = x[0] * x[1] - 8.0 / 3 * x[2];
                                },
                            .jacobian =
                                [](Values x, Values, MutableValues j) {
                                    const double rows[] = {-10,   10,   0,    28 - x[2], -1,
                                                           -x[0], x[1], x[0], -8.0 / 3};
                                    std::copy(std::begin(rows), std::end(rows), j.begin());
                                }},
                           {.dt = 0.01, .tau = 1});
    const LyapunovResult r =
        lyapunov(d, Vector{1, 1, 20}, {}, {.exponents = 3, .steps = 40000, .qr_interval = 5});
    const double sum = r.exponents[0] + r.exponents[1] + r.exponents[2];
    // Volumes shrink by det of the Runge-Kutta step: relative error (h |J|)^5 / 120 / h with
    // |J| about 30, 2e-3 at worst; measured 1e-4.
    EXPECT_NEAR(sum, -(10 + 1 + 8.0 / 3), 2e-3);
    EXPECT_NEAR(r.exponents[0], 0.905, 4 * r.standard_error[0] + 0.01);
    EXPECT_NEAR(r.exponents[1], 0, 0.02);  // along the flow: ln of bounded growth over 400
    EXPECT_NEAR(r.dimension, 2.062, 0.01);
}

TEST(Lyapunov, RandomNetworksAreQuietOrChaotic) {
    const CtrnnOptions options{.time = {.dt = 0.1, .tau = 1}};
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        const Vector x = test::normals(256, 1, seed + 50);
        const LyapunovResult quiet = lyapunov(test::random_net(256, 0.8, seed, options), x, {},
                                              {.transient = 100, .steps = 200});
        EXPECT_LT(quiet.exponents[0], 0);
        const LyapunovResult chaos = lyapunov(test::random_net(256, 3, seed, options), x, {},
                                              {.transient = 300, .steps = 1000});
        EXPECT_GT(chaos.exponents[0], 0.10);
        EXPECT_LT(chaos.exponents[0], 0.25);
        EXPECT_TRUE(std::isnan(chaos.dimension));
    }
}

// A linear map: exponents are the logarithms of the moduli of its eigenvalues, per unit of time.
TEST(Lyapunov, LinearMapHasItsEigenvalues) {
    const linalg::Matrix a(2, 2, {0.5, 1, 0, 0.25});
    const LyapunovResult r =
        lyapunov(test::linear_map(a), Vector{1, 1}, {}, {.exponents = 2, .steps = 1000});
    EXPECT_NEAR(r.exponents[0], std::log(0.5), 1e-12);  // Q has turned in the transient
    EXPECT_NEAR(r.exponents[1], std::log(0.25), 1e-12);
    EXPECT_NEAR(r.standard_error[0], 0, 1e-12);
    EXPECT_EQ(r.dimension, 0);
}

TEST(KaplanYorke, InterpolatesBetweenExponents) {
    EXPECT_DOUBLE_EQ(kaplan_yorke({0.5, 0, -1}, 3), 2.5);
    EXPECT_EQ(kaplan_yorke({-1}, 3), 0);
    EXPECT_EQ(kaplan_yorke({1, 1}, 2), 2);
    EXPECT_TRUE(std::isnan(kaplan_yorke({1, 1}, 3)));
}

TEST(Lyapunov, NamesTheStepAtWhichTheStateIsLost) {
    const FunctionDynamics d("square", 1, 0,
                             {.step = [](Values x, Values, MutableValues y) { y[0] = x[0] * x[0]; },
                              .jacobian = [](Values, Values, MutableValues j) { j[0] = 1; }});
    try {
        lyapunov(d, Vector{1e100}, {});
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::non_finite);
        EXPECT_NE(std::string(e.what()).find("step 2"), std::string::npos) << e.what();
    }
}

TEST(Lyapunov, RejectsBadArguments) {
    const FunctionDynamics d = test::linear_map(linalg::identity(2));
    EXPECT_THROW(lyapunov(d, Vector{1}, {}), Error);
    EXPECT_THROW(lyapunov(d, Vector{1, 1}, {}, {.exponents = 3}), Error);
    EXPECT_THROW(lyapunov(d, Vector{1, 1}, {}, {.blocks = 1}), Error);
    EXPECT_THROW(lyapunov(d, Vector{1, 1}, {}, {.steps = 5}), Error);
}

}  // namespace
}  // namespace soma::neuro
