#pragma once
// AlexNet (Krizhevsky, Sutskever & Hinton 2012): the net at any size, whole or as one of the halves
// that the paper put on two GPUs.
//
//   image -> C1, LRN, pool -> C2*, LRN, pool -> C3 -> C4* -> C5*, pool
//         -> F6, dropout -> F7, dropout -> F8
//
//   C convolution, F dense layer; ReLU after all but F8; pooling 3x3 with stride 2 overlaps
//   *  two groups: each half of the kernels sees the half of the maps that its GPU holds
//
// Half 0 holds the first half of each layer's kernels or units, half 1 the rest. C2, C4 and C5 see
// the maps of their own half; C3 and the dense layers those of both, joined (join_halves.h).
// Normalisation does not cross the border of the halves, in the whole net neither.

#include <array>
#include <vector>

#include "soma/nn/conv.h"
#include "soma/nn/dropout.h"
#include "soma/nn/linear.h"
#include "soma/nn/norm.h"
#include "systems/vision/vision_net.h"

namespace soma::dist {
class Comm;
}

namespace soma::systems {

struct AlexNetSize {
    struct Convolution {
        Index kernel, stride, padding, maps;
    };
    Index side, channels;  // of the image
    std::array<Convolution, 5> convolutions;
    Index hidden, classes;  // units of F6 and F7, of F8
};

// As printed, but for the side of the image: 224 in the text, 227 in the arithmetic.
inline constexpr AlexNetSize kAlexNetFull{
    227,
    3,
    {{{11, 4, 0, 96}, {5, 1, 2, 256}, {3, 1, 1, 384}, {3, 1, 1, 384}, {3, 1, 1, 256}}},
    4096,
    1000};
// The same layers for images of 28x28.
inline constexpr AlexNetSize kAlexNetSmall{
    28, 1, {{{5, 1, 2, 32}, {5, 1, 2, 64}, {3, 1, 1, 96}, {3, 1, 1, 96}, {3, 1, 1, 64}}}, 512, 10};

struct AlexNetOptions {
    AlexNetSize size = kAlexNetSmall;
    Index groups = 2;  // of C2, C4, C5 and of the normalisation; 1: a net for one GPU
    Activation activation = Activation::relu;
    bool normalises = true;
    double alpha = 1e-4;      // of the normalisation, for pixels as large as the paper's
    bool overlapping = true;  // false: pooling 2x2
    double dropout = 0.5;
    // N(0, .01), biases 1 in C2, C4, C5, F6 and F7. false: N(0, 2 / fan-in), biases 0.
    bool printed_start = false;
};

class AlexNet final : public VisionNet {
public:
    // The whole net. parameters().freeze(seed) starts it.
    explicit AlexNet(const AlexNetOptions& options);
    // The half of this rank of two. Forward passes and sweeps are collective; comm outlives the
    // net. Error(usage) unless comm has two ranks and the net two groups.
    AlexNet(const AlexNetOptions& options, dist::Comm& comm);

    nn::ParameterStore& parameters() override { return store_; }
    Output forward(Tape& tape, const data::Batch& batch, const nn::Context& context) override;
    // x [N, side, side, channels] -> logits [N, classes], of both halves.
    Var scores(Tape& tape, const Tensor& x, const nn::Context& context) const;

    // C1 ... F8, of the whole net or of the half.
    std::vector<LayerCount> layers() const override { return layers_; }
    Tensor first_layer() const override;  // kernels [KH, KW, channels, maps]

private:
    AlexNet(const AlexNetOptions& options, dist::Comm* comm);
    Var normalised(Var x) const;
    Var pooled(Var x) const;
    Var joined(Var x) const;  // the maps of both halves

    AlexNetOptions options_;
    dist::Comm* comm_;  // null: whole
    Index parts_;       // GPUs over which the net is spread
    nn::ParameterStore store_;
    std::vector<nn::Conv2d> convolutions_;
    std::vector<nn::Linear> dense_;
    nn::Dropout drop6_, drop7_;
    nn::LocalResponseNorm lrn_;
    std::vector<LayerCount> layers_;
};

}  // namespace soma::systems
