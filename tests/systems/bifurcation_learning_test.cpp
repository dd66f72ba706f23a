// The fold of one unit and gradient descent towards a teacher's trajectories.

#include "systems/sequence/bifurcation_learning.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "systems/sequence/fold.h"

namespace soma::systems {
namespace {

const auto never = [] { return false; };

// At the fold x is a fixed point and its multiplier w (1 - x^2) is 1: an identity up to rounding.
TEST(Fold, IsADegenerateFixedPoint) {
    for (const double w : {1.01, 2.0, 5.0}) {
        const double x = fold_state(w), b = fold_bias(w);
        EXPECT_NEAR(std::tanh(w * x + b), x, 1e-15);
        EXPECT_NEAR(w * (1 - x * x), 1, 1e-15 * w);
    }
}

TEST(Fold, TheStateFallsAndItsGradientIsThatOfTheFixedPointAbove) {
    const double b = fold_bias(2) + 0.01;  // multiplier .84: 400 steps leave .84^400 = 1e-30
    const EndState above = end_state(2, b, 400), below = end_state(2, b - 0.02, 400);
    const double s = 1 - above.x * above.x;
    EXPECT_NEAR(above.x, std::tanh(2 * above.x + b), 1e-15);
    EXPECT_NEAR(above.slope, s / (1 - 2 * s), 1e-12);
    EXPECT_LT(below.x, -0.9);
}

TEST(Fold, SlopeOfAPowerIsItsExponent) {
    EXPECT_NEAR(log_log_slope({"", {1, 2, 4, 8}, {3, 24, 192, 1536}}), 3, 1e-14);
}

// x' = tanh(g R x): for small cycles the period is that of the rotation, 12 steps, and the radius
// that of the amplitude equation, r^2 = 4 (g - 1) to first order in g - 1 (averaging tanh y = y -
// y^3 / 3 over a turn gives r -> g r - g^3 r^3 / 4).
TEST(Oscillation, NearItsBirthIsThatOfTheAmplitudeEquation) {
    const double g = 1.02, c = g * std::cos(std::numbers::pi / 6),
                 s = g * std::sin(std::numbers::pi / 6);
    const Oscillation o = oscillation_of({c, s, -s, c, 0, 0});
    EXPECT_NEAR(o.period, 12, 0.02 * 12);
    EXPECT_NEAR(o.amplitude, std::sqrt(4 * (g - 1)), 0.05 * o.amplitude);
}

TEST(Descent, TheTeacherIsAtRestBothWays) {
    const neuro::CtrnnCell cell(1, 0);
    const Vector teacher{2, 0.1};
    const std::vector<Vector> y{trajectory(cell, teacher, {0.3}, 20)};
    for (const bool forced : {false, true}) {
        const Descent d = descend(cell, teacher, y, {.forced = forced}, never);
        EXPECT_EQ(d.loss, 0);
        EXPECT_EQ(d.thetas.size(), 2u);
        EXPECT_EQ(d.thetas.back(), teacher);
    }
}

// One step: both losses are |tanh(w y_0 + b) - y_1|^2 / 2.
TEST(Descent, ForcingChangesNothingInOneStep) {
    const neuro::CtrnnCell cell(2, 0);
    const Vector theta{0.3, -0.2, 0.5, 0.1, 0.2, -0.4};
    const std::vector<Vector> y{{0.5, -0.1, 0.9, 0.4}};
    const Descent free = descend(cell, theta, y, {.updates = 5}, never);
    const Descent forced = descend(cell, theta, y, {.forced = true, .updates = 5}, never);
    EXPECT_EQ(free.thetas, forced.thetas);
}

// By hand, one unit: dL/db = sum_t (F(y_{t-1}) - y_t) F' / T.
TEST(Descent, ForcedGradientsTakeTheTeachersStates) {
    const neuro::CtrnnCell cell(1, 0);
    const Vector y{0.2, 0.7, -0.3};
    const double w = 0.8, b = 0.1;
    double dw = 0, db = 0;
    for (const auto& [before, after] : {std::pair{y[0], y[1]}, std::pair{y[1], y[2]}}) {
        const double f = std::tanh(w * before + b), e = (f - after) * (1 - f * f) / 2;
        dw += e * before;
        db += e;
    }
    const Descent d = descend(cell, {w, b}, {y}, {.forced = true, .rate = 1, .updates = 1}, never);
    EXPECT_NEAR(d.thetas[1][0], w - dw, 1e-15);
    EXPECT_NEAR(d.thetas[1][1], b - db, 1e-15);
    EXPECT_NEAR(d.gradient_norms[0], std::hypot(dw, db), 1e-15);
}

}  // namespace
}  // namespace soma::systems
