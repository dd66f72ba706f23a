// What the op-case rows of conv and pool do not show: the diagonal curvature, that weights outside
// a connection table count as zero whatever they hold, and which passes Winograd's choice changes.

#include "soma/autograd/ops/conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "soma/autograd/ops/math.h"
#include "soma/autograd/ops/pool.h"
#include "soma/core/rng.h"

namespace soma {
namespace {

Tensor uniform(const Shape& shape, std::uint32_t tag) {
    Tensor t(shape, DType::f64);
    RandomSequence random(make_key(3, Purpose::analysis_seeds, 0, tag));
    for (double& v : t.data<double>()) v = random.uniform(-1, 1);
    return t;
}

Tensor squared(const Tensor& x) {
    Tensor t = x.clone();
    for (double& v : t.data<double>()) v *= v;
    return t;
}

void expect_equal(const Tensor& a, const Tensor& b) {
    ASSERT_EQ(a.shape(), b.shape());
    for (Index i = 0; i < a.count(); ++i) EXPECT_EQ(a.at(i), b.at(i)) << "element " << i;
}

const std::vector<std::uint8_t> kTable = {1, 0, 1, 1, 1, 0};  // [2 inputs, 3 outputs]

// For a linear layer the curvature is the gradient of the layer with squared operands.
TEST(Conv2d, CurvatureIsTheBackwardPassWithSquaredOperands) {
    const Tensor x = uniform({2, 6, 6, 2}, 1), w = uniform({5, 5, 2, 3}, 2);
    const Tensor b = uniform({3, 3, 3}, 3), seed = squared(uniform({2, 3, 3, 3}, 4));
    const Conv2dOptions options{.stride = 2, .padding = 2, .pad_value = -3, .table = kTable};
    Conv2dOptions squares = options;
    squares.pad_value = 9;
    Tape tape, other;
    const Var vx = tape.input(x), vw = tape.input(w), vb = tape.input(b);
    const Var sx = other.input(squared(x)), sw = other.input(squared(w)), sb = other.input(b);

    tape.curvature(conv2d(vx, vw, vb, options), seed);
    other.backward(conv2d(sx, sw, sb, squares), seed);

    expect_equal(vx.gradient(), sx.gradient());
    expect_equal(vw.gradient(), sw.gradient());
    expect_equal(vb.gradient(), sb.gradient());
}

TEST(Conv2d, CurvaturePassesTheActivationWithItsSquaredSlope) {
    const Tensor x = uniform({1, 1, 1, 1}, 1), one = Tensor::full({1, 1, 1, 1}, 1, DType::f64);
    Tape tape;
    const Var v = tape.input(x);
    const Var y = conv2d(v, tape.constant(one), {}, {.activation = Activation::tanh});

    tape.backward(y, one);
    const double slope = v.gradient().at(0);
    tape.curvature(y, Tensor::full({1, 1, 1, 1}, 2, DType::f64));

    EXPECT_DOUBLE_EQ(v.gradient().at(0), 2 * slope * slope);
}

TEST(Conv2d, WeightsOutsideTheTableCountAsZero) {
    const Tensor x = uniform({1, 4, 4, 2}, 1), w = uniform({3, 3, 2, 3}, 2);
    Tensor zeroed = w.clone();
    for (Index i = 0; i < w.count(); ++i) {
        if (kTable[static_cast<std::size_t>(i % 6)] == 0) zeroed.data<double>()[i] = 0;
    }
    Tape tape;
    const Var vw = tape.input(w);
    const Var y = conv2d(tape.constant(x), vw, {}, {.table = kTable});

    tape.backward(y, Tensor::full(y.shape(), 1, DType::f64));

    expect_equal(y.tensor(), conv2d(tape.constant(x), tape.constant(zeroed)).tensor());
    for (Index i = 0; i < w.count(); ++i) {
        EXPECT_EQ(vw.gradient().at(i) == 0, kTable[static_cast<std::size_t>(i % 6)] == 0);
    }
}

// The table masks what its own op adds, not what another use of the same weights has added.
TEST(Conv2d, SharedWeightsGetTheSumOfEachUsesGradient) {
    const Tensor x = uniform({1, 4, 4, 2}, 1), w = uniform({3, 3, 2, 3}, 2);
    const Tensor seed = Tensor::full({1, 2, 2, 3}, 1, DType::f64);
    const std::vector<std::uint8_t> other = {0, 1, 1, 0, 1, 1};
    const std::span<const std::uint8_t> tables[] = {kTable, other, {}};
    Tensor sum = Tensor::zeros(w.shape(), DType::f64);
    for (const auto table : tables) {
        Tape tape;
        const Var vw = tape.input(w);
        tape.backward(conv2d(tape.constant(x), vw, {}, {.table = table}), seed);
        for (Index i = 0; i < w.count(); ++i) sum.data<double>()[i] += vw.gradient().at(i);
    }
    Tape tape;
    const Var vw = tape.input(w), vx = tape.constant(x);
    // The sweep runs backwards: the last use contributes first, as in the sum above.
    const Var none = conv2d(vx, vw, {}, {}), second = conv2d(vx, vw, {}, {.table = other});
    const Var first = conv2d(vx, vw, {}, {.table = kTable});

    tape.backward(add(add(none, second), first), seed);

    expect_equal(vw.gradient(), sum);
}

// uniform() over 3: products of its values, exact in f32, would be exact in f64.
Tensor full_mantissas(const Shape& shape, std::uint32_t tag) {
    Tensor t = uniform(shape, tag);
    for (double& v : t.data<double>()) v /= 3;
    return t;
}

// x [2, 9, 8, 5], w [3, 3, 5, 6]: one forward and backward pass.
struct Pass {
    Tensor y, dx, dw;
    explicit Pass(const Conv2dOptions& options) {
        Tape tape;
        const Var x = tape.input(full_mantissas({2, 9, 8, 5}, 1));
        const Var w = tape.input(full_mantissas({3, 3, 5, 6}, 2));
        const Var out = conv2d(x, w, {}, options);
        tape.backward(out, full_mantissas(out.shape(), 3));
        y = out.tensor(), dx = x.gradient(), dw = w.gradient();
    }
};

double largest_difference(const Tensor& a, const Tensor& b) {
    double worst = 0;
    for (Index i = 0; i < a.count(); ++i) worst = std::max(worst, std::abs(a.at(i) - b.at(i)));
    return worst;
}

// The bound of kernels/winograd.h and that of direct, L = 9 and at most 54 roundings, together.
TEST(Conv2d, WinogradStaysNearDirectAndLeavesTheWeightsGradientAlone) {
    const Pass direct({.padding = 1});
    for (const auto tile : {kernels::WinogradTile::f2x2, kernels::WinogradTile::f4x4}) {
        const bool small = tile == kernels::WinogradTile::f2x2;
        const double channels = 6, depth = (small ? 10 : 22) + channels;

        const Pass pass({.padding = 1, .winograd = tile});

        const double bound = ((small ? 64 : 620) * depth + 9 * 54) * channels * 0x1p-53 * 1.001;
        for (const double d :
             {largest_difference(pass.y, direct.y), largest_difference(pass.dx, direct.dx)}) {
            EXPECT_GT(d, 0) << "the products differ, so some bits must";
            EXPECT_LE(d, bound);
        }
        expect_equal(pass.dw, direct.dw);
    }
}

TEST(Conv2d, CurvatureIsDirectWhateverTheForwardPass) {
    const Tensor x = uniform({1, 6, 6, 3}, 1), w = uniform({3, 3, 3, 2}, 2);
    const auto curvature = [&](const Conv2dOptions& options) {
        Tape tape;
        const Var vx = tape.input(x), vw = tape.input(w);
        const Var y = conv2d(vx, vw, {}, options);
        tape.curvature(y, squared(uniform(y.shape(), 3)));
        return std::pair(vx.gradient(), vw.gradient());
    };

    const auto [dx, dw] = curvature({});
    const auto [wx, ww] = curvature({.winograd = kernels::WinogradTile::f2x2});

    expect_equal(wx, dx);
    expect_equal(ww, dw);
}

TEST(Conv2d, WinogradRefusesWhatItCannotDo) {
    Tape tape;
    const Var x = tape.input(uniform({1, 8, 8, 4}, 1)), w = tape.input(uniform({3, 3, 4, 4}, 2));
    const Var wide = tape.input(uniform({5, 5, 4, 4}, 3));
    const Var grouped = tape.input(uniform({3, 3, 2, 4}, 4));
    const auto tile = kernels::WinogradTile::f2x2;

    EXPECT_THROW(conv2d(x, w, {}, {.stride = 2, .winograd = tile}), Error);
    EXPECT_THROW(conv2d(x, w, {}, {.dilation = 2, .winograd = tile}), Error);
    EXPECT_THROW(conv2d(x, wide, {}, {.winograd = tile}), Error);
    EXPECT_THROW(conv2d(x, grouped, {}, {.groups = 2, .winograd = tile}), Error);
    EXPECT_NO_THROW(conv2d(x, w, {}, {.winograd = tile}));
}

TEST(Conv2d, CountsTwoFlopAMultiplyForwardAndForEachGradient) {
    Tape tape;
    const Var x = tape.input(uniform({2, 5, 5, 3}, 1)), w = tape.input(uniform({3, 3, 3, 4}, 2));
    const double forward = 2.0 * 2 * 3 * 3 * 4 * 3 * 3 * 3;

    const Var y = conv2d(x, w);
    EXPECT_EQ(tape.flop(), forward);
    tape.backward(y, Tensor::full(y.shape(), 1, DType::f64));
    EXPECT_EQ(tape.flop(), 3 * forward);
}

TEST(AvgPool2d, CurvatureSpreadsOverTheSquareOfTheCount) {
    Tape tape;
    const Var x = tape.input(uniform({1, 2, 2, 1}, 1));

    tape.curvature(avg_pool2d(x), Tensor::full({1, 1, 1, 1}, 8, DType::f64));

    for (Index i = 0; i < 4; ++i) EXPECT_EQ(x.gradient().at(i), 0.5);
}

}  // namespace
}  // namespace soma
