// Gradients over time: every algorithm against differences, against each other and against the
// engine's ctrnn op.

#include "soma/neuro/recurrent_gradients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "neuro/systems.h"
#include "soma/autograd/ops/ctrnn.h"
#include "soma/autograd/ops/math.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using Vector = std::vector<double>;

constexpr Convention kConventions[] = {Convention::current, Convention::current_sde,
                                       Convention::rate, Convention::rectified_leak};
constexpr Nonlinearity kNonlinearities[] = {Nonlinearity::tanh,     Nonlinearity::relu,
                                            Nonlinearity::softplus, Nonlinearity::retanh,
                                            Nonlinearity::relu2,    Nonlinearity::sigmoid};

// A noisy net of 8 units, driven by noise, whose loss is a fixed random function of every state:
// L_t = c_t . x_t + |x_t|^2 / 2.
struct Problem {
    explicit Problem(Index n_steps, const CtrnnCellOptions& options = {}, Index units = 8,
                     Index n_inputs = 3)
        : cell(units, n_inputs, options), steps(n_steps) {
        theta = test::normals(cell.parameters(), 1.2 / std::sqrt(static_cast<double>(units)), 1);
        start = test::normals(units, 0.5, 2);
        inputs = test::normals(steps * n_inputs, 1, 3);
        weights = test::normals(steps * units, 1, 4);
        loss = [this](Index t, Values x, MutableValues dx) {
            double sum = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double c = weights[static_cast<std::size_t>(t - 1) * x.size() + i];
                sum += c * x[i] + x[i] * x[i] / 2;
                dx[i] = c + x[i];
            }
            return sum;
        };
    }
    Problem(const Problem&) = delete;

    RecurrentSequence sequence() const { return {cell, theta, start, inputs, steps, loss}; }

    CtrnnCell cell;
    Index steps;
    Vector theta, start, inputs, weights;
    StepLoss loss;
};

CtrnnCellOptions noisy(Convention c, Nonlinearity f = Nonlinearity::tanh, double alpha = 0.4) {
    return {.convention = c,
            .f = f,
            .alpha = alpha,
            .sigma = 0.1,
            .key = make_key(1, Purpose::recurrent_noise),
            .trial = 5,
            .visit = 2};
}

void expect_near(const Vector& a, const Vector& b, double tolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_NEAR(a[i], b[i], tolerance * std::max(1.0, std::abs(b[i]))) << i;
    }
}

void expect_same_bits(const RecurrentGradient& a, const RecurrentGradient& b) {
    EXPECT_EQ(a.loss, b.loss);
    EXPECT_EQ(a.theta, b.theta);
    EXPECT_EQ(a.start, b.start);
}

// Central differences with h = 1e-5 are off by h^2 |L'''| / 6, some 1e-9 for losses of order 10,
// and by eps |L| / h, some 1e-10.
TEST(RecurrentGradients, BpttIsTheDerivativeOfTheLoss) {
    constexpr double kStep = 1e-5, kTolerance = 1e-7;
    for (const Convention c : kConventions) {
        for (const Nonlinearity f : kNonlinearities) {
            Problem p(6, noisy(c, f), 4, 2);
            const RecurrentGradient g = bptt(p.sequence());
            const auto difference = [&](double& value) {
                const double before = value;
                value = before + kStep;
                const double up = bptt(p.sequence()).loss;
                value = before - kStep;
                const double down = bptt(p.sequence()).loss;
                value = before;
                return (up - down) / (2 * kStep);
            };
            Vector theta, start;
            for (double& v : p.theta) theta.push_back(difference(v));
            for (double& v : p.start) start.push_back(difference(v));
            SCOPED_TRACE(std::string(name_of(c)) + " " + name_of(f));
            expect_near(g.theta, theta, kTolerance);
            expect_near(g.start, start, kTolerance);
        }
    }
}

// Two orders of summation of about T N^2 = 1,280 products of order 1: rounding below 1e-12; the
// gate is that of neuro.md 7.
TEST(RecurrentGradients, RtrlIsBptt) {
    for (const Convention c : kConventions) {
        const Problem p(20, noisy(c));
        const RecurrentGradient a = bptt(p.sequence()), b = rtrl(p.sequence());
        expect_near(b.theta, a.theta, 1e-10);
        expect_near(b.start, a.start, 1e-10);
        EXPECT_NEAR(a.loss, b.loss, 1e-10 * std::abs(a.loss));
    }
}

