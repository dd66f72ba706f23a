// Planes, nullclines and separatrices of systems with known curves.

#include "soma/neuro/flow_field.h"

#include <gtest/gtest.h>

#include <cmath>

#include "neuro/systems.h"
#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

// van der Pol: v = (y, mu (1 - x^2) y - x), in the first two of three units; the third decays.
VectorField van_der_pol_and_decay() {
    return {.size = 3,
            .velocity =
                [](Values x, Values, MutableValues v) {
                    v[0] = x[1];
                    v[1] = (1 - x[0] * x[0]) * x[1] - x[0];
                    v[2] = -x[2];
                },
            .jacobian =
                [](Values x, Values, MutableValues j) {
                    std::fill(j.begin(), j.end(), 0.0);
                    j[1] = 1;
                    j[3] = -2 * x[0] * x[1] - 1;
                    j[4] = 1 - x[0] * x[0];
                    j[8] = -1;
                }};
}

// One Euler step of a field: velocities (F - x) / dt are the field's.
FunctionDynamics euler(VectorField f, double dt) {
    return {"euler",
            f.size,
            0,
            {.step =
                 [f, dt](Values x, Values u, MutableValues y) {
                     f.velocity(x, u, y);
                     for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] + dt * y[i];
                 },
             .jacobian =
                 [f, dt](Values x, Values u, MutableValues j) {
                     f.jacobian(x, u, j);
                     for (double& v : j) v *= dt;
                     for (Index i = 0; i < f.size; ++i) j[i * f.size + i] += 1;
                 }},
            {.dt = dt, .tau = 1}};
}

TEST(FlowField, IsTheVelocityInThePlanesCoordinates) {
    const FunctionDynamics d = euler(van_der_pol_and_decay(), 0.125);
    // Skewed axes with a component along unit 2 that the flow leaves.
    const Plane plane{{0, 0, 0.5}, {2, 0, 0}, {1, 1, 0}};
    const FlowField f =
        flow_field(d, {}, plane, {.low = {-1, -2}, .high = {1, 2}, .points = {3, 5}});
    ASSERT_EQ(f.a_velocity.rows, 5);
    ASSERT_EQ(f.a_velocity.cols, 3);
    for (Index i = 0; i < 5; ++i) {
        for (Index j = 0; j < 3; ++j) {
            const double a = -1 + static_cast<double>(j), b = -2 + static_cast<double>(i);
            const double x = 2 * a + b, y = b;
            const double vx = y, vy = (1 - x * x) * y - x, vz = -0.5;
            EXPECT_NEAR(f.b_velocity(i, j), vy, 1e-13);
            EXPECT_NEAR(f.a_velocity(i, j), (vx - vy) / 2, 1e-13);
            const double speed = std::sqrt(vx * vx + vy * vy + vz * vz);
            EXPECT_NEAR(f.speed(i, j), speed, 1e-13);
            EXPECT_NEAR(f.off_plane(i, j), 0.5 / speed, 1e-13);
        }
    }
}

TEST(FlowField, NullclinesOfVanDerPol) {
    const FunctionDynamics d = euler(van_der_pol_and_decay(), 0.125);
    const Plane plane{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}};
    const FlowField f =
        flow_field(d, {}, plane, {.low = {-0.8, -3}, .high = {0.8, 3}, .points = {81, 301}});
    const std::vector<Segment> flat = zero_contour(f, f.a_velocity);  // y = 0
    ASSERT_FALSE(flat.empty());
    for (const Segment& s : flat) EXPECT_NEAR(s.from[1], 0, 1e-12);
    const std::vector<Segment> curve = zero_contour(f, f.b_velocity);  // y = x / (1 - x^2)
    ASSERT_GE(curve.size(), 80u);
    for (const Segment& s : curve) {
        for (const auto& [x, y] : {s.from, s.to}) {
            // Linear interpolation over h = 0.02 errs by h^2 / 8 max|f''| / |slope across|: along x
            // f'' = 2 y <= 4.5, slope >= 1; times the curve's steepness 1 / f_y <= 1 / 0.36.
            EXPECT_NEAR(y, x / (1 - x * x), 0.02 * 0.02 / 8 * 4.5 / 0.36);
        }
    }
}

// x y = 0 through the middle of a cell: two segments, whatever the diagonal.
TEST(ZeroContour, JoinsFourCutsByTheMean) {
    const FlowField f{{0, 1}, {0, 1}, {}, {}, {}, {}};
    const auto joined = zero_contour(f, Matrix(2, 2, {3, -1, -1, 3}));  // mean > 0: 0 and 3 joined
    ASSERT_EQ(joined.size(), 2u);
    // Each segment cuts off one of the negative corners (1, 0) and (0, 1).
    for (const Segment& s : joined) {
        const double to_corner = std::min(s.from[0] + 1 - s.from[1], s.from[1] + 1 - s.from[0]);
        EXPECT_LT(to_corner, 0.5);
        EXPECT_NEAR(std::abs(s.from[0] - s.to[0]), 0.25, 1e-15);
    }
    const auto parted = zero_contour(f, Matrix(2, 2, {1, -3, -3, 1}));
    ASSERT_EQ(parted.size(), 2u);
    for (const Segment& s : parted) EXPECT_NEAR(std::abs(s.from[0] - s.to[0]), 0.25, 1e-15);
    EXPECT_THROW(zero_contour(f, Matrix(3, 2)), Error);
}

