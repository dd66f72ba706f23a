// Planted slow modes.

#include "soma/neuro/selection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "neuro/systems.h"
#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

constexpr Index kUnits = 8, kInputs = 2;

// J = sum_i lambda_i r_i l_i^T with lambda_1 = 1; column i of `right` is r_i, row i of `left`
// l_i^T.
struct Planted {
    Matrix right, left, j, b;
};

Planted planted() {
    Planted p{Matrix(kUnits, kUnits, test::normals(kUnits * kUnits, 0.3, 1)), {}, {}, {}};
    for (Index i = 0; i < kUnits; ++i) p.right(i, i) += 1;
    for (Index k = 0; k < kUnits; ++k) {
        double norm = 0;
        for (Index i = 0; i < kUnits; ++i) norm += p.right(i, k) * p.right(i, k);
        for (Index i = 0; i < kUnits; ++i) p.right(i, k) /= std::sqrt(norm);
    }
    p.left = linalg::inverse(p.right);
    Matrix scaled = p.left;
    for (Index i = 0; i < kUnits; ++i) {
        const double lambda = i == 0 ? 1 : 0.8 - 0.1 * static_cast<double>(i);
        for (Index k = 0; k < kUnits; ++k) scaled(i, k) *= lambda;
    }
    p.j = linalg::product(p.right, scaled);
    p.b = Matrix(kUnits, kInputs, test::normals(kUnits * kInputs, 1, 2));
    return p;
}

// x' = J x + B u.
FunctionDynamics driven(const Planted& p) {
    return {"planted line",
            kUnits,
            kInputs,
            {.step =
                 [p](Values x, Values u, MutableValues y) {
                     for (Index i = 0; i < kUnits; ++i) {
                         double sum = 0;
                         for (Index k = 0; k < kUnits; ++k) sum += p.j(i, k) * x[k];
                         for (Index k = 0; k < kInputs; ++k) sum += p.b(i, k) * u[k];
                         y[i] = sum;
                     }
                 },
             .jacobian =
                 [p](Values, Values, MutableValues j) {
                     std::copy(p.j.values.begin(), p.j.values.end(), j.begin());
                 },
             .input_jacobian =
                 [p](Values, Values, MutableValues b) {
                     std::copy(p.b.values.begin(), p.b.values.end(), b.begin());
                 }},
            {.dt = 0.1, .tau = 1}};
}

TEST(LineAttractor, RecoversThePlantedSelectionVector) {
    const Planted p = planted();
    const FunctionDynamics d = driven(p);
    const Vector readout = linalg::column(p.right, 0);
    std::vector<FixedPoint> points(3);
    const double at[] = {0.5, -1, 2};  // along r_1
    for (std::size_t k = 0; k < 3; ++k) {
        for (const double r : readout) points[k].x.push_back(at[k] * r);
    }
    const LineAttractor line = line_attractor(d, Vector(kInputs), points, readout);
    ASSERT_EQ(line.points.size(), 3u);
    EXPECT_EQ(line.points[0].point, 1);
    EXPECT_EQ(line.points[2].point, 2);
    EXPECT_NEAR(line.length, 3, 1e-14);  // |r_1| = 1
    EXPECT_NEAR(line.points[1].arc, 1.5, 1e-14);
    EXPECT_EQ(line.dimension, 1);
    EXPECT_NEAR(line.variance_share[0], 1, 1e-14);
    for (const LinePoint& point : line.points) {
        EXPECT_EQ(point.slow_modes, 1);
        EXPECT_FALSE(point.mode.oscillating);
        EXPECT_NEAR(point.mode.eigenvalue.real(), 1, 1e-12);
        for (Index i = 0; i < kUnits; ++i) {
            EXPECT_NEAR(point.mode.selection[i], p.left(0, i), 1e-8);
            EXPECT_NEAR(point.mode.direction[i], p.right(i, 0), 1e-8);
        }
        // eps |x| / dt, times the condition of the mode.
        EXPECT_NEAR(point.drift_along, 0, 1e-12);
        EXPECT_NEAR(point.drift_across, 0, 1e-12);
        for (Index k = 0; k < kInputs; ++k) {
            double gain = 0;
            for (Index i = 0; i < kUnits; ++i) gain += p.left(0, i) * p.b(i, k);
            EXPECT_NEAR(point.input_gain[k], gain, 1e-8);
            EXPECT_NEAR(point.predicted[k], gain, 1e-8);  // 1^100
            // Linear: exact but for rounding over the pulse, 100 eps / 0.01.
            EXPECT_NEAR(point.simulated[k], gain, 1e-8);
        }
    }
}

// Only the component along l_1 is integrated: a push along another r_i leaves nothing.
TEST(LineAttractor, DriftIsSplitAlongAndAcross) {
    const Planted p = planted();
    const FunctionDynamics d = driven(p);
    std::vector<FixedPoint> points(2);
    points[0].x.assign(kUnits, 0);
    points[1].x = linalg::column(p.right, 1);  // lambda_2 = 0.7: drifts with -0.3 r_2 a step
    const LineAttractor line =
        line_attractor(d, Vector(kInputs), points, linalg::column(p.right, 0));
    for (const LinePoint& point : line.points) {
        EXPECT_NEAR(point.drift_along, 0, 1e-12);
        EXPECT_NEAR(point.drift_across, point.point == 1 ? 0.3 / 0.1 : 0, 1e-12);
    }
}

TEST(LineAttractor, PointsOnACircleAreTwoDimensional) {
    const FunctionDynamics d = test::linear_map(linalg::identity(3));
    std::vector<FixedPoint> points(16);
    for (std::size_t k = 0; k < 16; ++k) {
        const double angle = static_cast<double>(k) * std::acos(-1) / 8;
        points[k].x = {std::cos(angle), std::sin(angle), 0};
    }
    const LineAttractor line = line_attractor(d, {}, points, Vector{1, 0, 0});
    EXPECT_EQ(line.dimension, 2);
    EXPECT_NEAR(line.variance_share[0], 0.5, 1e-12);
    EXPECT_EQ(line.points[0].slow_modes, 3);
}

// A rotation by 90 degrees has no real slow mode.
TEST(SlowMode, SaysWhenItOscillates) {
    const FunctionDynamics d = test::linear_map(Matrix(2, 2, {0, -1, 1, 0}));
    EXPECT_TRUE(slow_mode(linearise(d, Vector{0, 0}, {})).oscillating);
}

TEST(LineAttractor, RejectsWrongSizes) {
    const FunctionDynamics d = test::linear_map(linalg::identity(2));
    std::vector<FixedPoint> points(2);
    for (FixedPoint& p : points) p.x = {1, 2};
    EXPECT_THROW(line_attractor(d, {}, points, Vector{1}), Error);
    EXPECT_THROW(line_attractor(d, {}, {points[0]}, Vector{1, 0}), Error);
    EXPECT_THROW(line_attractor(d, {}, points, Vector{1, 0}, {.pulse = 0}), Error);
    points[1].x = {1};
    EXPECT_THROW(line_attractor(d, {}, points, Vector{1, 0}), Error);
}

}  // namespace
}  // namespace soma::neuro
