// The finder against systems whose fixed points are known.

#include "soma/neuro/fixed_points.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "neuro/systems.h"
#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

// Seeds of neuro.md 6.2: per block a mean U(-1.5, 1.5) x*, plus noise of sd 0.5 per unit.
Matrix block_seeds(Index count, double root, std::uint64_t seed) {
    Matrix seeds(count, 48);
    const PhiloxKey key = make_key(seed, Purpose::analysis_seeds);
    for (Index k = 0; k < count; ++k) {
        const auto trial = static_cast<std::uint32_t>(k);
        double mean[3];
        kernels::random_uniform<double>(key, {.step = 0, .trial = trial}, 3, -1.5 * root,
                                        1.5 * root, mean);
        kernels::random_normal<double>(key, {.step = 1, .trial = trial}, 48, 0, 0.5, seeds.row(k));
        for (Index i = 0; i < 48; ++i) seeds(k, i) += mean[i / 16];
    }
    return seeds;
}

TEST(FixedPoints, CubeHas27WithTheRightIndices) {
    const double root = test::cube_root(2);
    const FixedPointReport r = find_fixed_points(test::cube(2), {}, block_seeds(1024, root, 1));
    ASSERT_EQ(r.points.size(), 27u);
    EXPECT_EQ(r.index_histogram(), (std::vector<Index>{8, 12, 6, 1}));
    EXPECT_EQ(r.with_unstable(1), 12);
    EXPECT_EQ(r.with_unstable(4), 0);
    EXPECT_EQ(r.lost, 0);
    for (const FixedPoint& p : r.points) {
        EXPECT_EQ(p.label, PointLabel::fixed);
        for (Index i = 0; i < 48; ++i) {
            // Each unit is its block's root 0 or +-x*. q < 1e-24 and |(J - 1)^-1| < 2 (the slowest
            // mode of |J - 1| is 1 - g (1 - x*^2 / g^2) = 0.47) give 2 sqrt(2e-24) = 3e-12.
            const double x = std::abs(p.x[i]), expected = x < root / 2 ? 0 : root;
            EXPECT_NEAR(x, expected, 3e-12);
            EXPECT_NEAR(p.x[i], p.x[i / 16 * 16], 6e-12);
        }
    }
}

// The same cube in continuous time: alpha changes no point, and speeds are in units of 1 / tau.
TEST(FixedPoints, AlphaChangesNoPoint) {
    const double root = test::cube_root(2);
    const FixedPointReport r = find_fixed_points(test::cube(2, 0.1), {}, block_seeds(256, root, 1),
                                                 {.descent_tolerance = 1e-8});
    EXPECT_EQ(r.index_histogram(), (std::vector<Index>{8, 12, 6, 1}));
}

// Pitfall of neuro.md 6.2: unit Gaussians have block means of sd 1/4 only, far inside the basins of
// the outer roots at g = 3, so most of the 27 points are missed; the block seeds find them.
TEST(FixedPoints, IsotropicSeedsMissPoints) {
    Matrix narrow(1024, 48, test::normals(1024 * 48, 1, 3));
    const FixedPointReport r = find_fixed_points(test::cube(3), {}, narrow, {.spectra = false});
    EXPECT_LT(r.points.size(), 27u);
    const FixedPointReport wide = find_fixed_points(
        test::cube(3), {}, block_seeds(1024, test::cube_root(3), 3), {.spectra = false});
    EXPECT_EQ(wide.points.size(), 27u);
}

