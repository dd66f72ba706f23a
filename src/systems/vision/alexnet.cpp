#include "systems/vision/alexnet.h"

#include "soma/autograd/ops/loss.h"
#include "soma/autograd/ops/pool.h"
#include "soma/autograd/ops/shape.h"
#include "soma/core/text.h"
#include "soma/dist/comm.h"
#include "systems/vision/join_halves.h"

namespace soma::systems {
namespace {

constexpr Index kPool = 3, kPoolStride = 2;

bool has_groups(std::size_t convolution) { return convolution != 0 && convolution != 2; }
bool is_pooled(std::size_t convolution) { return convolution != 2 && convolution != 3; }

// Start values: weights, and biases where the paper has ones.
nn::Init weights(const AlexNetOptions& o, Index fan_in) {
    return o.printed_start ? nn::Init::normal(0.01) : nn::Init::he_normal(fan_in);
}
nn::Init biases(const AlexNetOptions& o, bool ones) {
    return nn::Init::constant(o.printed_start && ones ? 1 : 0);
}

Index pooled_side(Index side, bool overlapping) {
    return overlapping ? (side - kPool) / kPoolStride + 1 : side / kPoolStride;
}

}  // namespace

AlexNet::AlexNet(const AlexNetOptions& options) : AlexNet(options, nullptr) {}

AlexNet::AlexNet(const AlexNetOptions& options, dist::Comm& comm) : AlexNet(options, &comm) {
    SOMA_CHECK(comm.size() == 2 && options.groups == 2, "AlexNet: ", comm.size(), " ranks, ",
               options.groups, " groups; need two ranks and two groups");
}

AlexNet::AlexNet(const AlexNetOptions& options, dist::Comm* comm)
    : options_(options),
      comm_(comm),
      parts_(comm == nullptr ? 1 : 2),
      drop6_("drop6", options.dropout),
      drop7_("drop7", options.dropout),
      lrn_({.alpha = options.alpha}) {
    const AlexNetSize& size = options.size;
    Index side = size.side, seen = size.channels;  // maps of the layer before, of both halves
    for (std::size_t i = 0; i < size.convolutions.size(); ++i) {
        const AlexNetSize::Convolution& c = size.convolutions[i];
        const Index groups = has_groups(i) ? options.groups : 1, part = groups > 1 ? parts_ : 1;
        const Index taps = c.kernel * c.kernel * seen / groups;
        const std::string name = concat("conv", i + 1);
        convolutions_.emplace_back(
            store_, name, seen / part, c.maps / parts_,
            nn::Conv2dLayerOptions{.kernel = c.kernel,
                                   .conv = {.stride = c.stride,
                                            .padding = c.padding,
                                            .groups = groups / part,
                                            .activation = options.activation},
                                   .weight = weights(options, taps),
                                   .bias_init = biases(options, has_groups(i))});
        side = (side + 2 * c.padding - c.kernel) / c.stride + 1;
        const Index units = side * side * c.maps / parts_;
        layers_.push_back({concat("C", i + 1), (taps + 1) * c.maps / parts_, units * taps, units});
        if (is_pooled(i)) side = pooled_side(side, options.overlapping);
        seen = c.maps;
    }
    seen *= side * side;
    for (const Index number : {6, 7, 8}) {
        const bool last = number == 8;
        const Index units = (last ? size.classes : size.hidden) / parts_;
        dense_.emplace_back(
            store_, concat("fc", number), seen, units,
            nn::LinearOptions{.activation = last ? Activation::none : options.activation,
                              .weight = last ? nn::Init::normal(0.01) : weights(options, seen),
                              .bias_init = biases(options, !last)});
        layers_.push_back({concat("F", number), (seen + 1) * units, seen * units, units});
        seen = size.hidden;
    }
}

// The reshape gives each half its own row, so the window ends at the border.
Var AlexNet::normalised(Var x) const {
    if (!options_.normalises) return x;
    const Index halves = options_.groups / parts_;
    const Shape shape = x.shape();
    const Var rows = reshape(x, {shape.rows() * halves, shape.cols() / halves});
    return reshape(lrn_(rows), shape);
}

Var AlexNet::pooled(Var x) const {
    return options_.overlapping ? max_pool2d(x, {.window = kPool, .stride = kPoolStride})
                                : max_pool2d(x, {.window = kPoolStride});
}

Var AlexNet::joined(Var x) const {
    return comm_ == nullptr ? x : join_halves(*comm_, x, JoinedUse::own_kernels);
}

Var AlexNet::scores(Tape& tape, const Tensor& x, const nn::Context& context) const {
    Var y = tape.constant(x);
    y = pooled(normalised(convolutions_[0](y)));
    y = pooled(normalised(convolutions_[1](y)));
    y = convolutions_[3](convolutions_[2](joined(y)));
    y = joined(pooled(convolutions_[4](y)));
    y = reshape(y, {x.shape()[0], y.shape().count() / x.shape()[0]});
    y = drop6_(joined(dense_[0](y)), context);
    y = drop7_(joined(dense_[1](y)), context);
    y = dense_[2](y);
    return comm_ == nullptr ? y : join_halves(*comm_, y, JoinedUse::same_result);
}

train::Model::Output AlexNet::forward(Tape& tape, const data::Batch& batch,
                                      const nn::Context& context) {
    const Var y = scores(tape, batch.x, context);
    return {softmax_cross_entropy(y, batch.labels, {.weights = batch.weight}), y};
}

Tensor AlexNet::first_layer() const { return store_.value(convolutions_[0].weight()); }

}  // namespace soma::systems
