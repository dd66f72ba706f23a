#pragma once
// Checks that hold for every net of images, on the embedded digits.

#include <gtest/gtest.h>

#include <atomic>

#include "soma/data/loader.h"
#include "soma/dist/thread_ranks.h"
#include "soma/train/trainer.h"
#include "systems/vision/image_data.h"
#include "systems/vision/vision_net.h"

namespace soma::systems {

// The first digits, 28x28x1.
inline data::Batch digits(Index count) {
    const ImageData images = load_image_data("embedded", {}, false);
    return data::Loader(images.train, {.batch = count, .shuffle = false}).load(0, 0);
}

inline train::TrainOptions few_steps() {
    return {.steps = 3, .batch = 32, .shards = 4, .set = "embedded"};
}

// Counts are arithmetic beside the layers; here they meet the parameters that exist and the
// operations that are done. flop() counts 2 a multiplication, and pooling and normalisation
// besides: a few per unit. Freezes the store.
inline void expect_true_counts(VisionNet& net) {
    EXPECT_EQ(net.sum().parameters, net.parameters().parameter_count());
    net.parameters().freeze(1);
    const data::Batch batch = digits(2);
    Tape tape(Tape::Mode::no_grad);
    net.forward(tape, batch, {.training = false, .ids = batch.ids});
    const auto products = static_cast<double>(2 * 2 * net.sum().connections);
    EXPECT_GE(tape.flop(), products);
    EXPECT_LE(tape.flop(), 1.1 * products);
}

// Trains on one rank and on four.
inline void expect_same_bits_on_any_ranks(train::TrainResult (*train)(const train::TrainOptions&,
                                                                      dist::Comm&)) {
    const auto alone = dist::make_self_comm();
    const train::TrainResult one = train(few_steps(), *alone);
    EXPECT_EQ(one.steps, 3);
    std::atomic<int> equal{0};
    dist::run_thread_ranks(4, [&](dist::Comm& comm) {
        const train::TrainResult r = train(few_steps(), comm);
        equal += r.weights == one.weights && r.test_loss == one.test_loss;
    });
    EXPECT_EQ(equal, 4);
}

}  // namespace soma::systems
