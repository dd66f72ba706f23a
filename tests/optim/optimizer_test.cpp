// Every optimizer against its formula in plain scalar code, in f64 and f32.

#include "soma/optim/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "soma/core/rng.h"
#include "soma/optim/adam.h"
#include "soma/optim/diagonal_gauss_newton.h"
#include "soma/optim/ema.h"
#include "soma/optim/rmsprop.h"
#include "soma/optim/sgd.h"

namespace soma::optim {
namespace {

using kernels::MomentumForm;

// One parameter with its state; rules are written on it as in the papers.
struct Cell {
    double w, a = 0, b = 0;  // value, first and second slot
};
using Rule = std::function<void(Cell& c, double g, double lr, double decay, int t)>;
using Make = std::function<std::unique_ptr<Optimizer>(nn::ParameterStore&)>;

constexpr double kDecay = 0.01, kScale = 0.5;
constexpr int kSteps = 20;

double rate_of(int t) { return t < 10 ? 0.1 : 0.02; }

// Runs both for kSteps on two parameters, of which only the first decays, and compares the values.
// Every step adds at most 16 roundings of numbers no larger than `size` (values, slots, updates).
void expect_equal_to_rule(const Make& make, const Rule& rule, double decay, DType dtype) {
    nn::ParameterStore store(dtype);
    const auto w = store.add("w", {21}, nn::Init::uniform(1));
    const auto b = store.add("b", {5}, nn::Init::uniform(1), false);
    store.freeze(1);
    const auto optimizer = make(store);
    std::vector<Cell> cells[2];
    const nn::ParameterId ids[2] = {w, b};
    for (int p = 0; p < 2; ++p) {
        const Tensor v = store.value(ids[p]);
        for (Index i = 0; i < v.count(); ++i) cells[p].push_back({v.at(i)});
    }
    RandomSequence random(make_key(7, Purpose::data_generation));
    double size = 1;
    for (int t = 0; t < kSteps; ++t) {
        for (int p = 0; p < 2; ++p) {
            Tensor gradient = store.gradient(ids[p]);
            for (Index i = 0; i < gradient.count(); ++i) {
                const double g = random.uniform(-2, 2);
                with_dtype(dtype, [&](auto zero) {
                    gradient.data<decltype(zero)>()[static_cast<std::size_t>(i)] =
                        static_cast<decltype(zero)>(g);
                });
                Cell& c = cells[p][static_cast<std::size_t>(i)];
                rule(c, kScale * g, rate_of(t), p == 0 ? decay : 0, t + 1);
                size = std::max({size, std::abs(c.w), std::abs(c.a), std::abs(c.b)});
            }
        }
        optimizer->step(rate_of(t), kScale);
    }
    const double u = dtype == DType::f32 ? 0x1p-24 : 0x1p-53;
    for (int p = 0; p < 2; ++p) {
        const Tensor v = store.value(ids[p]);
        for (Index i = 0; i < v.count(); ++i) {
            ASSERT_NEAR(v.at(i), cells[p][static_cast<std::size_t>(i)].w, 16 * kSteps * u * size)
                << store.entry(ids[p]).name << "[" << i << "]";
        }
    }
}

void expect_equal_to_rule(const Make& make, const Rule& rule, double decay = 0) {
    expect_equal_to_rule(make, rule, decay, DType::f64);
    expect_equal_to_rule(make, rule, decay, DType::f32);
}

template <class Rule, class Options>
Make maker(const Options& options) {
    return [options](nn::ParameterStore& s) { return std::make_unique<Rule>(s, options); };
}

TEST(Sgd, PlainStepIsGradientDescent) {
    const Rule rule = [](Cell& c, double g, double lr, double decay, int) {
        c.w -= lr * (g + decay * c.w);
    };
    expect_equal_to_rule(maker<Sgd>(SgdOptions{}), rule);
    expect_equal_to_rule(maker<Sgd>(SgdOptions{.weight_decay = kDecay}), rule, kDecay);
}

TEST(Sgd, ClassicMomentumAccumulatesGradients) {
    expect_equal_to_rule(
        maker<Sgd>(SgdOptions{.momentum = 0.9, .weight_decay = kDecay}),
        [](Cell& c, double g, double lr, double decay, int) {
            c.a = 0.9 * c.a + g + decay * c.w;
            c.w -= lr * c.a;
        },
        kDecay);
}

TEST(Sgd, NesterovLooksAhead) {
    expect_equal_to_rule(
        maker<Sgd>(
            SgdOptions{.momentum = 0.9, .form = MomentumForm::nesterov, .weight_decay = kDecay}),
        [](Cell& c, double g, double lr, double decay, int) {
            const double d = g + decay * c.w;
            c.a = 0.9 * c.a + d;
            c.w -= lr * (d + 0.9 * c.a);
        },
        kDecay);
}

TEST(Sgd, AlexNetFormRemembersTheRate) {
    expect_equal_to_rule(
        maker<Sgd>(
            SgdOptions{.momentum = 0.9, .form = MomentumForm::alexnet, .weight_decay = kDecay}),
        [](Cell& c, double g, double lr, double decay, int) {
            c.a = 0.9 * c.a - decay * lr * c.w - lr * g;
            c.w += c.a;
        },
        kDecay);
}

// The first updates divide by sqrt(v) of a single gradient: m / sqrt(v) = +-1 up to eps, so its
// rounding stays within the bound as long as no gradient is tiny; the fixed seed's are not.
Rule adam_rule(bool decoupled) {
    return [=](Cell& c, double g, double lr, double decay, int t) {
        const double d = decoupled ? g : g + decay * c.w;
        if (decoupled) c.w -= lr * decay * c.w;
        c.a = 0.9 * c.a + 0.1 * d;
        c.b = 0.99 * c.b + 0.01 * d * d;
        const double m = c.a / (1 - std::pow(0.9, t)), v = c.b / (1 - std::pow(0.99, t));
        c.w -= lr * m / (std::sqrt(v) + 1e-8);
    };
}

TEST(Adam, CorrectsTheBiasOfItsAverages) {
    expect_equal_to_rule(maker<Adam>(AdamOptions{.beta2 = 0.99}), adam_rule(false));
}

TEST(Adam, AddsDecayToTheGradient) {
    expect_equal_to_rule(maker<Adam>(AdamOptions{.beta2 = 0.99, .weight_decay = kDecay}),
                         adam_rule(false), kDecay);
}

TEST(AdamW, DecaysValuesApartFromTheGradient) {
    expect_equal_to_rule(maker<AdamW>(AdamOptions{.beta2 = 0.99, .weight_decay = kDecay}),
                         adam_rule(true), kDecay);
}

// |dw| = lr for the first step, whatever the scale of the gradient.
TEST(Adam, FirstStepHasTheLengthOfTheRate) {
    for (const double g : {1e-3, 1.0, 1e3}) {
        nn::ParameterStore store(DType::f64);
        const auto w = store.add("w", {1}, nn::Init::zeros());
        store.freeze(1);
        store.gradient(w).fill(g);
        Adam(store).step(0.25);
        EXPECT_NEAR(store.value(w).at(0), -0.25, 0.25 * 1e-8 / g + 8 * 0x1p-53);
    }
}

TEST(Rmsprop, DividesByTheRunningSize) {
    expect_equal_to_rule(
        maker<Rmsprop>(RmspropOptions{.weight_decay = kDecay}),
        [](Cell& c, double g, double lr, double decay, int) {
            const double d = g + decay * c.w;
            c.a = 0.9 * c.a + 0.1 * d * d;
            c.w -= lr * d / (std::sqrt(c.a) + 1e-8);
        },
        kDecay);
}

TEST(Adadelta, MatchesTheUnitsOfTheUpdate) {
    expect_equal_to_rule(
        maker<Adadelta>(AdadeltaOptions{.weight_decay = kDecay}),
        [](Cell& c, double g, double lr, double decay, int) {
            const double d = g + decay * c.w;
            c.a = 0.95 * c.a + 0.05 * d * d;
            const double e = d * std::sqrt(c.b + 1e-6) / std::sqrt(c.a + 1e-6);
            c.b = 0.95 * c.b + 0.05 * e * e;
            c.w -= lr * e;
        },
        kDecay);
}

TEST(DiagonalGaussNewton, StepsByRateOverMuPlusCurvature) {
    nn::ParameterStore store(DType::f64);
    const auto w = store.add("w", {2}, nn::Init::zeros());
    store.freeze(1);
    DiagonalGaussNewton optimizer(store, {.mu = 0.5});
    store.gradient(w).fill(1);
    optimizer.step(1);
    EXPECT_EQ(store.value(w).at(0), -2);
    Tensor h = Tensor::zeros({store.trainable_count()}, DType::f64);
    h.data<double>()[0] = 1.5;
    optimizer.set_curvature(h);
    optimizer.step(1, 2);
    EXPECT_EQ(store.value(w).at(0), -2 - 2 / (0.5 + 1.5));
    EXPECT_EQ(store.value(w).at(1), -2 - 2 / 0.5);
}

// Newton's method with the exact diagonal reaches the minimum of a separable quadratic in one step.
TEST(DiagonalGaussNewton, SolvesASeparableQuadraticInOneStep) {
    nn::ParameterStore store(DType::f64);
    const auto w = store.add("w", {3}, nn::Init::uniform(1));
    store.freeze(1);
    const double mu = 1e-9, curvature[3] = {1, 100, 1e4};
    DiagonalGaussNewton optimizer(store, {.mu = mu});
    Tensor h = Tensor::zeros({store.trainable_count()}, DType::f64);
    for (std::size_t i = 0; i < 3; ++i) {
        h.data<double>()[i] = curvature[i];
        store.gradient(w).data<double>()[i] = curvature[i] * store.value(w).at(Index(i));
    }
    optimizer.set_curvature(h);
    optimizer.step(1);
    for (Index i = 0; i < 3; ++i) EXPECT_NEAR(store.value(w).at(i), 0, mu + 4 * 0x1p-53);
}

TEST(Ema, FollowsTheValuesAndSwapsThemIn) {
    nn::ParameterStore store(DType::f64);
    const auto w = store.add("w", {1}, nn::Init::constant(1));
    store.freeze(1);
    Ema ema(store, 0.75);
    store.value(w).fill(3);
    ema.update();
    ema.swap();
    EXPECT_EQ(store.value(w).at(0), 0.75 * 1 + 0.25 * 3);
    ema.swap();
    EXPECT_EQ(store.value(w).at(0), 3);
}

TEST(Optimizer, KeepsPaddingAtZero) {
    for (const Make& make :
         {maker<Sgd>(SgdOptions{.momentum = 0.9, .weight_decay = kDecay}),
          maker<AdamW>(AdamOptions{.weight_decay = kDecay}), maker<Adadelta>(AdadeltaOptions{}),
          maker<DiagonalGaussNewton>(DiagonalGaussNewtonOptions{})}) {
        nn::ParameterStore store;
        const auto w = store.add("w", {3}, nn::Init::constant(1));
        store.freeze(1);
        const auto optimizer = make(store);
        store.gradient(w).fill(1);
        optimizer->step(0.1);
        optimizer->step(0.1);
        for (Index i = 3; i < store.trainable_count(); ++i) {
            ASSERT_EQ(store.values().at(i), 0) << optimizer->describe();
        }
    }
}

TEST(Optimizer, LeavesStatisticsAndBuffersAlone) {
    nn::ParameterStore store;
    const auto statistic = store.add_statistic("s", {3}, nn::Init::constant(2));
    const auto buffer = store.add_buffer("b", {3}, nn::Init::constant(3));
    store.add("w", {3}, nn::Init::constant(1));
    store.freeze(1);
    store.gradients().fill(1);
    Adam(store).step(0.1);
    EXPECT_EQ(store.value(statistic).at(0), 2);
    EXPECT_EQ(store.value(buffer).at(0), 3);
}

// A checkpoint writes slots and scalars through the shared buffers.
TEST(Optimizer, ContinuesBitForBitFromCopiedState) {
    nn::ParameterStore a, b;
    for (nn::ParameterStore* s : {&a, &b}) {
        s->add("w", {100}, nn::Init::normal(1));
        s->freeze(3);
        s->gradients().fill(0.3);
    }
    Adam first(a), second(b);
    first.step(0.1);
    b.values().copy_from(a.values());
    for (std::size_t i = 0; i < first.slots().size(); ++i) {
        Tensor slot = second.slots()[i].values;
        slot.copy_from(first.slots()[i].values);
    }
    second.scalars() = first.scalars();
    first.step(0.1);
    second.step(0.1);
    EXPECT_EQ(a.hash(), b.hash());
}

TEST(DecayRuns, MergeNeighboursWithTheSameAnswer) {
    nn::ParameterStore store;
    store.add("c", {16}, nn::Init::zeros(), false);  // last in the array
    store.add("b", {16}, nn::Init::zeros());
    store.add("a", {3}, nn::Init::zeros());
    store.freeze(1);
    const auto runs = decay_runs(store, 0.5);
    ASSERT_EQ(runs.size(), 2U);
    EXPECT_EQ(runs[0].begin, 0);
    EXPECT_EQ(runs[0].end, 32);
    EXPECT_EQ(runs[0].decay, 0.5);
    EXPECT_EQ(runs[1].end, 48);
    EXPECT_EQ(runs[1].decay, 0);
    EXPECT_EQ(decay_runs(store, 0).size(), 1U);
}

TEST(Optimizer, DescribesRuleAndOptions) {
    nn::ParameterStore store;
    store.add("w", {1}, nn::Init::zeros());
    store.freeze(1);
    EXPECT_EQ(Sgd(store, {.momentum = 0.9}).describe(),
              "sgd momentum=0.9 form=classic weight_decay=0");
    EXPECT_EQ(AdamW(store).describe(), "adamw beta1=0.9 beta2=0.999 eps=1e-08 weight_decay=0.01");
    EXPECT_EQ(DiagonalGaussNewton(store, {.mu = 0.02}).describe(), "diagonal_gauss_newton mu=0.02");
}

TEST(Optimizer, RejectsImpossibleOptions) {
    nn::ParameterStore store;
    store.add("w", {1}, nn::Init::zeros());
    EXPECT_THROW(Sgd{store}, Error);  // not frozen
    store.freeze(1);
    EXPECT_THROW(Sgd(store, {.momentum = 1}), Error);
    EXPECT_THROW(Sgd(store, {.weight_decay = -1}), Error);
    EXPECT_THROW(Adam(store, {.beta1 = 1}), Error);
    EXPECT_THROW(Rmsprop(store, {.rho = 2}), Error);
    EXPECT_THROW(DiagonalGaussNewton(store, {.mu = 0}), Error);
    EXPECT_THROW(Ema(store, 1), Error);
    EXPECT_THROW(DiagonalGaussNewton(store).set_curvature(Tensor::zeros({1})), Error);
}

}  // namespace
}  // namespace soma::optim
