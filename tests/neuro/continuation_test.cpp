// Normal forms: every kind of bifurcation at a known parameter.

#include "soma/neuro/continuation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "neuro/systems.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using Vector = std::vector<double>;

// One state, one parameter, from f(x, p) and its derivatives.
FunctionDynamics scalar(double (*f)(double, double), double (*fx)(double, double),
                        double (*fp)(double, double)) {
    return {
        "scalar",
        1,
        1,
        {.step = [f](Values x, Values u, MutableValues y) { y[0] = f(x[0], u[0]); },
         .jacobian = [fx](Values x, Values u, MutableValues j) { j[0] = fx(x[0], u[0]); },
         .input_jacobian = [fp](Values x, Values u, MutableValues b) { b[0] = fp(x[0], u[0]); }}};
}

// dx/dt = -x + g tanh x with dt = 0.1: pitchfork of x = 0 at g = 1.
FunctionDynamics pitchfork() {
    return scalar([](double x, double g) { return 0.9 * x + 0.1 * g * std::tanh(x); },
                  [](double x, double g) {
                      const double t = std::tanh(x);
                      return 0.9 + 0.1 * g * (1 - t * t);
                  },
                  [](double x, double) { return 0.1 * std::tanh(x); });
}

TEST(Continuation, FindsThePitchfork) {
    const Curve c =
        continue_fixed_point(pitchfork(), Vector{0}, Vector{0.5}, {.low = 0.5, .high = 1.5});
    EXPECT_EQ(c.end, Curve::End::range);
    ASSERT_EQ(c.bifurcations.size(), 1u);
    EXPECT_EQ(c.bifurcations[0].kind, Bifurcation::pitchfork);
    EXPECT_NEAR(c.bifurcations[0].parameter, 1, 1e-9);  // bracketed to 1e-10
    EXPECT_NEAR(c.bifurcations[0].x[0], 0, 1e-9);
    for (const CurvePoint& p : c.points) EXPECT_EQ(p.unstable, p.parameter > 1 ? 1 : 0);
}

// From the outer branch the curve runs through the pitchfork, where its parameter turns, to the
// mirror image.
TEST(Continuation, PassesAPitchforkFromTheSide) {
    const double x = test::cube_root(1.5);
    const Curve c = continue_fixed_point(pitchfork(), Vector{x}, Vector{1.5},
                                         {.low = 0.5, .high = 1.6, .upwards = false});
    ASSERT_EQ(c.bifurcations.size(), 1u);
    EXPECT_EQ(c.bifurcations[0].kind, Bifurcation::pitchfork);
    // x is known to 1e-3 there (the corrector is singular), and g - 1 = x^2 / 3 on this branch.
    EXPECT_NEAR(c.bifurcations[0].parameter, 1, 1e-6);
    EXPECT_LT(c.points.back().x[0], -x);
    for (const CurvePoint& p : c.points) {
        if (std::abs(p.x[0]) < 0.05) continue;
        EXPECT_NEAR(p.parameter, p.x[0] / std::tanh(p.x[0]), 1e-8);  // g of this x, tolerance / 0.1
    }
}

// x' = x + p - x^2 from (1, 1): fold at p = 0, and the unstable half back up to the range.
TEST(Continuation, TurnsAtAFold) {
    const FunctionDynamics d =
        scalar([](double x, double p) { return x + p - x * x; },
               [](double x, double) { return 1 - 2 * x; }, [](double, double) { return 1.0; });
    const Curve c = continue_fixed_point(d, Vector{0.7}, Vector{0.49},
                                         {.low = -1, .high = 0.5, .upwards = false});
    ASSERT_EQ(c.bifurcations.size(), 1u);
    EXPECT_EQ(c.bifurcations[0].kind, Bifurcation::fold);
    EXPECT_NEAR(c.bifurcations[0].parameter, 0, 1e-10);
    EXPECT_NEAR(c.bifurcations[0].x[0], 0, 1e-9);
    EXPECT_TRUE(c.points.front().stable);
    EXPECT_EQ(c.points.back().unstable, 1);
    EXPECT_LT(c.points.back().x[0], -0.6);
}