TEST(PrincipalPlane, SpansPlantedAxes) {
    Matrix states(200, 5);
    const Vector z = test::normals(400, 1, 1);
    for (Index i = 0; i < 200; ++i) {
        states(i, 1) = 3 * z[2 * i] + 1;
        states(i, 3) = z[2 * i + 1];
    }
    const Plane plane = principal_plane(states);
    EXPECT_NEAR(plane.e1[0], 0, 1e-12);
    EXPECT_NEAR(plane.e1[1] * plane.e1[1] + plane.e1[3] * plane.e1[3], 1, 1e-12);
    EXPECT_GT(plane.e1[1], 0.95);  // sd 3 against 1; correlation below 0.2
    const Matrix at = project(plane, states);
    for (Index i = 0; i < 200; ++i) {
        const double b = plane.origin[1] + at(i, 0) * plane.e1[1] + at(i, 1) * plane.e2[1];
        EXPECT_NEAR(b, states(i, 1), 1e-12);
    }
}

// x' = y, y' = x - x^3: the stable manifold of the saddle at 0 is the homoclinic loop, on which
// H = y^2 / 2 - x^2 / 2 + x^4 / 4 = 0. Runge-Kutta keeps H to O(h^4) over the loop.
TEST(Separatrix, IsTheHomoclinicLoopOfDuffing) {
    const RungeKutta4Map d("duffing",
                           {.size = 2,
                            .velocity =
                                [](Values x, Values, MutableValues v) {
                                    v[0] = x[1];
                                    v[1] = x[0] - x[0] * x[0] * x[0];
                                },
                            .jacobian =
                                [](Values x, Values, MutableValues j) {
                                    j[0] = j[3] = 0;
                                    j[1] = 1;
                                    j[2] = 1 - 3 * x[0] * x[0];
                                }},
                           {.dt = 0.02, .tau = 1});
    const Vector saddle = {0, 0};
    const Spectrum spectrum = linearise(d, saddle, {});
    const auto branches = separatrix(d, {}, saddle, spectrum, 1, {.max_steps = 600});
    for (const Matrix& branch : branches) {
        ASSERT_EQ(branch.rows, 600);
        double farthest = 0;
        for (Index i = 0; i < 600; ++i) {
            const double x = branch(i, 0), y = branch(i, 1);
            EXPECT_NEAR(y * y / 2 - x * x / 2 + x * x * x * x / 4, 0, 1e-7);
            farthest = std::max(farthest, std::abs(x));
        }
        EXPECT_NEAR(farthest, std::sqrt(2.0), 1e-3);  // the loop's turning point, dt^2 / 2 off
    }
    EXPECT_LT(branches[0](300, 0) * branches[1](300, 0), 0);      // one to each side
    EXPECT_THROW(separatrix(d, {}, saddle, spectrum, 0), Error);  // the unstable mode
}

TEST(InverseStep, InvertsTheMapOrSaysNo) {
    const CtrnnDynamics d = test::random_net(6, 0.8, 3, {.time = {.dt = 0.1, .tau = 1}});
    const Vector y = test::normals(6, 1, 4);
    Vector x(6);
    d.step(y, {}, x);
    const auto found = inverse_step(d, x, {}, x);
    ASSERT_TRUE(found.has_value());
    // |J^-1| is about 1 / 0.8, the residual at most 1e-12 times |x|.
    for (Index i = 0; i < 6; ++i) EXPECT_NEAR((*found)[i], y[i], 1e-11);
    EXPECT_FALSE(inverse_step(test::linear_map(Matrix(1, 1, {0.0})), Vector{1}, {}, Vector{1}));
}

TEST(FlowField, RejectsWrongSizes) {
    const FunctionDynamics d = test::linear_map(linalg::identity(2));
    EXPECT_THROW(flow_field(d, {}, {{0, 0}, {1, 0}, {2, 0}}), Error);
    EXPECT_THROW(flow_field(d, {}, {{0, 0}, {1, 0}, {0}}), Error);
    EXPECT_THROW(flow_field(d, {}, {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}}), Error);
    EXPECT_THROW(flow_field(d, {}, {{0, 0}, {1, 0}, {0, 1}}, {.points = {1, 5}}), Error);
    EXPECT_THROW(principal_plane(Matrix(1, 3)), Error);
}

// (3, 4, 0) / 5, and of (1, 0, 2) what is left without its share of 3/5 along it.
TEST(Plane, AxesBecomeOrthonormal) {
    const Plane p = orthonormal_plane({1, 2, 3}, {3, 4, 0}, {1, 0, 2});
    const double across[] = {1 - 0.36, -0.48, 2};
    const double norm = std::hypot(across[0], across[1], across[2]);
    EXPECT_EQ(p.origin, (Vector{1, 2, 3}));
    const double along[] = {0.6, 0.8, 0};
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(p.e1[i], along[i], 1e-15);
        EXPECT_NEAR(p.e2[i], across[i] / norm, 1e-15);
    }
    EXPECT_THROW(orthonormal_plane({0, 0}, {1, 2}, {2, 4}), Error);
    EXPECT_THROW(orthonormal_plane({0, 0}, {1, 2}, {2, 4, 1}), Error);
}

}  // namespace
}  // namespace soma::neuro
