#pragma once
// ResNet-18 (He, Zhang, Ren & Sun 2015) at any size.
//
//   stem -> 2 blocks of w maps -> 2 of 2w, stride 2 -> 2 of 4w, stride 2 -> 2 of 8w, stride 2
//        -> mean over pixels -> dense
//   block   y = relu(shortcut(x) + norm(conv 3x3(relu(norm(conv 3x3(x))))))
//   stem    conv 7x7 stride 2, norm, relu, max pool 3x3 stride 2 (images of 224x224), or
//           conv 3x3, norm, relu (images of 28x28 or 32x32)
//
// Convolutions have no bias; norm is batch normalisation, of each shard while training
// (distributed.md 8). N(0, 2 / fan-in) starts convolutions, N(0, .01) the dense layer.

#include <string>
#include <vector>

#include "soma/nn/conv.h"
#include "soma/nn/linear.h"
#include "soma/nn/norm.h"
#include "systems/vision/vision_net.h"

namespace soma::systems {

// How a block with other maps or another stride than its input passes it on.
enum class Shortcut {
    identity,    // option A: every second pixel, the missing maps zero; no parameters
    projection,  // option B: convolution 1x1 and normalisation
};

struct ResNetOptions {
    Index side = 28, channels = 1, classes = 10;  // of the image
    Index width = 16;                             // w
    bool small_stem = true;
    Shortcut shortcut = Shortcut::identity;
};

// As printed, with the shortcuts of the 11,689,512 parameters that are quoted for it.
inline constexpr ResNetOptions kResNetFull{224, 3, 1000, 64, false, Shortcut::projection};

class ResNet18 final : public VisionNet {
public:
    // parameters().freeze(seed) starts it.
    explicit ResNet18(const ResNetOptions& options);

    nn::ParameterStore& parameters() override { return store_; }
    Output forward(Tape& tape, const data::Batch& batch, const nn::Context& context) override;
    // x [N, side, side, channels] -> logits [N, classes]
    Var scores(Tape& tape, const Tensor& x, const nn::Context& context) const;

    // stem, stage1 ... stage4, dense; units are those behind an activation or of the last layer.
    std::vector<LayerCount> layers() const override { return layers_; }
    Tensor first_layer() const override;  // kernels [KH, KW, channels, w]

private:
    // A convolution and its normalisation.
    struct NormedConv {
        nn::Conv2d conv;
        nn::BatchNorm norm;
        Var operator()(Var x, const nn::Context& context) const { return norm(conv(x), context); }
    };
    struct Block {
        NormedConv first, second;
        std::vector<NormedConv> projection;  // one, or none
        Index stride, more_maps;             // that the shortcut of option A fills with zeros
    };

    // Adds the layer's numbers to layers_.back(); `side` becomes that of its output.
    NormedConv add_conv(const std::string& name, Index in, Index out, Index kernel, Index stride,
                        Index& side);
    Block add_block(const std::string& name, Index in, Index out, Index stride, Index& side);
    Var block(const Block& b, Var x, const nn::Context& context) const;

    ResNetOptions options_;
    nn::ParameterStore store_;
    std::vector<LayerCount> layers_;
    std::vector<NormedConv> stem_;
    std::vector<Block> blocks_;
    std::vector<nn::Linear> dense_;
};

}  // namespace soma::systems