// Seeds made from trajectories alone: boxes in their three components reach all roots.
TEST(FixedPoints, SeedsFromTrajectoriesFindTheCube) {
    const CtrnnDynamics d = test::cube(2, 0.2);
    const double root = test::cube_root(2);
    Matrix states(0, 48);
    for (int trial = 0; trial < 8; ++trial) {
        Vector x(48), next(48);
        for (int i = 0; i < 48; ++i) x[i] = (trial >> (i / 16) & 1 ? 0.1 : -0.1) * (1 + i % 16);
        for (int t = 0; t < 30; ++t) {
            d.step(x, {}, next);
            x = next;
            states.values.insert(states.values.end(), x.begin(), x.end());
            ++states.rows;
        }
    }
    const Matrix seeds = make_seeds(states, {.count = 1024, .seed = 7});
    const FixedPointReport r = find_fixed_points(d, {}, seeds);
    EXPECT_EQ(r.points.size(), 27u);
    const std::vector<double> distance = distance_to_states(r.points, states);
    // Corners of the cube are where trajectories end: x_t approaches with rate 1 - 0.2 * 0.47.
    for (std::size_t i = 0; i < distance.size(); ++i) {
        if (!r.points[i].spectrum->stable) continue;
        EXPECT_LT(distance[i], 0.1);
    }
    EXPECT_NEAR(root, 1.9150080481545, 1e-12);
}

// Roots of kappa = (1/N) sum n_i tanh(m_i kappa + I_i u) by scalar search.
Vector scalar_roots(const CtrnnWeights& w, double u) {
    const auto f = [&](double kappa) {
        double sum = 0;
        for (Index i = 0; i < w.units; ++i) {
            sum += w.n[i] * std::tanh(w.m[i] * kappa + w.w_in[i] * u);
        }
        return sum / static_cast<double>(w.units) - kappa;
    };
    Vector roots;
    for (int cell = -5000; cell < 5000; ++cell) {
        double a = cell * 1e-3 + 1e-4, b = a + 1e-3;
        if (f(a) * f(b) > 0) continue;
        for (int i = 0; i < 60; ++i) (f(a) * f((a + b) / 2) <= 0 ? b : a) = (a + b) / 2;
        roots.push_back(a);
    }
    return roots;
}

TEST(FixedPoints, RankOneNetHasTheRootsOfTheScalarEquation) {
    const Index units = 64;
    CtrnnWeights w{.units = units, .inputs = 1, .rank = 1};
    w.m = test::normals(units, 1, 1);
    w.n = test::normals(units, 1, 2);
    for (Index i = 0; i < units; ++i) w.n[i] += 2.5 * w.m[i];
    w.w_in = test::normals(units, 1, 3);
    const CtrnnDynamics full(w, {});
    const LowRankDynamics reduced(w, {});
    const Vector u = {0.1};
    const Vector roots = scalar_roots(w, 0.1);
    ASSERT_EQ(roots.size(), 3u);
    Matrix seeds(64, units);
    for (Index k = 0; k < 64; ++k) {
        const Vector x = reduced.lift(Vector{(static_cast<double>(k) - 31.5) / 8}, u);
        std::copy(x.begin(), x.end(), seeds.row(k));
    }
    const FixedPointReport r = find_fixed_points(full, u, seeds);
    ASSERT_EQ(r.points.size(), 3u);
    for (const FixedPoint& p : r.points) {
        double kappa = 0, eigenvalue = 0;
        for (Index i = 0; i < units; ++i) {
            const double t = std::tanh(p.x[i]);
            kappa += w.n[i] * t / static_cast<double>(units);
            eigenvalue += w.n[i] * w.m[i] * (1 - t * t) / static_cast<double>(units);
        }
        double nearest = 1;
        for (const double root : roots) nearest = std::min(nearest, std::abs(root - kappa));
        EXPECT_LT(nearest, 1e-11);
        // The other eigenvalues are 0 of a matrix of norm near 3: eig errs by n eps |J| / gap.
        EXPECT_NEAR(p.spectrum->values[0].real(), eigenvalue, 1e-12);
        EXPECT_LT(std::abs(p.spectrum->values[1]), 1e-6);  // defective zeros: sqrt of eps
    }
    const FixedPointReport in_kappa =
        find_fixed_points(reduced, u, Matrix(5, 1, {-2, -0.5, 0.01, 0.5, 2}));
    EXPECT_EQ(in_kappa.points.size(), 3u);
}

