// Cycles with known periods and multipliers.

#include "soma/neuro/cycles.h"

#include <gtest/gtest.h>

#include <cmath>

#include "neuro/systems.h"
#include "soma/core/error.h"
#include "soma/neuro/ctrnn_dynamics.h"

namespace soma::neuro {
namespace {

using Vector = std::vector<double>;

constexpr double kOmega = 3;
const double kPi = std::acos(-1);

// Hopf normal form: v = sign ((mu - r^2) x) + omega (-y, x); mu = u[0]. sign = -1: unstable cycle.
VectorField hopf(double sign = 1) {
    return {.size = 2,
            .inputs = 1,
            .velocity =
                [sign](Values x, Values u, MutableValues v) {
                    const double g = sign * (u[0] - x[0] * x[0] - x[1] * x[1]);
                    v[0] = g * x[0] - kOmega * x[1];
                    v[1] = g * x[1] + kOmega * x[0];
                },
            .jacobian =
                [sign](Values x, Values u, MutableValues j) {
                    const double g = sign * (u[0] - x[0] * x[0] - x[1] * x[1]);
                    j[0] = g - sign * 2 * x[0] * x[0];
                    j[1] = -sign * 2 * x[0] * x[1] - kOmega;
                    j[2] = -sign * 2 * x[0] * x[1] + kOmega;
                    j[3] = g - sign * 2 * x[1] * x[1];
                }};
}

TEST(Cycle, HopfNormalFormHasItsAmplitudePeriodAndMultiplier) {
    const double mu = 0.25, period = 2 * kPi / kOmega;
    for (const double sign : {1.0, -1.0}) {
        const Cycle c = find_cycle(hopf(sign), Vector{0.6, 0.1}, Vector{mu}, 2);
        ASSERT_TRUE(c.converged);
        // h omega = 2 pi / 2000: Runge-Kutta's phase error is (h omega)^4 / 120 = 8e-13 of T.
        EXPECT_NEAR(c.period, period, 1e-11);
        EXPECT_NEAR(std::hypot(c.x[0], c.x[1]), std::sqrt(mu), 1e-11);
        ASSERT_EQ(c.multipliers.size(), 1u);
        EXPECT_NEAR(c.multipliers[0].real(), std::exp(-sign * 2 * mu * period), 1e-10);
        EXPECT_LT(c.trivial_error, 1e-10);
        EXPECT_EQ(c.stable, sign > 0);
        EXPECT_EQ(c.orbit.rows, 2000);
        EXPECT_NEAR(c.orbit(1000, 0), -c.x[0], 1e-10);  // half a turn
    }
}

TEST(Cycle, VanDerPolHasItsPeriod) {
    const VectorField field{.size = 2,
                            .velocity =
                                [](Values x, Values, MutableValues v) {
                                    v[0] = x[1];
                                    v[1] = (1 - x[0] * x[0]) * x[1] - x[0];
                                },
                            .jacobian =
                                [](Values x, Values, MutableValues j) {
                                    j[0] = 0;
                                    j[1] = 1;
                                    j[2] = -2 * x[0] * x[1] - 1;
                                    j[3] = 1 - x[0] * x[0];
                                }};
    const CycleGuess guess = guess_cycle(field, Vector{0.1, 0}, {}, 0.05, 50, 20);
    EXPECT_NEAR(guess.period, 6.66, 0.1);
    const Cycle c = find_cycle(field, guess.x, {}, guess.period, {.steps = 4000});
    ASSERT_TRUE(c.converged);
    // The period is printed to 1e-9; h^4 = 8e-12.
    EXPECT_NEAR(c.period, 6.663286859, 1e-9);
    EXPECT_TRUE(c.stable);
    // Liouville: the product of the multipliers is exp of the integral of the divergence 1 - x^2.
    double divergence = 0;
    for (Index i = 0; i < 4000; ++i) divergence += 1 - c.orbit(i, 0) * c.orbit(i, 0);
    EXPECT_NEAR(c.multipliers[0].real(), std::exp(divergence * c.period / 4000), 1e-9);
}

// Two units with W = g [[c, -s], [s, c]]: a cycle for g c > 1, in both conventions of time step.
TEST(Cycle, NetworkCycleDoesNotDependOnDt) {
    double period[2];
    for (int i = 0; i < 2; ++i) {
        CtrnnWeights w{.units = 2};
        w.w_rec = {1.5, 1, -1, 1.5};
        const CtrnnDynamics d(w, {.time = {.dt = i == 0 ? 0.1 : 0.01, .tau = 1}});
        const VectorField field = flow_of(d);
        const CycleGuess guess = guess_cycle(field, Vector{0.1, 0.2}, {}, 0.02, 60, 60);
        ASSERT_GT(guess.period, 0);
        const Cycle c = find_cycle(field, guess.x, {}, guess.period);
        ASSERT_TRUE(c.converged);
        EXPECT_TRUE(c.stable);
        period[i] = c.period;
    }
    EXPECT_NEAR(period[0], period[1], 1e-9);
}

TEST(Cycle, FixedPointsAreNotCycles) {
    const Cycle c = find_cycle(hopf(), Vector{0, 0}, Vector{-1}, 2);
    EXPECT_FALSE(c.converged);
    EXPECT_EQ(guess_cycle(hopf(), Vector{1, 0}, Vector{-1}, 0.01, 200, 10).period, 0);
}

TEST(Cycle, RejectsBadArguments) {
    EXPECT_THROW(find_cycle(hopf(), Vector{1}, Vector{1}, 2), Error);
    EXPECT_THROW(find_cycle(hopf(), Vector{1, 0}, {}, 2), Error);
    EXPECT_THROW(find_cycle(hopf(), Vector{1, 0}, Vector{1}, 0), Error);
    EXPECT_THROW(guess_cycle(hopf(), Vector{1, 0}, Vector{1}, 0, 1, 1), Error);
}

}  // namespace
}  // namespace soma::neuro
