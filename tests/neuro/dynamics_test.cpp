// Dynamics: derivatives against differences, the conventions against each other, flows.

#include "soma/neuro/dynamics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "neuro/systems.h"
#include "soma/core/error.h"
#include "soma/neuro/ctrnn_dynamics.h"

namespace soma::neuro {
namespace {

constexpr Convention kConventions[] = {Convention::current, Convention::current_sde,
                                       Convention::rate, Convention::rectified_leak};
constexpr Nonlinearity kNonlinearities[] = {Nonlinearity::tanh,     Nonlinearity::relu,
                                            Nonlinearity::softplus, Nonlinearity::retanh,
                                            Nonlinearity::relu2,    Nonlinearity::sigmoid};

using Vector = std::vector<double>;

// Central differences of step in x and u with h = 1e-5: truncation h^2 |F'''| / 6 is about 1e-10,
// rounding eps / h about 1e-11 (states of order 1).
constexpr double kStep = 1e-5, kTolerance = 1e-8;

void expect_derivatives(const Dynamics& d, const Vector& x, const Vector& u) {
    const Index n = d.size(), inputs = d.inputs();
    Vector j(x.size() * x.size()), b(x.size() * u.size()), up(x.size()), down(x.size());
    d.jacobian(x, u, j);
    d.input_jacobian(x, u, b);
    for (Index k = 0; k < n + inputs; ++k) {
        Vector x1 = x, x2 = x, u1 = u, u2 = u;
        (k < n ? x1[k] : u1[k - n]) += kStep;
        (k < n ? x2[k] : u2[k - n]) -= kStep;
        d.step(x1, u1, up);
        d.step(x2, u2, down);
        for (Index i = 0; i < n; ++i) {
            const double analytic = k < n ? j[i * n + k] : b[i * inputs + k - n];
            EXPECT_NEAR(analytic, (up[i] - down[i]) / (2 * kStep), kTolerance)
                << d.name() << " F" << i << " by " << k;
        }
    }
}

CtrnnDynamics net(Convention c, Nonlinearity f, Index units = 7) {
    return test::random_net(units, 1.3, 5, {.convention = c, .f = f, .time = {.dt = 0.2, .tau = 1}},
                            2, true);
}

TEST(CtrnnDynamics, DerivativesAreThoseOfTheStep) {
    const Vector x = test::normals(7, 1, 1), u = test::normals(2, 1, 2);
    for (const Convention c : kConventions) {
        for (const Nonlinearity f : kNonlinearities) expect_derivatives(net(c, f), x, u);
    }
}

TEST(CtrnnDynamics, PullbackIsARowTimesTheJacobian) {
    const Index batch = 3, n = 7;
    const Vector x = test::normals(batch * n, 1, 3), v = test::normals(batch * n, 1, 4);
    const Vector u = test::normals(2, 1, 2);
    for (const Convention c : kConventions) {
        const CtrnnDynamics d = net(c, Nonlinearity::softplus);
        Vector out(x.size()), j(n * n);
        d.pullback(x, u, v, out);
        for (Index b = 0; b < batch; ++b) {
            d.jacobian(Values(x).subspan(b * n, n), u, j);
            for (Index k = 0; k < n; ++k) {
                double sum = 0;
                for (Index i = 0; i < n; ++i) sum += v[b * n + i] * j[i * n + k];
                EXPECT_NEAR(out[b * n + k], sum, 1e-14) << name_of(c);  // 7 terms of order 1
            }
        }
    }
}

TEST(CtrnnDynamics, StepFollowsTheFormula) {
    CtrnnWeights w{.units = 2, .inputs = 1};
    w.w_rec = {0.1, 0.2, 0.3, 0.4};  // [from, to]
    w.w_in = {0.5, -0.5};
    w.bias = {0.25, 0};
    const Vector x = {1, -2}, u = {2};
    const double pre[2] = {0.1 * 1 + 0.3 * -2 + 1 + 0.25, 0.2 * 1 + 0.4 * -2 - 1};
    Vector out(2);
    CtrnnOptions options{.convention = Convention::rate, .time = {.dt = 0.5, .tau = 1}};
    CtrnnDynamics(w, options).step(x, u, out);
    EXPECT_NEAR(out[0], 0.5 * 1 + 0.5 * std::tanh(pre[0]), 1e-15);
    EXPECT_NEAR(out[1], 0.5 * -2 + 0.5 * std::tanh(pre[1]), 1e-15);
    options.convention = Convention::rectified_leak;
    options.f = Nonlinearity::relu;
    CtrnnDynamics(w, options).step(x, u, out);
    EXPECT_NEAR(out[0], 0.5 * 1 + 0.5 * pre[0], 1e-15);
    EXPECT_EQ(out[1], 0);
}

// neuro.md 2.5: with x = W r + B u + b, x obeys `current` when r obeys `rate`.
TEST(CtrnnDynamics, CurrentAndRateAreTheSameSystem) {
    const CtrnnDynamics rate = net(Convention::rate, Nonlinearity::tanh);
    const CtrnnDynamics current = net(Convention::current, Nonlinearity::tanh);
    const CtrnnDynamics linear_part(
        {.units = 7, .w_rec = {rate.recurrent_weights().begin(), rate.recurrent_weights().end()}},
        {.convention = Convention::rectified_leak, .f = Nonlinearity::relu});
    const Vector u = test::normals(2, 1, 2);
    Vector r = test::normals(7, 0.5, 6), next(7), x(7), x_next(7), b(14);
    current.input_jacobian(r, u, b);  // alpha w_in^T
    const Vector bias = test::normals(7, 1, 5 + 2000);
    const auto pre = [&](const Vector& rates) {
        Vector h(7);
        for (Index i = 0; i < 7; ++i) {
            h[i] = bias[i] + (b[i * 2] * u[0] + b[i * 2 + 1] * u[1]) / current.alpha();
            for (Index k = 0; k < 7; ++k) h[i] += rates[k] * rate.recurrent_weights()[k * 7 + i];
        }
        return h;
    };
    x = pre(r);
    for (int t = 0; t < 20; ++t) {
        rate.step(r, u, next);
        r = next;
        current.step(x, u, x_next);
        x = x_next;
    }
    const Vector expected = pre(r);
    for (Index i = 0; i < 7; ++i) EXPECT_NEAR(x[i], expected[i], 1e-13);  // 20 steps of 10 eps
}

TEST(CtrnnDynamics, LipschitzBoundHoldsAndIsInfiniteAcrossAKink) {
    const Vector x = test::normals(7, 1, 1), u = test::normals(2, 1, 2);
    for (const Convention c : kConventions) {
        for (const Nonlinearity f : kNonlinearities) {
            const CtrnnDynamics d = net(c, f);
            const double bound = d.jacobian_lipschitz(x, u, 1e-3);
            ASSERT_TRUE(std::isfinite(bound)) << name_of(f);
            EXPECT_EQ(std::isinf(d.jacobian_lipschitz(x, u, 10)), has_kink(f)) << name_of(f);
            Vector a(49), b(49);
            const Vector shift = test::normals(7, 1, 9);
            Vector y = x;
            double distance = 0, change = 0;
            for (Index i = 0; i < 7; ++i) {
                y[i] += 1e-4 * shift[i];
                distance = std::max(distance, std::abs(y[i] - x[i]));
            }
            d.jacobian(x, u, a);
            d.jacobian(y, u, b);
            for (Index i = 0; i < 7; ++i) {
                double sum = 0;
                for (Index k = 0; k < 7; ++k) sum += std::abs(a[i * 7 + k] - b[i * 7 + k]);
                change = std::max(change, sum);
            }
            EXPECT_LE(change, bound * distance + 1e-14) << d.name();
        }
    }
}

TEST(LowRankDynamics, LiftedStepsAreThoseOfTheNetwork) {
    const Index units = 30, rank = 2;
    CtrnnWeights w{.units = units, .inputs = 1, .rank = rank};
    w.m = test::normals(units * rank, 1, 1);
    w.n = test::normals(units * rank, 2, 2);
    w.w_in = test::normals(units, 1, 3);
    w.bias = test::normals(units, 0.3, 4);
    const CtrnnOptions options{.time = {.dt = 0.1, .tau = 1}};
    const CtrnnDynamics full(w, options);
    const LowRankDynamics reduced(w, options);
    const Vector u = {0.7};
    Vector kappa = {0.4, -1.1}, next(2);
    Vector x = reduced.lift(kappa, u), x_next(units);
    for (int t = 0; t < 50; ++t) {
        reduced.step(kappa, u, next);
        kappa = next;
        full.step(x, u, x_next);
        x = x_next;
    }
    const Vector lifted = reduced.lift(kappa, u);
    for (Index i = 0; i < units; ++i) EXPECT_NEAR(lifted[i], x[i], 1e-12);  // 50 steps of 30 eps
    expect_derivatives(reduced, kappa, u);
}

// v = A x with A a rotation by omega and decay: x(t) is known.
VectorField spiral() {
    return {.size = 2,
            .inputs = 1,
            .velocity =
                [](Values x, Values u, MutableValues v) {
                    v[0] = -0.1 * x[0] - 2 * x[1] + u[0] * x[0] * x[0];
                    v[1] = 2 * x[0] - 0.1 * x[1];
                },
            .jacobian =
                [](Values x, Values u, MutableValues j) {
                    j[0] = -0.1 + 2 * u[0] * x[0];
                    j[1] = -2;
                    j[2] = 2;
                    j[3] = -0.1;
                },
            .input_jacobian =
                [](Values x, Values, MutableValues b) {
                    b[0] = x[0] * x[0];
                    b[1] = 0;
                }};
}

TEST(RungeKutta4, HasOrderFour) {
    double error[2];
    for (int halving = 0; halving < 2; ++halving) {
        const int steps = 20 << halving;
        Vector x = {1, 0};
        for (int i = 0; i < steps; ++i) runge_kutta4(spiral(), x, Vector{0}, 1.0 / steps, x);
        error[halving] = std::hypot(x[0] - std::exp(-0.1) * std::cos(2.0),
                                    x[1] - std::exp(-0.1) * std::sin(2.0));
    }
    EXPECT_NEAR(error[0] / error[1], 16, 1);  // 2^4, next term of relative size h = 1/20
}

TEST(RungeKutta4, DerivativesAreThoseOfTheStep) {
    const RungeKutta4Map map("spiral", spiral(), {.dt = 0.1, .tau = 1});
    expect_derivatives(map, {0.8, -0.5}, {0.6});
}

TEST(FlowOf, IsTheVelocityWhateverDt) {
    const Vector x = test::normals(7, 1, 1), u = test::normals(2, 1, 2);
    Vector v[2] = {Vector(7), Vector(7)}, j[2] = {Vector(49), Vector(49)};
    for (int i = 0; i < 2; ++i) {
        const CtrnnDynamics d =
            test::random_net(7, 1.3, 5, {.time = {.dt = i == 0 ? 0.1 : 0.2, .tau = 2}}, 2, true);
        flow_of(d).velocity(x, u, v[i]);
        flow_of(d).jacobian(x, u, j[i]);
    }
    for (Index i = 0; i < 7; ++i) EXPECT_NEAR(v[0][i], v[1][i], 1e-14);  // eps |x| / dt
    for (Index i = 0; i < 49; ++i) EXPECT_NEAR(j[0][i], j[1][i], 1e-14);
}

TEST(Dynamics, RejectsWrongSizes) {
    const CtrnnDynamics d = net(Convention::current, Nonlinearity::tanh);
    Vector x(7), u(2), out(7), j(49), b(14);
    EXPECT_THROW(d.step(Vector(6), u, out), Error);
    EXPECT_THROW(d.step(x, Vector(1), out), Error);
    EXPECT_THROW(d.step(Vector(14), u, out), Error);
    EXPECT_THROW(d.pullback(x, u, Vector(6), out), Error);
    EXPECT_THROW(d.jacobian(Vector(14), u, j), Error);
    EXPECT_THROW(d.input_jacobian(x, u, out), Error);
    EXPECT_THROW(CtrnnDynamics({.units = 2, .w_rec = {1, 2, 3}}, {}), Error);
    EXPECT_THROW(CtrnnDynamics({.units = 2}, {.time = {.dt = 0, .tau = 1}}), Error);
    EXPECT_THROW(LowRankDynamics({.units = 2, .rank = 1, .w_rec = {1, 2, 3, 4}}, {}), Error);
    EXPECT_THROW(FunctionDynamics("none", 1, 0, {}), Error);
}

}  // namespace
}  // namespace soma::neuro