// J = V diag(lambda) V^-1 with known V: eigenvalues to 1e-10, vectors to 1e-8.
TEST(FixedPoints, PlantedSpectrumIsRecovered) {
    const Index n = 6;
    Matrix v(n, n, test::normals(n * n, 0.3, 1)), scaled(n, n);
    for (Index i = 0; i < n; ++i) v(i, i) += 1;
    const double lambda[] = {1.2, -0.9, 0.75, 0.5, -0.3, 0.1};  // by falling modulus
    for (Index i = 0; i < n; ++i) {
        for (Index k = 0; k < n; ++k) scaled(i, k) = v(i, k) * lambda[k];
    }
    const Matrix inverse = linalg::inverse(v);
    const FunctionDynamics d = test::linear_map(linalg::product(scaled, inverse));
    const FixedPointReport r = find_fixed_points(d, {}, Matrix(8, n, test::normals(8 * n, 1, 2)));
    ASSERT_EQ(r.points.size(), 1u);
    for (const double x : r.points[0].x) EXPECT_NEAR(x, 0, 1e-11);
    const Spectrum& s = *r.points[0].spectrum;
    EXPECT_EQ(s.unstable, 1);
    EXPECT_FALSE(s.stable);
    for (Index k = 0; k < n; ++k) {
        EXPECT_NEAR(s.values[k].real(), lambda[k], 1e-10);
        EXPECT_NEAR(s.time_constants[k], -1 / std::log(std::abs(lambda[k])), 1e-8);
        double norm = 0;
        for (Index i = 0; i < n; ++i) norm += v(i, k) * v(i, k);
        linalg::Complex overlap = 0;
        for (Index i = 0; i < n; ++i) {
            overlap += std::conj(s.left(i, k)) * s.right(i, k);
            // Both are defined up to one sign.
            EXPECT_NEAR(std::abs(s.right(i, k)), std::abs(v(i, k)) / std::sqrt(norm), 1e-8);
            EXPECT_NEAR(std::abs(s.left(i, k)), std::abs(inverse(k, i)) * std::sqrt(norm), 1e-8);
        }
        EXPECT_NEAR(overlap.real(), 1, 1e-12);
    }
}

TEST(Newton, PlainAndDampedConvergeQuadratically) {
    const CtrnnDynamics d = test::cube(2);
    const Vector start(48, 2.5);
    for (const NewtonKind kind : {NewtonKind::plain, NewtonKind::damped}) {
        const NewtonResult r = newton(d, start, {}, kind);
        EXPECT_TRUE(r.converged);
        EXPECT_LE(r.iterations, 8);
        EXPECT_NEAR(r.x[0], test::cube_root(2), 1e-13);
    }
}

// A line attractor: x1' = x1, x2' = x2 / 2 + x1^2 / 8. Every point of x2 = x1^2 / 4 is fixed and
// J - 1 is singular there, so Newton must give way to Levenberg and count it.
TEST(Newton, SingularStepsAreCountedAndSolved) {
    const FunctionDynamics d("line", 2, 0,
                             {.step =
                                  [](Values x, Values, MutableValues y) {
                                      y[0] = x[0];
                                      y[1] = x[1] / 2 + x[0] * x[0] / 8;
                                  },
                              .jacobian =
                                  [](Values x, Values, MutableValues j) {
                                      j[0] = 1;
                                      j[1] = 0;
                                      j[2] = x[0] / 4;
                                      j[3] = 0.5;
                                  }});
    const NewtonResult r = newton(d, Vector{1, 3}, {}, NewtonKind::plain);
    EXPECT_TRUE(r.converged);
    EXPECT_GE(r.singular_steps, 1);
    EXPECT_NEAR(r.x[1], r.x[0] * r.x[0] / 4, 4e-12);  // 2 sqrt(2 q)
}

// F = x + 1e-5: no fixed point, q = 5e-11 everywhere: slow, speed 1e-5 / alpha.
TEST(FixedPoints, SlowPointsCarryTheirOwnQ) {
    const FunctionDynamics d("drift", 1, 0,
                             {.step = [](Values x, Values, MutableValues y) { y[0] = x[0] + 1e-5; },
                              .jacobian = [](Values, Values, MutableValues j) { j[0] = 1; }},
                             {.dt = 0.5, .tau = 1});
    const FixedPointReport r = find_fixed_points(d, {}, Matrix(2, 1, {1, 2}));
    ASSERT_EQ(r.points.size(), 2u);
    EXPECT_EQ(r.points[0].label, PointLabel::slow);
    EXPECT_NEAR(r.points[0].q, 5e-11, 1e-20);  // 1 + 1e-5 is rounded by eps / 2
    EXPECT_NEAR(r.points[0].speed, 2e-5, 1e-15);
    EXPECT_GE(r.singular_steps, 2);
}

