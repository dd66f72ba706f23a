// Certificates against known roots; completeness evidence on the cube.

#include "soma/neuro/certificate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "neuro/systems.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

// The map x + x^2 - 2 with roots +-sqrt 2: G' = 2 x, L = 2.
class SquareRoot : public Dynamics {
public:
    SquareRoot() : Dynamics("sqrt 2", 1, 0, {}) {}
    double jacobian_lipschitz(Values, Values, double) const override { return 2; }

private:
    void do_step(Index batch, const double* x, const double*, double* out) const override {
        for (Index i = 0; i < batch; ++i) out[i] = x[i] + x[i] * x[i] - 2;
    }
    void do_jacobian(const double* x, const double*, double* j) const override {
        j[0] = 1 + 2 * x[0];
    }
    void do_input_jacobian(const double*, const double*, double*) const override {}
};

TEST(Certificate, FollowsKantorovichsFormulas) {
    const Certificate c = certify(SquareRoot(), Vector{1.5}, {});
    EXPECT_TRUE(c.certified);
    EXPECT_NEAR(c.beta, 1.0 / 3, 1e-8);
    EXPECT_NEAR(c.eta, 0.25 / 3, 1e-8);
    EXPECT_NEAR(c.h, 2 * 0.25 / 9, 1e-8);
    // For a quadratic the bounds are attained: the roots are +-sqrt 2.
    EXPECT_NEAR(c.existence_radius, 1.5 - std::sqrt(2.0), 1e-7);
    EXPECT_NEAR(c.uniqueness_radius, 1.5 + std::sqrt(2.0), 1e-7);
    EXPECT_GE(c.existence_radius, 1.5 - std::sqrt(2.0));
    EXPECT_FALSE(certify(SquareRoot(), Vector{0.5}, {}).certified);  // h = 2 * 1.75 / 1 > 1/2
    EXPECT_FALSE(certify(SquareRoot(), Vector{0}, {}).certified);    // singular
}

TEST(Certificate, HoldsForEveryPointOfTheCube) {
    const CtrnnDynamics d = test::cube(2);
    const double root = test::cube_root(2);
    for (int corner = 0; corner < 27; ++corner) {
        Vector exact(48), x(48);
        const int digit[3] = {corner % 3 - 1, corner / 3 % 3 - 1, corner / 9 - 1};
        for (int i = 0; i < 48; ++i) {
            exact[i] = digit[i / 16] * root;
            x[i] = exact[i] + (i % 2 ? 1e-4 : -1e-4);
        }
        const Certificate c = certify(d, x, {});
        EXPECT_TRUE(c.certified);
        EXPECT_GE(c.existence_radius, 1e-4);
        EXPECT_LE(c.existence_radius, 1e-3);
        // L = |W| max|f''| = 2 * 0.77 and beta <= 3: no other root within 1 / (beta L) > 0.2, and
        // none is nearer than root = 1.9.
        EXPECT_GT(c.uniqueness_radius, 0.2);
        EXPECT_LT(c.uniqueness_radius, root);
    }
}

// Two rectified units: the certificate is local, and there is none across the kink.
TEST(Certificate, StopsAtAKink) {
    CtrnnWeights w{.units = 2};
    w.w_rec = {0.5, 0, 0, 0.5};
    w.bias = {1, -1};
    const CtrnnDynamics d(w, {.f = Nonlinearity::relu});
    const Certificate inside = certify(d, Vector{2.001, -1.001}, {});  // root (2, -1)
    EXPECT_TRUE(inside.certified);
    EXPECT_GE(inside.existence_radius, 1e-3);
    EXPECT_NEAR(inside.uniqueness_radius, 2 * inside.eta, 1e-15);
    EXPECT_FALSE(certify(d, Vector{2, 0.5}, {}).certified);
}

TEST(Certificate, IsRefusedWithoutABound) {
    const FunctionDynamics d = test::linear_map(Matrix(1, 1, {0.5}));
    EXPECT_FALSE(certify(d, Vector{0}, {}).certified);
}

FixedPointReport cube_points() {
    FixedPointReport report;
    const double root = test::cube_root(2);
    for (int corner = 0; corner < 27; ++corner) {
        FixedPoint p;
        const int digit[3] = {corner % 3 - 1, corner / 3 % 3 - 1, corner / 9 - 1};
        for (int i = 0; i < 48; ++i) p.x.push_back(digit[i / 16] * root);
        p.found_by = {corner < 20 ? 0 : 2, corner < 10 ? 2 : 1};
        report.points.push_back(p);
    }
    return report;
}

TEST(IndexSum, IsOneForTheWholeCubeAndProvesMissingPoints) {
    const CtrnnDynamics d = test::cube(2);
    FixedPointReport report = cube_points();
    IndexSum all = index_sum(d, {}, report);
    EXPECT_EQ(all.sum, 8 - 12 + 6 - 1);
    EXPECT_TRUE(all.applicable);
    EXPECT_FALSE(all.proves_missing);
    report.points.pop_back();  // a stable corner
    EXPECT_EQ(index_sum(d, {}, report).sum, 0);
    EXPECT_TRUE(index_sum(d, {}, report).proves_missing);
}

// At g = 1 the origin is degenerate: nothing can be said.
TEST(IndexSum, SaysNothingAboutDegeneratePoints) {
    FixedPointReport report;
    report.points.push_back({.x = Vector(48, 0.0), .found_by = {}, .spectrum = {}});
    const IndexSum sum = index_sum(test::cube(1), {}, report);
    EXPECT_EQ(sum.degenerate, 1);
    EXPECT_FALSE(sum.applicable);
    EXPECT_FALSE(sum.proves_missing);
    const FunctionDynamics linear = test::linear_map(Matrix(1, 1, {2.0}));
    report.points[0].x = {0};
    EXPECT_EQ(index_sum(linear, {}, report).sum, -1);  // 1 - J = -1, but not dissipative
    EXPECT_FALSE(index_sum(linear, {}, report).proves_missing);
}

TEST(CaptureRecapture, FollowsChapman) {
    const PopulationEstimate e = capture_recapture(20, 24, 15);
    EXPECT_DOUBLE_EQ(e.total, 21.0 * 25 / 16 - 1);
    EXPECT_DOUBLE_EQ(e.variance, 21.0 * 25 * 5 * 9 / (16.0 * 16 * 17));
    EXPECT_DOUBLE_EQ(capture_recapture(9, 9, 9).total, 9);
    EXPECT_THROW(capture_recapture(3, 4, 5), Error);
    // cube_points: even seeds found all 27, odd ones those from 10 on.
    const PopulationEstimate split = capture_recapture(cube_points());
    EXPECT_EQ(split.first, 27);
    EXPECT_EQ(split.second, 17);
    EXPECT_EQ(split.common, 17);
}

}  // namespace
}  // namespace soma::neuro
