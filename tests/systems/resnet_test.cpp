// ResNet-18: what is counted, what its shortcuts pass on, and the same bits for any number of
// ranks.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "soma/optim/sgd.h"
#include "support/image_nets.h"
#include "systems/systems.h"
#include "systems/vision/resnet.h"

namespace soma::systems {
namespace {

TEST(ResNet18, FullSizeHasTheCountsThatAreQuoted) {
    ResNetOptions options = kResNetFull;
    EXPECT_EQ(ResNet18(options).sum().parameters, 11'689'512);
    EXPECT_EQ(ResNet18(options).sum().connections, 1'814'073'344);
    options.shortcut = Shortcut::identity;  // without 8,448 + 33,280 + 132,096 of three projections
    EXPECT_EQ(ResNet18(options).sum().parameters, 11'689'512 - 173'824);
}

TEST(ResNet18, CountsWhatItHoldsAndDoes) {
    ResNet18 net({.shortcut = Shortcut::projection});
    expect_true_counts(net);
    EXPECT_EQ(ResNet18(kResNetFull).parameters().parameter_count(), 11'689'512);
}

TEST(ResNet18, AnyNumberOfRanksTrainsTheSameBits) { expect_same_bits_on_any_ranks(train_resnet18); }

// With gains of 0 behind every second convolution a block is its shortcut. That of option A leaves
// the maps that a stage adds at zero, so only the first w rows of the dense layer are read.
TEST(ResNet18, ShortcutsOfOptionAPassMapsOnAndAddZeros) {
    const data::Batch batch = digits(4);
    ResNet18 net(ResNetOptions{.width = 8});
    nn::ParameterStore& store = net.parameters();
    store.freeze(1);
    for (const auto& e : store.entries()) {
        if (e.name.ends_with("second.norm.weight")) store.value(store.find(e.name)).fill(0);
    }
    const auto scores = [&] {
        Tape tape(Tape::Mode::no_grad);
        return net.scores(tape, batch.x, {.training = false}).tensor();
    };
    const auto moves = [&](const Tensor& before) {
        const Tensor after = scores();
        double most = 0;
        for (Index i = 0; i < before.count(); ++i)
            most = std::max(most, std::abs(before.at(i) - after.at(i)));
        return most;
    };
    const Tensor before = scores();
    Tensor dense = store.value(store.find("dense.weight"));  // [64, 10]
    store.value(store.find("stage3.block1.second.conv.weight")).fill(1);
    dense.slice(8, 64).fill(100);
    EXPECT_EQ(moves(before), 0);
    dense.slice(7, 8).fill(100);
    EXPECT_GT(moves(before), 0.1);
}

TEST(ResNet18, LearnsABatchByHeart) {
    const data::Batch batch = digits(8);
    for (const Shortcut shortcut : {Shortcut::identity, Shortcut::projection}) {
        ResNet18 net(ResNetOptions{.width = 8, .shortcut = shortcut});
        nn::ParameterStore& store = net.parameters();
        store.freeze(1);
        optim::Sgd optimizer(store, {.momentum = 0.9});
        double loss = 0;
        for (int step = 0; step < 20; ++step) {
            Tape tape;
            store.zero_gradients();
            const Var sum = net.forward(tape, batch, {.ids = batch.ids}).loss;
            tape.backward(sum);
            loss = sum.item() / 8;
            optimizer.step(0.05, 1.0 / 8);
        }
        EXPECT_LT(loss, 0.1);
    }
}

TEST(ResNet18, RefusesAnUnknownRecipe) {
    const auto alone = dist::make_self_comm();
    train::TrainOptions options = few_steps();
    options.recipe = "large";
    EXPECT_THROW(train_resnet18(options, *alone), Error);
}

}  // namespace
}  // namespace soma::systems
