// Diagonal curvature (LeCun 1989) against the exact Gauss-Newton diagonal where it is exact, and
// against the recursion written as plain loops everywhere.

#include "soma/optim/curvature.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "soma/autograd/ops/math.h"
#include "soma/autograd/ops/shape.h"
#include "soma/core/rng.h"
#include "soma/nn/conv.h"
#include "soma/nn/linear.h"

namespace soma::optim {
namespace {

Tensor samples(const Shape& shape) {
    Tensor x(shape, DType::f64);
    RandomSequence random(make_key(5, Purpose::data_generation));
    for (double& v : x.data<double>()) v = random.uniform(-1, 1);
    return x;
}

// Mean over samples of sum_o (dy_o / dw_k)^2, by central differences in f64: relative error about
// 1e-9 for eps = 1e-5.
std::vector<double> exact_diagonal(nn::ParameterStore& store, nn::ParameterId id,
                                   const OutputFunction& output) {
    const double eps = 1e-5;
    Tensor w = store.value(id);
    std::vector<double> h;
    const auto evaluate = [&](double& element, double value) {
        element = value;
        Tape tape(Tape::Mode::no_grad);
        return output(tape, 0).tensor();
    };
    for (double& element : w.data<double>()) {
        const double saved = element;
        const Tensor high = evaluate(element, saved + eps), low = evaluate(element, saved - eps);
        element = saved;
        double sum = 0;
        for (Index i = 0; i < high.count(); ++i) {
            const double slope = (high.at(i) - low.at(i)) / (2 * eps);
            sum += slope * slope;
        }
        h.push_back(sum / static_cast<double>(high.shape()[0]));
    }
    return h;
}

std::vector<double> part(const nn::ParameterStore& store, nn::ParameterId id, const Tensor& flat) {
    const auto& e = store.entry(id);
    std::vector<double> values;
    for (Index i = 0; i < e.shape.count(); ++i) values.push_back(flat.at(e.offset + i));
    return values;
}

// In two dense layers every weight reaches an output by one path, so the recursion is exact.
TEST(DiagonalCurvature, EqualsTheGaussNewtonDiagonalOfTwoDenseLayers) {
    nn::ParameterStore store(DType::f64);
    const nn::Linear hidden(store, "hidden", 5, 4, {.activation = Activation::scaled_tanh});
    const nn::Linear last(store, "last", 4, 3, {.activation = Activation::gelu});
    store.freeze(2);
    const Tensor x = samples({6, 5});
    const OutputFunction output = [&](Tape& tape, Index) { return last(hidden(tape.constant(x))); };
    const Tensor h = diagonal_curvature(store, 1, output);
    for (const auto id : {hidden.weight(), hidden.bias(), last.weight(), last.bias()}) {
        const std::vector<double> expected = exact_diagonal(store, id, output);
        const std::vector<double> own = part(store, id, h);
        for (std::size_t i = 0; i < own.size(); ++i) {
            EXPECT_NEAR(own[i], expected[i], 1e-4 * expected[i]) << store.entry(id).name << i;
        }
    }
}

TEST(DiagonalCurvature, AveragesOverBatchesAndLeavesTheGradientsAtZero) {
    nn::ParameterStore store(DType::f64);
    const nn::Linear layer(store, "l", 5, 2, {.activation = Activation::tanh});
    store.freeze(2);
    store.gradients().fill(7);
    const Tensor x = samples({6, 5});
    const auto at = [&](Index begin, Index end) {
        return [&, begin, end](Tape& tape, Index) {
            return layer(tape.constant(x.slice(begin, end)));
        };
    };
    const Tensor whole = diagonal_curvature(store, 1, at(0, 6));
    const Tensor split = diagonal_curvature(
        store, 3, [&](Tape& tape, Index batch) { return at(2 * batch, 2 * batch + 2)(tape, 0); });
    const Tensor doubled = diagonal_curvature(store, 1, at(0, 6), 2);
    for (Index i = 0; i < whole.count(); ++i) {
        // Sums of six terms in two orders, each within 6 u.
        EXPECT_NEAR(split.at(i), whole.at(i), 12 * 0x1p-53 * whole.at(i));
        EXPECT_EQ(doubled.at(i), 2 * whole.at(i));
        EXPECT_EQ(store.gradients().at(i), 0);
    }
}

// A miniature of the 1989 net: shared kernels, one bias per unit, borders of -1, dense output.
struct ZipNet {
    static constexpr Index kSide = 5, kOut = 3, kPlanes = 2, kKernel = 3, kClasses = 2;
    static constexpr Index kUnits = kOut * kOut * kPlanes;

    nn::ParameterStore store{DType::f64};
    nn::Conv2d conv{store,
                    "conv",
                    1,
                    kPlanes,
                    {.kernel = kKernel,
                     .conv = {.stride = 2,
                              .padding = 1,
                              .pad_value = -1,
                              .activation = Activation::scaled_tanh},
                     .bias = nn::ConvBias::unit,
                     .image = kSide}};
    nn::Linear dense{store, "dense", kUnits, kClasses, {.activation = Activation::scaled_tanh}};

