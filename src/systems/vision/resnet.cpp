#include "systems/vision/resnet.h"

#include "soma/autograd/ops/loss.h"
#include "soma/autograd/ops/math.h"
#include "soma/autograd/ops/pool.h"
#include "soma/autograd/ops/shape.h"
#include "soma/core/text.h"

namespace soma::systems {

ResNet18::ResNet18(const ResNetOptions& options) : options_(options) {
    Index side = options.side, maps = options.width;
    layers_.push_back({.name = "stem"});
    stem_.push_back(options.small_stem ? add_conv("stem", options.channels, maps, 3, 1, side)
                                       : add_conv("stem", options.channels, maps, 7, 2, side));
    layers_.back().units = side * side * maps;
    if (!options.small_stem) side = (side + 1) / 2;  // pooled
    for (Index stage = 1; stage <= 4; ++stage) {
        layers_.push_back({.name = concat("stage", stage)});
        const Index in = maps;
        if (stage > 1) maps *= 2;
        const std::string name = concat("stage", stage, ".block");
        blocks_.push_back(add_block(name + "1", in, maps, stage > 1 ? 2 : 1, side));
        blocks_.push_back(add_block(name + "2", maps, maps, 1, side));
    }
    dense_.emplace_back(store_, "dense", maps, options.classes,
                        nn::LinearOptions{.weight = nn::Init::normal(0.01)});
    layers_.push_back(
        {"dense", (maps + 1) * options.classes, maps * options.classes, options.classes});
}

ResNet18::NormedConv ResNet18::add_conv(const std::string& name, Index in, Index out, Index kernel,
                                        Index stride, Index& side) {
    const Index taps = kernel * kernel * in, padding = kernel / 2;
    side = (side + 2 * padding - kernel) / stride + 1;
    LayerCount& count = layers_.back();
    count.parameters += (taps + 2) * out;
    count.connections += side * side * out * taps;
    return {nn::Conv2d(store_, name + ".conv", in, out,
                       {.kernel = kernel,
                        .conv = {.stride = stride, .padding = padding},
                        .bias = nn::ConvBias::none,
                        .weight = nn::Init::he_normal(taps)}),
            nn::BatchNorm(store_, name + ".norm", out)};
}

ResNet18::Block ResNet18::add_block(const std::string& name, Index in, Index out, Index stride,
                                    Index& side) {
    Index projected_side = side;
    NormedConv first = add_conv(name + ".first", in, out, 3, stride, side);
    NormedConv second = add_conv(name + ".second", out, out, 3, 1, side);
    Block b{std::move(first), std::move(second), {}, stride, out - in};
    if (in != out && options_.shortcut == Shortcut::projection) {
        b.projection.push_back(add_conv(name + ".projection", in, out, 1, stride, projected_side));
    }
    layers_.back().units += 2 * side * side * out;
    return b;
}

Var ResNet18::block(const Block& b, Var x, const nn::Context& context) const {
    const Var residual = b.second(relu(b.first(x, context)), context);
    if (!b.projection.empty()) return relu(b.projection.front()(x, context) + residual);
    if (b.more_maps > 0) {
        x = avg_pool2d(x, {.window = 1, .stride = b.stride});
        x = pad(x, {{}, {}, {}, {.after = b.more_maps}});
    }
    return relu(x + residual);
}

Var ResNet18::scores(Tape& tape, const Tensor& x, const nn::Context& context) const {
    Var y = relu(stem_.front()(tape.constant(x), context));
    if (!options_.small_stem) y = max_pool2d(y, {.window = 3, .stride = 2, .padding = 1});
    for (const Block& b : blocks_) y = block(b, y, context);
    return dense_.front()(global_avg_pool(y));
}

train::Model::Output ResNet18::forward(Tape& tape, const data::Batch& batch,
                                       const nn::Context& context) {
    const Var y = scores(tape, batch.x, context);
    return {softmax_cross_entropy(y, batch.labels, {.weights = batch.weight}), y};
}

Tensor ResNet18::first_layer() const { return store_.value(stem_.front().conv.weight()); }

}  // namespace soma::systems