TEST(RecurrentGradients, JvpIsTheGradientAlongADirection) {
    for (const Convention c : kConventions) {
        const Problem p(20, noisy(c));
        const RecurrentGradient g = bptt(p.sequence());
        const Vector dtheta = test::normals(std::ssize(p.theta), 1, 8);
        const Vector dstart = test::normals(std::ssize(p.start), 1, 9);
        const double expected =
            std::inner_product(g.theta.begin(), g.theta.end(), dtheta.begin(), 0.0) +
            std::inner_product(g.start.begin(), g.start.end(), dstart.begin(), 0.0);
        const DirectionalDerivative d = jvp(p.sequence(), dtheta, dstart);
        EXPECT_NEAR(d.derivative, expected, 1e-10 * std::max(1.0, std::abs(expected)));
        EXPECT_NEAR(d.loss, g.loss, 1e-10 * std::abs(g.loss));
    }
}

TEST(RecurrentGradients, CheckpointsChangeNoBit) {
    for (const Index steps : {1, 2, 20, 37, 64}) {
        const Problem p(steps, noisy(Convention::current));
        const RecurrentGradient plain = bptt(p.sequence());
        EXPECT_EQ(plain.cell_steps, steps);
        for (const Index every : {0, 1, 5, 36, 100}) {
            const RecurrentGradient g = checkpointed_bptt(p.sequence(), every);
            expect_same_bits(g, plain);
            EXPECT_LT(g.cell_steps, 2 * steps);
        }
    }
}

// ceil(sqrt T) states to start from, the states and slopes of a segment of that length, and 3 N.
TEST(RecurrentGradients, CheckpointsKeepTheRootOfTheSteps) {
    for (const Index root : {4, 10, 32}) {
        const Problem p(root * root);
        EXPECT_EQ(checkpointed_bptt(p.sequence()).kept, 8 * (3 * root + 2));
        EXPECT_EQ(bptt(p.sequence()).kept, 8 * (2 * root * root + 3));
        EXPECT_EQ(rtrl(p.sequence()).kept, rtrl(Problem(1).sequence()).kept);
    }
}

TEST(RecurrentGradients, AWindowOverAllStepsTruncatesNothing) {
    const Problem p(30, noisy(Convention::rate));
    const RecurrentGradient plain = bptt(p.sequence());
    expect_same_bits(truncated_bptt(p.sequence(), {.window = 30, .every = 30}), plain);
    expect_same_bits(truncated_bptt(p.sequence(), {.window = 99, .every = 40}), plain);
    for (const Index every : {1, 7}) {  // the same sum, grouped otherwise
        const RecurrentGradient g = truncated_bptt(p.sequence(), {.window = 30, .every = every});
        expect_near(g.theta, plain.theta, 1e-10);
        expect_near(g.start, plain.start, 1e-10);
        EXPECT_EQ(g.cell_steps, 30);
    }
}

// BPTT(h; 1) by its definition: the sum over t of the gradients of L_t alone through the h steps
// before, which start from the state there as if it were given.
TEST(RecurrentGradients, AShortWindowSumsShortSequences) {
    constexpr Index kSteps = 12, kWindow = 4;
    const Problem p(kSteps, noisy(Convention::rectified_leak), 5, 2);
    std::vector<Vector> states{p.start};
    const StepLoss spy = [&](Index t, Values x, MutableValues dx) {
        states.emplace_back(x.begin(), x.end());
        return p.loss(t, x, dx);
    };
    rtrl({p.cell, p.theta, p.start, p.inputs, kSteps, spy});

    Vector expected(p.theta.size());
    for (Index t = 1; t <= kSteps; ++t) {
        const Index first = std::max<Index>(1, t - kWindow + 1), steps = t - first + 1;
        // Noise belongs to absolute steps: run from step 1 with the state put in place.
        Vector d(p.start.size()), slope(d.size()), x(d.size()), back(d.size());
        p.loss(t, states[static_cast<std::size_t>(t)], d);
        for (Index i = 0; i < steps; ++i) {
            const Index at = t - i;
            const Vector& before = states[static_cast<std::size_t>(at - 1)];
            const Values u = Values(p.inputs).subspan(static_cast<std::size_t>((at - 1) * 2), 2);
            p.cell.step(p.theta, at - 1, before, u, x, slope);
            EXPECT_EQ(x, states[static_cast<std::size_t>(at)]);
            p.cell.pullback({p.theta, before, u, slope}, d, back, expected);
            d = back;
        }
    }
    const RecurrentGradient g = truncated_bptt(p.sequence(), {.window = kWindow, .every = 1});
    expect_near(g.theta, expected, 1e-12);
    EXPECT_EQ(g.kept, 5 * (2 * kWindow + 3));
}

