#pragma once
// A net of its paper's size on one batch of real images, enlarged: that it starts as it should,
// learns the batch by heart, and how fast it goes.

#include <functional>
#include <memory>
#include <string>

#include "soma/optim/sgd.h"
#include "systems/claim_run.h"
#include "systems/vision/image_data.h"
#include "systems/vision/vision_net.h"

namespace soma::systems {

struct FullSize {
    std::string source;
    std::function<std::unique_ptr<VisionNet>()> make;  // its store not frozen
    Index side = 224, channels = 3, classes = 1000;
    float scale = 1;  // of pixels in [-1, 1]
    optim::SgdOptions rule = {};
    double lr = 0;
    Index batch = 8, updates = 30;  // to learn by heart
    Index speed_batch = 32;
    double most_from_chance = 0.5;  // of the first loss, in nats
};

// Claims full-first-loss, |loss - ln classes|; full-overfit, the loss after `updates` (<= .1);
// full-speed and full-peak, images a second of whole updates and their share of the FMA peak that
// is measured beside them.
void full_size_claims(ClaimRun& run, const FullSize& full, const ImageData& data);

}  // namespace soma::systems
