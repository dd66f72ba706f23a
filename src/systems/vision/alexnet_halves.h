#pragma once
// AlexNet on two ranks, half of the kernels on each, as on the two GPUs of 2012.
//
// Every product of a half's forward pass is one of the whole net's, so both give the same logits.
// Of the backward pass one sum differs: the gradient of maps that both halves read (before C3, F6,
// F7 and F8) is added up inside each half and then over the two, in the whole net in one chain.

#include "soma/nn/parameter_store.h"
#include "systems/vision/alexnet.h"
#include "systems/vision/image_claims.h"

namespace soma::systems {

// Copies half `rank` of every layer's kernels or units. Both stores are frozen.
void take_half(const nn::ParameterStore& whole, nn::ParameterStore& half, int rank);
void put_half(const nn::ParameterStore& half, nn::ParameterStore& whole, int rank);

// The whole net and its halves, over two ranks that are threads, on one batch with dropout.
struct HalvesDifference {
    double scores = 0;     // the largest between logits
    double gradients = 0;  // the largest between gradients / the largest gradient of the parameter
};
HalvesDifference compare_halves(const AlexNetOptions& options, const data::Batch& batch,
                                std::uint64_t seed);

// Trains the two halves on the two ranks of comm, which see the same samples. The result, on both,
// is that of the whole net put together from them; no checkpoints. Error(usage) on another number
// of ranks, or when options ask to resume.
train::TrainResult train_halves(const ImageRecipe& recipe, const AlexNetOptions& net,
                                const ImageData& data, const train::TrainOptions& options,
                                dist::Comm& comm);

}  // namespace soma::systems
