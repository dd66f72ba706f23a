// Modules: parameter names and counts, and that each is its op on the store's parameters.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "soma/autograd/ops/norm.h"
#include "soma/autograd/ops/shape.h"
#include "soma/nn/conv.h"
#include "soma/nn/dropout.h"
#include "soma/nn/embedding.h"
#include "soma/nn/linear.h"
#include "soma/nn/norm.h"
#include "soma/nn/sequential.h"

namespace soma::nn {
namespace {

Tensor ramp(const Shape& shape, DType dtype = DType::f64) {
    std::vector<double> values(static_cast<std::size_t>(shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<double>(i * 7 % 11) / 4 - 1;
    }
    return Tensor::from(shape, values, dtype);
}

std::vector<double> elements(Var v) {
    const auto y = v.value<double>();
    return {y.begin(), y.end()};
}

std::vector<std::string> names(const ParameterStore& store) {
    std::vector<std::string> list;
    for (const auto& e : store.entries()) list.push_back(concat(e.name, " ", e.shape));
    return list;
}

TEST(Linear, IsItsOpOnWeightAndBias) {
    ParameterStore store(DType::f64);
    const Linear layer(store, "hidden", 4, 3, {.activation = Activation::tanh});
    store.freeze(1);
    EXPECT_EQ(names(store), (std::vector<std::string>{"hidden.weight [4, 3]", "hidden.bias [3]"}));
    EXPECT_TRUE(store.entry(layer.weight()).decays);
    EXPECT_FALSE(store.entry(layer.bias()).decays);
    store.value(layer.bias()).fill(0.5);
    Tape tape;
    const Var x = tape.constant(ramp({2, 4}));
    const Var expected = linear(x, tape.constant(store.value(layer.weight())),
                                tape.constant(store.value(layer.bias())), Activation::tanh);
    EXPECT_EQ(elements(layer(x)), elements(expected));
}

TEST(Linear, GradientsArriveInTheStore) {
    ParameterStore store(DType::f64);
    const Linear layer(store, "out", 3, 2);
    store.freeze(1);
    Tape tape;
    const Var y = layer(tape.constant(Tensor::full({5, 3}, 2, DType::f64)));
    tape.backward(y, Tensor::full({5, 2}, 1, DType::f64));
    EXPECT_EQ(store.gradient(layer.weight()).at(3), 10);
    EXPECT_EQ(store.gradient(layer.bias()).at(1), 5);
    tape.backward(y, Tensor::full({5, 2}, 1, DType::f64));
    EXPECT_EQ(store.gradient(layer.bias()).at(1), 10);  // a second sweep adds
}

TEST(Linear, TakesTheGivenInitialiser) {
    ParameterStore store;
    const Linear layer(store, "l", 3, 2,
                       {.weight = Init::constant(0.25), .bias_init = Init::constant(-1)});
    store.freeze(1);
    EXPECT_EQ(store.value(layer.weight()).at(5), 0.25);
    EXPECT_EQ(store.value(layer.bias()).at(1), -1);
    EXPECT_THROW(Linear(store, "bad", 0, 2), Error);
}

// LeCun et al. 1989: H1 has 25 * 12 weights and 768 biases, H2 8 * 25 * 12 weights and 192 biases.
TEST(Conv2d, CountsTheFirstTwoLayersOf1989) {
    std::vector<std::uint8_t> table(12 * 12, 1);
    for (std::size_t out = 0; out < 12; ++out) {
        for (std::size_t i = 0; i < 4; ++i) table[((out / 4) * 4 + i) * 12 + out] = 0;
    }
    const Conv2dOptions conv{.stride = 2, .padding = 2, .pad_value = -1};
    Conv2dOptions sparse = conv;
    sparse.table = table;
    ParameterStore store;
    const Conv2d h1(store, "h1", 1, 12,
                    {.kernel = 5, .conv = conv, .bias = ConvBias::unit, .image = 16});
    const Conv2d h2(store, "h2", 12, 12,
                    {.kernel = 5, .conv = sparse, .bias = ConvBias::unit, .image = 8});
    store.freeze(1);
    table.assign(table.size(), 0);  // the module holds its own copy
    EXPECT_EQ(names(store),
              (std::vector<std::string>{"h1.weight [5, 5, 1, 12]", "h1.bias [8, 8, 12]",
                                        "h2.weight [5, 5, 12, 12]", "h2.bias [4, 4, 12]"}));
    EXPECT_EQ(h1.unconnected_weights(), 0);
    EXPECT_EQ(h2.unconnected_weights(), 1200);
    EXPECT_EQ(store.parameter_count() - h2.unconnected_weights(), 1068 + 2592);
    Tape tape;
    const Var y = h2(h1(tape.constant(ramp({3, 16, 16, 1}, DType::f32))));
    EXPECT_EQ(y.shape(), Shape({3, 4, 4, 12}));
}

// out[0] sees the second input plane only.
TEST(Conv2d, ConnectionTableSwitchesPlanesOff) {
    const std::vector<std::uint8_t> table = {0, 1, 1, 1};
    ParameterStore store(DType::f64);
    const Conv2d layer(store, "c", 2, 2,
                       {.kernel = 1,
                        .conv = {.table = table},
                        .bias = ConvBias::none,
                        .weight = Init::constant(1)});
    store.freeze(1);
    Tape tape;
    const Var y = layer(tape.constant(Tensor::from({1, 1, 1, 2}, {3, 5}, DType::f64)));
    EXPECT_EQ(elements(y), (std::vector<double>{5, 8}));
}

TEST(Conv2d, HandsTheChoiceOfWinogradOn) {
    ParameterStore store(DType::f64);
    const Conv2dOptions options{.padding = 1, .winograd = kernels::WinogradTile::f4x4};
    const Conv2d layer(store, "c", 6, 5, {.conv = options});
    store.freeze(1);
    Tape tape;
    const Var x = tape.constant(ramp({2, 7, 9, 6}));
    const Var w = store.var(tape, layer.weight()), b = store.var(tape, layer.bias());

    const std::vector<double> y = elements(layer(x));

    EXPECT_EQ(y, elements(conv2d(x, w, b, options)));
    EXPECT_NE(y, elements(conv2d(x, w, b, {.padding = 1})));
}

TEST(Conv2d, RejectsImpossibleSizes) {
    ParameterStore store;
    const auto tile = kernels::WinogradTile::f2x2;
    EXPECT_THROW(Conv2d(store, "w", 3, 4, {.kernel = 5, .conv = {.winograd = tile}}), Error);
    EXPECT_THROW(Conv2d(store, "w", 3, 4, {.conv = {.stride = 2, .winograd = tile}}), Error);
    EXPECT_THROW(Conv2d(store, "a", 3, 4, {.conv = {.groups = 2}}), Error);
    EXPECT_THROW(Conv2d(store, "b", 3, 4, {.bias = ConvBias::unit}), Error);
    EXPECT_THROW(Conv2d(store, "c", 3, 0), Error);
}

TEST(ConvTranspose2d, DoublesAnImage) {
    ParameterStore store;
    const ConvTranspose2d layer(store, "up", 6, 4, {.conv = {.stride = 2, .padding = 1}});
    store.freeze(1);
    EXPECT_EQ(names(store), (std::vector<std::string>{"up.weight [4, 4, 4, 6]", "up.bias [4]"}));
    Tape tape;
    EXPECT_EQ(layer(tape.constant(ramp({2, 5, 7, 6}, DType::f32))).shape(), Shape({2, 10, 14, 4}));
}

TEST(BatchNorm, CollectsStatisticsOverShardsAndUsesThemInEvaluation) {
    ParameterStore store(DType::f64);
    const BatchNorm norm(store, "bn", 1);
    store.freeze(1);
    Tape tape;
    const Context training, evaluation{.training = false};
    norm(tape.constant(Tensor::from({2, 1}, {1, 3}, DType::f64)), training);
    norm(tape.constant(Tensor::from({2, 1}, {4, 8}, DType::f64)), training);
    store.update_statistics(0.5, 2);
    // Means 2 and 6, unbiased variances 2 and 8, halfway from (0, 1).
    const double mean = 0.5 * 4, variance = 0.5 * 1 + 0.5 * 5;
    EXPECT_EQ(store.value(store.find("bn.running_mean")).at(0), mean);
    EXPECT_EQ(store.value(store.find("bn.running_variance")).at(0), variance);
    const Var y = norm(tape.constant(Tensor::from({1, 1}, {7}, DType::f64)), evaluation);
    EXPECT_NEAR(y.item(), (7 - mean) / std::sqrt(variance + 1e-5), 8 * 0x1p-53 * 5);
}

TEST(BatchNorm, NormalisesABatchWhileTraining) {
    ParameterStore store(DType::f64);
    const BatchNorm norm(store, "bn", 2);
    store.freeze(1);
    Tape tape;
    const Tensor x = ramp({3, 4, 5, 2});
    const Var y = norm(tape.constant(x), Context{});
    const Var expected = batch_norm(tape.constant(x), {}, {});
    // Gain 1 and bias 0 change no bit.
    EXPECT_EQ(elements(y), elements(expected));
    EXPECT_THROW(norm(tape.constant(ramp({1, 2})), Context{}), Error);
}

TEST(Norms, OptOutOfWeightDecayAndStartAsIdentity) {
    ParameterStore store(DType::f64);
    const LayerNorm layer(store, "layer", 4);
    const RmsNorm rms(store, "rms", 4);
    const GroupNorm group(store, "group", 4, 2);
    store.freeze(1);
    EXPECT_EQ(names(store),
              (std::vector<std::string>{"layer.weight [4]", "layer.bias [4]", "rms.weight [4]",
                                        "group.weight [4]", "group.bias [4]"}));
    for (const auto& e : store.entries()) EXPECT_FALSE(e.decays) << e.name;
    Tape tape;
    const Var x = tape.constant(ramp({3, 4}));
    EXPECT_EQ(elements(layer(x)), elements(layer_norm(x, {}, {})));
    EXPECT_EQ(elements(rms(x)), elements(rms_norm(x, {})));
    EXPECT_EQ(elements(group(x)), elements(group_norm(x, {}, {}, 2)));
    EXPECT_THROW(GroupNorm(store, "bad", 4, 3), Error);
}

// AlexNet's numbers on ones: 2 + 1e-4 * 5 inside, two or one channels fewer at the borders.
TEST(Norms, LocalResponseNormStartsWithThePapersNumbers) {
    Tape tape;
    const Var x = tape.constant(Tensor::full({2, 7}, 1, DType::f64));
    const double window[] = {3, 4, 5, 5, 5, 4, 3};

    const std::vector<double> y = elements(LocalResponseNorm{}(x));

    // (0.75 6 + 5.5) u of kernels/lrn.h on numbers of at most 0.6, and up to 3 u for std::pow.
    for (std::size_t i = 0; i < y.size(); ++i) {
        EXPECT_NEAR(y[i], std::pow(2 + 1e-4 * window[i % 7], -0.75), 9 * 0x1p-53) << i;
    }
}

TEST(Embedding, PicksRowsOfItsWeight) {
    ParameterStore store(DType::f64);
    const Embedding table(store, "tokens", 5, 3, Init::uniform(1));
    store.freeze(1);
    const std::vector<std::int32_t> tokens = {4, 0, 4, 2};
    Tape tape;
    const Var y = table(tape, tokens, {2, 2});
    EXPECT_EQ(y.shape(), Shape({2, 2, 3}));
    EXPECT_EQ(y.value<double>()[7], store.value(table.weight()).at(13));
    tape.backward(y, Tensor::full({2, 2, 3}, 1, DType::f64));
    EXPECT_EQ(store.gradient(table.weight()).at(4 * 3), 2);
    EXPECT_EQ(store.gradient(table.weight()).at(1 * 3), 0);
}

Tensor masked(const Dropout& drop, const std::vector<Index>& ids, Index step) {
    Tape tape;
    const Tensor ones = Tensor::full({std::ssize(ids), 64}, 1, DType::f64);
    return drop(tape.constant(ones), {.seed = 3, .step = step, .ids = ids}).tensor();
}

double difference(const Tensor& a, const Tensor& b) {
    double sum = 0;
    for (Index i = 0; i < a.count(); ++i) sum += std::abs(a.at(i) - b.at(i));
    return sum;
}

TEST(Dropout, MaskBelongsToTheSampleNotToItsRow) {
    const Dropout drop("drop", 0.5);
    const Tensor batch = masked(drop, {10, 11, 12}, 4), alone = masked(drop, {12}, 4);
    EXPECT_EQ(difference(batch.slice(2, 3), alone), 0);
    EXPECT_GT(difference(batch.slice(1, 2), alone), 0);
}

TEST(Dropout, MasksDifferBetweenLayersAndUpdates) {
    const Tensor mask = masked(Dropout("a", 0.5), {1}, 0);
    EXPECT_GT(difference(mask, masked(Dropout("b", 0.5), {1}, 0)), 0);
    EXPECT_GT(difference(mask, masked(Dropout("a", 0.5), {1}, 1)), 0);
}

TEST(Dropout, IsTheIdentityInEvaluation) {
    const Dropout drop("drop", 0.5);
    Tape tape;
    const Var x = tape.constant(ramp({2, 3}));
    EXPECT_EQ(drop(x, {.training = false}).index(), x.index());
    EXPECT_THROW(Dropout("bad", 1), Error);
}

TEST(Sequential, ChainsModulesWithAndWithoutContext) {
    ParameterStore store(DType::f64);
    const Linear first(store, "first", 6, 4, {.activation = Activation::relu});
    const BatchNorm norm(store, "norm", 4);
    const Linear last(store, "last", 4, 2);
    Sequential net;
    net.add(first).add(norm).add(last).add([](Var x) { return reshape(x, {6}); });
    store.freeze(1);
    Tape tape;
    const Var x = tape.constant(ramp({3, 6}));
    const Context context;
    const Var expected = reshape(last(norm(first(x), context)), {6});
    EXPECT_EQ(net.size(), 4);
    EXPECT_EQ(elements(net(x, context)), elements(expected));
}

}  // namespace
}  // namespace soma::nn