// A chaotic net has few points and many starts; patience gives up most of the starts, not the
// points that are easily found.
TEST(FixedPoints, PatienceLeavesStartsUntried) {
    const CtrnnDynamics d = test::random_net(32, 1.5, 4, {.time = {.dt = 0.5, .tau = 1}});
    const Matrix seeds(256, 32, test::normals(256 * 32, 1, 5));
    const FixedPointReport all = find_fixed_points(d, {}, seeds, {.spectra = false});
    const FixedPointReport few =
        find_fixed_points(d, {}, seeds, {.newton_patience = 2, .spectra = false});
    EXPECT_EQ(all.untried, 0);
    EXPECT_GT(few.untried, 0);
    EXPECT_LT(few.newton_starts, all.newton_starts);
    EXPECT_LE(few.points.size(), all.points.size());
    ASSERT_FALSE(few.points.empty());
    for (const FixedPoint& p : few.points) EXPECT_EQ(p.label, PointLabel::fixed);
}

TEST(Descent, NeverRaisesQAndIgnoresTheBatch) {
    const CtrnnDynamics d = test::random_net(20, 1.5, 4, {.time = {.dt = 0.5, .tau = 1}}, 0, true);
    const Matrix seeds(9, 20, test::normals(180, 2, 5));
    const std::vector<double> before = kinetic_energy(d, seeds, {});
    const DescentResult all = descend(d, {}, seeds, 1e-10, 300);
    for (Index i = 0; i < 9; ++i) {
        EXPECT_LE(all.q[i], before[i]);
        const DescentResult alone =
            descend(d, {}, Matrix(1, 20, {seeds.row(i), seeds.row(i) + 20}), 1e-10, 300);
        for (Index j = 0; j < 20; ++j) EXPECT_EQ(alone.x(0, j), all.x(i, j));
    }
}

TEST(Seeds, DependOnTheirNumberAlone) {
    const Matrix states(50, 5, test::normals(250, 1, 1));
    const Matrix many = make_seeds(states, {.count = 30, .seed = 3});
    const Matrix few = make_seeds(states, {.count = 10, .seed = 3});
    for (Index i = 0; i < 50; ++i) EXPECT_EQ(few.values[i], many.values[i]);
    EXPECT_NE(make_seeds(states, {.count = 10, .seed = 4}).values, few.values);
}

TEST(FixedPoints, NonFiniteStatesNameSeedAndStep) {
    const FunctionDynamics d(
        "log", 1, 0,
        {.step = [](Values x, Values, MutableValues y) { y[0] = std::log(x[0]); },
         .jacobian = [](Values x, Values, MutableValues j) { j[0] = 1 / x[0]; }});
    const auto message = [&](double second) {
        try {
            find_fixed_points(d, {}, Matrix(2, 1, {1, second}));
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::non_finite);
            return std::string(e.what());
        }
        return std::string();
    };
    for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_NE(message(bad).find("seed 1"), std::string::npos) << message(bad);
        EXPECT_NE(message(bad).find("step 0"), std::string::npos) << message(bad);
    }
}

TEST(FixedPoints, RejectsWrongSizes) {
    const CtrnnDynamics d = test::cube(2);
    EXPECT_THROW(find_fixed_points(d, {}, Matrix(3, 47)), Error);
    EXPECT_THROW(find_fixed_points(d, {}, Matrix(0, 48)), Error);
    EXPECT_THROW(find_fixed_points(d, Vector{1}, Matrix(3, 48)), Error);
    EXPECT_THROW(find_fixed_points(d, {}, Matrix(3, 48), {.fixed_q = 1, .slow_q = 0.5}), Error);
    EXPECT_THROW(make_seeds(Matrix(1, 4)), Error);
    EXPECT_THROW(newton(d, Vector(3), {}, NewtonKind::plain), Error);
}

}  // namespace
}  // namespace soma::neuro