    Var operator()(Tape& tape, const Tensor& x) const {
        return dense(reshape(conv(tape.constant(x)), {x.shape()[0], kUnits}));
    }
};

double unit(double a) { return 1.7159 * std::tanh(2 * a / 3); }
double unit_slope(double a) {
    const double t = std::tanh(2 * a / 3);
    return 1.7159 * 2 / 3 * (1 - t * t);
}

struct Recursion {
    std::vector<double> kernel, conv_bias, weight, bias;  // diagonals, summed over samples
};

double pixel(const double* x, Index i, Index j) {
    const bool inside = i >= 0 && i < ZipNet::kSide && j >= 0 && j < ZipNet::kSide;
    return inside ? x[i * ZipNet::kSide + j] : -1;
}

// f(unit, plane, tap, input) over all connections of the convolution.
template <class F>
void for_each_connection(const double* x, F&& f) {
    using Z = ZipNet;
    for (Index u = 0; u < Z::kUnits; ++u) {
        const Index plane = u % Z::kPlanes, row = u / Z::kPlanes / Z::kOut,
                    column = u / Z::kPlanes % Z::kOut;
        for (Index tap = 0; tap < Z::kKernel * Z::kKernel; ++tap) {
            f(u, plane, tap,
              pixel(x, 2 * row + tap / Z::kKernel - 1, 2 * column + tap % Z::kKernel - 1));
        }
    }
}

// h_a = f'(a)^2 h_y, h_w = sum h_a x^2, h_x = sum h_a w^2 (systems.md 4.7), for one sample.
void add_recursion(const ZipNet& net, const double* x, Recursion& h) {
    using Z = ZipNet;
    const auto at = [&](nn::ParameterId id, Index i) { return net.store.value(id).at(i); };
    std::vector<double> a(Z::kUnits), h_y(Z::kUnits, 0.0);
    for (Index u = 0; u < Z::kUnits; ++u) a[std::size_t(u)] = at(net.conv.bias(), u);
    for_each_connection(x, [&](Index u, Index plane, Index tap, double input) {
        a[std::size_t(u)] += input * at(net.conv.weight(), tap * Z::kPlanes + plane);
    });
    for (Index c = 0; c < Z::kClasses; ++c) {
        double sum = at(net.dense.bias(), c);
        for (Index u = 0; u < Z::kUnits; ++u) {
            sum += unit(a[std::size_t(u)]) * at(net.dense.weight(), u * Z::kClasses + c);
        }
        const double h_a = unit_slope(sum) * unit_slope(sum);
        h.bias[std::size_t(c)] += h_a;
        for (Index u = 0; u < Z::kUnits; ++u) {
            const double w = at(net.dense.weight(), u * Z::kClasses + c);
            const double y = unit(a[std::size_t(u)]);
            h.weight[std::size_t(u * Z::kClasses + c)] += h_a * y * y;
            h_y[std::size_t(u)] += h_a * w * w;
        }
    }
    const auto h_unit = [&](Index u) {
        const double slope = unit_slope(a[std::size_t(u)]);
        return slope * slope * h_y[std::size_t(u)];
    };
    for (Index u = 0; u < Z::kUnits; ++u) h.conv_bias[std::size_t(u)] += h_unit(u);
    for_each_connection(x, [&](Index u, Index plane, Index tap, double input) {
        h.kernel[std::size_t(tap * Z::kPlanes + plane)] += h_unit(u) * input * input;
    });
}

TEST(DiagonalCurvature, EqualsThePlainRecursionOnAConvolutionalNet) {
    using Z = ZipNet;
    ZipNet net;
    net.store.freeze(4);
    const Index n = 4;
    const Tensor x = samples({n, Z::kSide, Z::kSide, 1});
    Recursion r{std::vector<double>(Z::kKernel * Z::kKernel * Z::kPlanes),
                std::vector<double>(Z::kUnits), std::vector<double>(Z::kUnits * Z::kClasses),
                std::vector<double>(Z::kClasses)};
    for (Index s = 0; s < n; ++s) {
        add_recursion(net, x.data<double>().data() + s * Z::kSide * Z::kSide, r);
    }
    const Tensor h =
        diagonal_curvature(net.store, 1, [&](Tape& tape, Index) { return net(tape, x); });
    const std::pair<nn::ParameterId, const std::vector<double>*> parts[] = {
        {net.conv.weight(), &r.kernel},
        {net.conv.bias(), &r.conv_bias},
        {net.dense.weight(), &r.weight},
        {net.dense.bias(), &r.bias}};
    for (const auto& [id, sum] : parts) {
        const std::vector<double> own = part(net.store, id, h);
        for (std::size_t i = 0; i < own.size(); ++i) {
            const double expected = (*sum)[i] / static_cast<double>(n);
            // Sums of positive terms, at most 100 in a chain; slopes amplify their argument's
            // error by less than 10.
            EXPECT_NEAR(own[i], expected, 1000 * 0x1p-53 * expected) << net.store.entry(id).name;
        }
    }
}

TEST(DiagonalCurvature, IsLaidOutLikeTheTrainablePart) {
    nn::ParameterStore store(DType::f64);
    const nn::Linear layer(store, "l", 5, 2);
    store.add_statistic("running mean", {40}, nn::Init::zeros());
    store.freeze(2);
    const Tensor x = samples({6, 5});
    const Tensor h =
        diagonal_curvature(store, 1, [&](Tape& tape, Index) { return layer(tape.constant(x)); });
    EXPECT_EQ(h.shape(), Shape({store.trainable_count()}));
    EXPECT_EQ(h.at(store.entry(layer.bias()).offset), 1);
}

TEST(DiagonalCurvature, NamesAnOpThatHasNone) {
    nn::ParameterStore store(DType::f64);
    const nn::Linear layer(store, "l", 2, 2);
    store.freeze(1);
    const Tensor x = samples({2, 2});
    try {
        diagonal_curvature(store, 1,
                           [&](Tape& tape, Index) { return exp(layer(tape.constant(x))); });
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("exp"), std::string::npos) << e.what();
    }
}

}  // namespace
}  // namespace soma::optim