Tensor tensor_of(const Vector& values, const Shape& shape) {
    Tensor t(shape, DType::f64);
    std::copy(values.begin(), values.end(), t.data<double>().begin());
    return t;
}

// The same products in two orders of summation, with the same noise: sums of up to T N = 160
// terms of order 1, T steps long.
TEST(RecurrentGradients, AreThoseOfTheEngineWithItsNoise) {
    for (const Convention c : kConventions) {
        const Problem p(20, noisy(c));
        const CtrnnCellOptions& o = p.cell.options();
        const Index n = 8;
        const auto part = [&](Index from, const Shape& shape) {
            const auto begin = p.theta.begin() + from;
            return tensor_of({begin, begin + shape.count()}, shape);
        };
        Tape tape;
        const Var w_rec = tape.input(part(0, {n, n})), w_in = tape.input(part(64, {3, n}));
        const Var bias = tape.input(part(88, {n})), start = tape.input(tensor_of(p.start, {n}));
        const std::uint32_t trials[] = {o.trial};
        const Var r = ctrnn(start, tape.constant(tensor_of(p.inputs, {20, 1, 3})),
                            {.w_rec = w_rec, .w_in = w_in, .bias = bias},
                            {.convention = c,
                             .f = o.f,
                             .alpha = o.alpha,
                             .sigma = o.sigma,
                             .key = o.key,
                             .visit = o.visit,
                             .trials = trials});
        tape.backward(sum(mul(r, tape.constant(tensor_of(p.weights, {20, 1, n})))));

        // L = c . r, r = tanh(x) where the state is the current.
        const StepLoss loss = [&](Index t, Values x, MutableValues dx) {
            double sum_of_rates = 0;
            for (std::size_t i = 0; i < 8; ++i) {
                const double rate = keeps_current(c) ? std::tanh(x[i]) : x[i];
                const double w = p.weights[static_cast<std::size_t>(t - 1) * 8 + i];
                sum_of_rates += w * rate;
                dx[i] = keeps_current(c) ? w * (1 - rate * rate) : w;
            }
            return sum_of_rates;
        };
        const RecurrentGradient g = bptt({p.cell, p.theta, p.start, p.inputs, 20, loss});
        Vector engine;
        for (const Var v : {w_rec, w_in, bias}) {
            const Tensor gradient = v.gradient();
            const auto values = gradient.data<double>();
            engine.insert(engine.end(), values.begin(), values.end());
        }
        const Tensor dstart = start.gradient();
        const auto from_engine = dstart.data<double>();
        SCOPED_TRACE(name_of(c));
        expect_near(g.theta, engine, 1e-11);
        expect_near(g.start, {from_engine.begin(), from_engine.end()}, 1e-11);
    }
}

TEST(RecurrentGradients, RefuseWhatDoesNotFit) {
    Problem p(5);
    EXPECT_THROW(truncated_bptt(p.sequence(), {.window = 2, .every = 3}), Error);
    EXPECT_THROW(truncated_bptt(p.sequence(), {.window = 2, .every = 0}), Error);
    EXPECT_THROW(checkpointed_bptt(p.sequence(), -1), Error);
    EXPECT_THROW(jvp(p.sequence(), p.theta, p.theta), Error);
    p.inputs.pop_back();
    EXPECT_THROW(bptt(p.sequence()), Error);
    EXPECT_THROW(CtrnnCell(0, 1), Error);
    EXPECT_THROW(CtrnnCell(2, 1, {.alpha = 0}), Error);
}

}  // namespace
}  // namespace soma::neuro
