#pragma once
// What each of AlexNet's parts is worth on small images: the net without one of them at a time.

#include "systems/vision/alexnet.h"
#include "systems/vision/image_claims.h"

namespace soma::systems {

// Claims ablation-<part>, test errors of nets that see `images` training images for `epochs`
// epochs, and relu-epochs, how much sooner ReLU is at 25 % training error than tanh (figure 1 of
// the paper). Draws both. The test error of ten classes moves by half a point between seeds.
struct Ablation {
    AlexNetOptions net = {};
    ImageRecipe recipe;
    Index images = 10'000, epochs = 8;
};
void ablation_claims(ClaimRun& run, const Ablation& ablation, const ImageData& data);

}  // namespace soma::systems
