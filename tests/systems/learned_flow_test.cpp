// Nets that are taught a map by samples and run alone.

#include "systems/sequence/learned_flow.h"

#include <gtest/gtest.h>

#include <cmath>

#include "soma/core/error.h"
#include "soma/core/rng.h"

namespace soma::systems {
namespace {

using linalg::Matrix;

const std::function<bool()> kNever = [] { return false; };

// x' = .9 R(.3) x + (.1, -.2), from 200 points of a square.
struct Spiral {
    Matrix now{200, 2}, next{200, 2};

    static std::vector<double> step(const double* x) {
        const double c = 0.9 * std::cos(0.3), s = 0.9 * std::sin(0.3);
        return {c * x[0] - s * x[1] + 0.1, s * x[0] + c * x[1] - 0.2};
    }
    Spiral() {
        RandomSequence random(make_key(1, Purpose::data_generation));
        for (Index i = 0; i < now.rows; ++i) {
            for (Index k = 0; k < 2; ++k) now(i, k) = random.uniform(-3, 3);
            const std::vector<double> y = step(now.row(i));
            next(i, 0) = y[0];
            next(i, 1) = y[1];
        }
    }
};

// A loss of 1e-7 in standardised coordinates (sd 1.7) is an rms error of 8e-4 a step, at worst
// about four times that; the map contracts by .9, so at most ten of them add up: .03.
TEST(LearnedFlow, LearnsAMapAndRunsAlone) {
    const Spiral spiral;
    const LearnedFlow net(spiral.now, spiral.next, 1, {.units = 12, .iterations = 2000}, 1, kNever);
    ASSERT_LT(net.loss(), 1e-7);

    const std::vector<double> start{2, 1};
    const Matrix path = net.run(start, 20);
    std::vector<double> x = start;
    for (Index t = 0; t <= 20; ++t, x = Spiral::step(x.data())) {
        EXPECT_NEAR(path(t, 0), x[0], 0.03) << t;
        EXPECT_NEAR(path(t, 1), x[1], 0.03) << t;
    }
}

// Fed with what it says, the taught net is the net that runs alone.
TEST(LearnedFlow, AloneIsTheTaughtNetFedWithItsOutput) {
    const Spiral spiral;
    const LearnedFlow net(spiral.now, spiral.next, 1, {.units = 8, .iterations = 30}, 1, kNever);

    const Matrix path = net.run({1, 1}, 2);
    std::vector<double> alone(8);
    net.dynamics().step(net.state_of({1, 1}), {}, alone);
    const std::vector<double> fed = net.state_of({path(1, 0), path(1, 1)});
    for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_NEAR(alone[i], fed[i], 1e-12);
}

TEST(LearnedFlow, RefusesSamplesWithoutSuccessors) {
    EXPECT_THROW(LearnedFlow(Matrix(3, 2), Matrix(2, 2), 1, {}, 1, kNever), Error);
}

}  // namespace
}  // namespace soma::systems
