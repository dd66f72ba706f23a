// Slow points of maps whose lines are known.

#include "soma/neuro/slow_points.h"

#include <cmath>

#include "neuro/needs_lapack.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

class SlowPointsOf : public NeedsLapack {};

// x' = x + drift, y' = y / 2: the line y = 0.
FunctionDynamics line_with_drift(double drift) {
    return {"line",
            2,
            0,
            {.step =
                 [drift](Values x, Values, MutableValues out) {
                     out[0] = x[0] + drift;
                     out[1] = x[1] / 2;
                 },
             .jacobian = [](Values, Values,
                            MutableValues j) { j[0] = 1, j[1] = 0, j[2] = 0, j[3] = 0.5; }}};
}

// x = -1 ... 1 at two heights.
Matrix states_beside_the_line() {
    Matrix states(0, 2);
    for (int k = 0; k <= 100; ++k) {
        const double x = -1 + 0.02 * k;
        states.values.insert(states.values.end(), {x, 1, x, -2});
        states.rows += 2;
    }
    return states;
}

// After 20 steps y is at most 2 / 2^20, so |F - x| < 1e-6 and nothing needs to descend: every
// place holds a state whose x is the one it began with.
TEST_F(SlowPointsOf, ALineLieOnItAndCoverIt) {
    const FunctionDynamics d = line_with_drift(0);
    const double readout[] = {2, 0};

    const SlowPoints s =
        slow_points(d, {}, states_beside_the_line(), readout, {.slow_q = 1e-8, .places = 5});

    EXPECT_EQ(s.slow, 202);
    EXPECT_EQ(s.lost, 0);
    ASSERT_EQ(s.points.size(), 5u);
    for (int k = 0; k < 5; ++k) {
        const FixedPoint& p = s.points[static_cast<std::size_t>(k)];
        EXPECT_GE(p.x[0], -1 + 0.4 * k - 1e-12);
        EXPECT_LE(p.x[0], -0.6 + 0.4 * k + 1e-12);
        EXPECT_NEAR(p.x[1], 0, 2.0 / (1 << 20));
        EXPECT_EQ(p.label, PointLabel::slow);
        EXPECT_NEAR(p.spectrum->values[0].real(), 1, 1e-12);
        EXPECT_NEAR(p.spectrum->values[1].real(), 0.5, 1e-12);
    }
}

// q = drift^2 / 2 everywhere on the line.
TEST_F(SlowPointsOf, ALineThatDriftsAreThoseOfTheBound) {
    const FunctionDynamics d = line_with_drift(0.02);
    const double readout[] = {1, 0};
    const Matrix states = states_beside_the_line();

    const SlowPoints slow = slow_points(d, {}, states, readout, {.slow_q = 3e-4});
    const SlowPoints none = slow_points(d, {}, states, readout, {.slow_q = 1e-4});

    EXPECT_EQ(slow.points.size(), 20u);
    EXPECT_NEAR(slow.points[0].q, 2e-4, 1e-10);
    EXPECT_TRUE(none.points.empty());
    EXPECT_EQ(none.lost, 202);
}

TEST_F(SlowPointsOf, WrongSizesAreRefused) {
    const FunctionDynamics d = line_with_drift(0);
    const double short_readout[] = {1}, readout[] = {1, 0};
    EXPECT_THROW(slow_points(d, {}, Matrix(3, 2), short_readout), Error);
    EXPECT_THROW(slow_points(d, {}, Matrix(3, 1), readout), Error);
    EXPECT_THROW(slow_points(d, {}, Matrix(3, 2), readout, {.places = 0}), Error);
}

}  // namespace
}  // namespace soma::neuro