// Logistic map r x (1 - x): x = 0 meets x = 1 - 1 / r at r = 1; the latter flips at r = 3.
TEST(Continuation, LogisticMapHasATranscriticalPointAndAFlip) {
    const FunctionDynamics d = scalar([](double x, double r) { return r * x * (1 - x); },
                                      [](double x, double r) { return r * (1 - 2 * x); },
                                      [](double x, double) { return x * (1 - x); });
    const Curve zero = continue_fixed_point(d, Vector{0}, Vector{0.5}, {.low = 0.2, .high = 2});
    ASSERT_EQ(zero.bifurcations.size(), 1u);
    EXPECT_EQ(zero.bifurcations[0].kind, Bifurcation::transcritical);
    EXPECT_NEAR(zero.bifurcations[0].parameter, 1, 1e-9);
    EXPECT_NEAR(zero.bifurcations[0].coefficient, -2, 1e-6);  // f'' = -2 r
    const Curve upper = continue_fixed_point(d, Vector{0.5}, Vector{2}, {.low = 1.5, .high = 3.4});
    ASSERT_EQ(upper.bifurcations.size(), 1u);
    EXPECT_EQ(upper.bifurcations[0].kind, Bifurcation::flip);
    EXPECT_NEAR(upper.bifurcations[0].parameter, 3, 1e-9);
    EXPECT_NEAR(upper.bifurcations[0].x[0], 2.0 / 3, 1e-9);
}

// Delayed logistic map (y, x) -> (r y (1 - z), y): the fixed point 1 - 1 / r has eigenvalues with
// lambda^2 - lambda + r - 1 = 0, so |lambda| = 1 at r = 2 with angle pi / 3 (Aronson et al. 1982).
TEST(Continuation, DelayedLogisticMapHasANeimarkSackerPoint) {
    const FunctionDynamics d("delayed logistic", 2, 1,
                             {.step =
                                  [](Values x, Values u, MutableValues y) {
                                      y[0] = u[0] * x[0] * (1 - x[1]);
                                      y[1] = x[0];
                                  },
                              .jacobian =
                                  [](Values x, Values u, MutableValues j) {
                                      j[0] = u[0] * (1 - x[1]);
                                      j[1] = -u[0] * x[0];
                                      j[2] = 1;
                                      j[3] = 0;
                                  },
                              .input_jacobian =
                                  [](Values x, Values, MutableValues b) {
                                      b[0] = x[0] * (1 - x[1]);
                                      b[1] = 0;
                                  }});
    const Curve c =
        continue_fixed_point(d, Vector{0.4, 0.4}, Vector{1.6}, {.low = 1.5, .high = 2.2});
    ASSERT_EQ(c.bifurcations.size(), 1u);
    EXPECT_EQ(c.bifurcations[0].kind, Bifurcation::neimark_sacker);
    EXPECT_NEAR(c.bifurcations[0].parameter, 2, 1e-9);
    EXPECT_NEAR(c.bifurcations[0].coefficient, std::acos(-1) / 3, 1e-8);
    EXPECT_STREQ(name_of(c.bifurcations[0].kind), "Neimark-Sacker");
}

// One unit that excites itself: its fixed points over the input are an S with two folds.
TEST(Continuation, BistableUnitHasTwoFolds) {
    CtrnnWeights w{.units = 1, .inputs = 1};
    w.w_rec = {2};
    w.w_in = {1};
    const CtrnnDynamics d(w, {.time = {.dt = 0.5, .tau = 1}});
    const Curve c = continue_fixed_point(d, Vector{-2.9}, Vector{-1}, {.low = -1, .high = 1});
    ASSERT_EQ(c.bifurcations.size(), 2u);
    // x = 2 tanh x + u folds where 2 (1 - tanh^2 x) = 1: tanh x = -+1 / sqrt 2.
    const double x = std::atanh(std::sqrt(0.5)), u = 2 * std::sqrt(0.5) - x;
    EXPECT_NEAR(c.bifurcations[0].parameter, u, 1e-9);
    EXPECT_NEAR(c.bifurcations[0].x[0], -x, 1e-8);
    EXPECT_NEAR(c.bifurcations[1].parameter, -u, 1e-9);
    EXPECT_EQ(c.end, Curve::End::range);
}

TEST(Continuation, RejectsBadArguments) {
    const FunctionDynamics d = pitchfork();
    EXPECT_THROW(continue_fixed_point(d, Vector{0, 0}, Vector{0.5}), Error);
    EXPECT_THROW(continue_fixed_point(d, Vector{0}, Vector{2}), Error);
    EXPECT_THROW(continue_fixed_point(d, Vector{0}, Vector{0.5}, {.input = 1}), Error);
    EXPECT_THROW(continue_fixed_point(d, Vector{0}, Vector{0.5}, {.step = 1}), Error);
    // x' = x + 1 has no fixed point to start from.
    const FunctionDynamics none =
        scalar([](double x, double) { return x + 1; }, [](double, double) { return 1.0; },
               [](double, double) { return 0.0; });
    EXPECT_THROW(continue_fixed_point(none, Vector{0}, Vector{0.5}), Error);
}

}  // namespace
}  // namespace soma::neuro
