#pragma once
// The network of LeCun et al. 1989 and the recipes it is trained with.
//
//   input  16x16, values in [-1, 1], everything outside the image is -1
//   H1     12 planes 8x8, 5x5 kernels stride 2, weights shared in a plane, one bias a unit
//   H2     12 planes 4x4, 5x5 kernels stride 2, each sees 8 of the 12 planes, one bias a unit
//   H3     30 units, full          output  10 units, full
//
//   1,256 units with the input, 64,660 connections, 9,760 parameters
//
// The paper does not say which 8 of the 12 planes; here planes 0-3 of H2 see 0-7, planes 4-7 see
// 4-11, planes 8-11 see 0-3 and 8-11 (the choice of the public reproduction
// karpathy/lecun1989-repro).

#include <array>
#include <memory>

#include "soma/data/loader.h"
#include "soma/nn/conv.h"
#include "soma/nn/dropout.h"
#include "soma/nn/linear.h"
#include "soma/optim/optimizer.h"
#include "soma/train/model.h"

namespace soma::systems {

// What a recipe trains with; `paper`, `sgd` and `modern` are systems.md 4.7.
struct ZipRecipe {
    enum class Rule { diagonal_gauss_newton, sgd, adamw };
    const char* name;
    Rule rule;
    Index passes;
    bool modern_units = false;   // ReLU and softmax cross-entropy instead of 1.7159 tanh and MSE
    bool fan_in_sqrt = false;    // U(+-2.4 / sqrt F) instead of U(+-2.4 / F)
    int shift = 0;               // random shifts of +-shift pixels, rolled
    double dropout = 0;          // on H2's output
    double lr = 0, last_lr = 0;  // linear schedule
    double decay = 0;
    double eps = 0, mu = 0;  // step sizes eps / (mu + h_kk)
    Index curvature_images = 0;
};
const ZipRecipe& zip_recipe(const std::string& name);  // Error(usage) naming the known ones

class ZipNet final : public train::Model {
public:
    ZipNet(const ZipRecipe& recipe, std::uint64_t seed);

    nn::ParameterStore& parameters() override { return store_; }
    Output forward(Tape& tape, const data::Batch& batch, const nn::Context& context) override;
    // The ten output units, after their activation (logits in the modern recipe).
    Var scores(Tape& tape, const Tensor& x, const nn::Context& context) const;

    Index connections() const;      // with biases, as the paper counts
    Index units() const;            // with the input
    Index free_parameters() const;  // unconnected weights not counted
    Tensor first_layer() const;     // kernels [5, 5, 1, 12]

private:
    ZipRecipe recipe_;
    nn::ParameterStore store_;
    std::unique_ptr<nn::Conv2d> h1_, h2_;
    std::unique_ptr<nn::Linear> h3_, output_;
    std::unique_ptr<nn::Dropout> drop_;  // of H2's output; null in the recipes without
};

// The recipe's optimizer, ready to step at learning rate 1 (diagonal Gauss-Newton) or the
// schedule's. `batch` is the number of samples an update averages over.
struct ZipTraining {
    std::unique_ptr<ZipNet> net;
    std::unique_ptr<optim::Optimizer> optimizer;
    std::function<double(Index step)> learning_rate;
    std::function<void(Index pass)> before_pass;  // re-estimates the curvature; may be empty
};
ZipTraining zip_training(const ZipRecipe& recipe, const data::Loader& train, Index passes,
                         std::uint64_t seed);

}  // namespace soma::systems
