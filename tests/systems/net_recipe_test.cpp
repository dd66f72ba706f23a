#include "soma/systems/net_recipe.h"

#include <gtest/gtest.h>

#include "soma/core/error.h"
#include "soma/dist/comm.h"
#include "soma/systems/registry.h"
#include "soma/train/checkpoint.h"
#include "soma/train/report.h"
#include "support/temp_folder.h"

namespace soma::systems {
namespace {

// Two updates of the rank-1 net of random-dot motion.
train::TrainResult train_briefly(train::TrainOptions options) {
    const auto comm = dist::make_self_comm();
    options.steps = options.steps > 0 ? options.steps : 2;
    options.seed = 5;
    return find("lowrank2022")->train(options, *comm);
}

TEST(NetRecipe, RestoredNetIsTheOneThatWasTrained) {
    const test::TempFolder temp;
    train::RunFolder folder = train::RunFolder::create(temp.path(), "net");
    const train::TrainResult trained = train_briefly({.folder = &folder});
    const RestoredNet restored = restore_net(trained.checkpoint);
    EXPECT_EQ(restored.net->store().hash(), trained.weights);
    EXPECT_EQ(restored.recipe.name, "rdm");
    EXPECT_EQ(restored.seed, 5u);
    EXPECT_EQ(restored.updates, 2);
    EXPECT_EQ(restored.net->layer().units(), 512);
    EXPECT_EQ(restored.net->dynamics()->alpha(), 0.2);
}

TEST(NetRecipe, TrainingIsAFunctionOfItsOptions) {
    EXPECT_EQ(train_briefly({}).weights, train_briefly({}).weights);
    EXPECT_NE(train_briefly({}).weights, train_briefly({.lr = 0.1}).weights);
}

TEST(NetRecipe, ACheckpointOfAnotherNetIsRefused) {
    const test::TempFolder temp;
    const NetRecipe recipe = find("lowrank2022")->net("rdm");
    neuro::TaskNet net(*recipe.task, recipe.options(1));
    const auto save = [&](const char* system, const char* name, const std::string& config) {
        const std::string path = temp.file("net.safetensors");
        train::save_parameters(
            path, {.system = system, .recipe = name, .data = "generated", .config = config},
            net.store());
        return path;
    };
    const std::string config = train::to_json(describe(recipe));
    EXPECT_NO_THROW(restore_net(save("lowrank2022", "rdm", config)));
    EXPECT_THROW(restore_net(save("lowrank2022", "rdm", "{\"units\":64}")), Error);
    EXPECT_THROW(restore_net(save("lowrank2022", "romo", config)), Error);
    EXPECT_THROW(restore_net(save("xor", "", config)), Error);
}

TEST(NetRecipe, DescribesWhatAnAnalysisMustKnow) {
    const train::Fields fields = describe(find("flipflop2013")->net(""));
    const std::string text = train::to_json(fields);
    for (const char* part : {"\"convention\":\"current\"", "\"nonlinearity\":\"tanh\"",
                             "\"units\":64", "\"inputs\":3", "\"tau_ms\":40"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
    }
}

}  // namespace
}  // namespace soma::systems
