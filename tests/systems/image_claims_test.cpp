// The claims of the systems of images, on small nets and the embedded digits.

#include <gtest/gtest.h>

#include <filesystem>

#include "support/image_nets.h"
#include "support/temp_folder.h"
#include "systems/vision/alexnet_ablation.h"
#include "systems/vision/full_size.h"
#include "systems/vision/image_figures.h"

namespace soma::systems {
namespace {

std::vector<Claim> claims_of(const std::function<void(ClaimRun&, const ImageData&)>& state) {
    const ReproduceContext context;
    ClaimRun run(context, "test");
    state(run, load_image_data("embedded", {}, false));
    return run.finish().claims;
}

TEST(FullSize, ASmallNetLearnsItsBatchByHeart) {
    const std::vector<Claim> claims = claims_of([](ClaimRun& run, const ImageData& data) {
        full_size_claims(
            run,
            {.source = "test",
             .make = [] { return std::make_unique<AlexNet>(AlexNetOptions{.dropout = 0}); },
             .side = 28,
             .channels = 1,
             .classes = 10,
             .rule = {.momentum = 0.9},
             .lr = 0.02,
             .updates = 60,
             .speed_batch = 4},
            data);
    });
    ASSERT_EQ(claims.size(), 4u);
    EXPECT_EQ(claims[0].verdict, Verdict::pass) << claims[0].own_value.value_or(-1);
    EXPECT_EQ(claims[1].verdict, Verdict::pass) << claims[1].own_value.value_or(-1);
    EXPECT_GT(claims[2].own_value, 0);
    EXPECT_GT(claims[3].own_value, 0);
}

// A rate of 0 must fail: the loss stays that of guessing.
TEST(FullSize, ANetThatDoesNotLearnFails) {
    const std::vector<Claim> claims = claims_of([](ClaimRun& run, const ImageData& data) {
        full_size_claims(run,
                         {.source = "test",
                          .make = [] { return std::make_unique<AlexNet>(AlexNetOptions{}); },
                          .side = 28,
                          .channels = 1,
                          .classes = 10,
                          .updates = 2,
                          .speed_batch = 1},
                         data);
    });
    ASSERT_EQ(claims.size(), 4u);
    EXPECT_EQ(claims[1].verdict, Verdict::fail);
}

TEST(Ablation, TrainsTheNetWithoutEachPart) {
    const std::vector<Claim> claims = claims_of([](ClaimRun& run, const ImageData& data) {
        const ImageData few{data.set, data.sha256, data.train, first_of(data.test, 20)};
        ablation_claims(run,
                        {.recipe = {.system = "t",
                                    .name = "t",
                                    .batch = 16,
                                    .shards = 1,
                                    .epochs = 9,
                                    .lr = .02,
                                    .decay = 0},
                         .images = 16,
                         .epochs = 2},
                        few);
    });
    ASSERT_EQ(claims.size(), 7u);
    for (const Claim& c : claims) {
        EXPECT_EQ(c.verdict, Verdict::reported) << c.id;
        EXPECT_EQ(c.values.size(), 1u) << c.id;
    }
    // Neither net is at 25 % after two updates: both count as three epochs.
    EXPECT_EQ(claims.back().own_value, 1);
}

// A net that answers 3 to everything, on images of one channel and of three.
TEST(ImageFigures, ShowWrongAnswersInGreyAndInColour) {
    const test::TempFolder parent;
    const ImageData digits = load_image_data("embedded", {}, false);
    const auto few = first_of(digits.test, 12);
    const train::Evaluation e{.predictions = std::vector<std::int32_t>(12, 3)};
    for (const Index channels : {1, 3}) {
        train::RunFolder folder =
            train::RunFolder::create(parent.path(), channels == 1 ? "grey" : "colour");
        draw_answers(folder, digits.set, *enlarged(few, 32, channels, 1), e);
        draw_first_layer(folder, Tensor::zeros({5, 5, channels, 4}));
        for (const char* name : {"/sample-errors.dat", "/confusion.dat", "/filters.dat"}) {
            EXPECT_TRUE(std::filesystem::exists(folder.figures() + name)) << name;
        }
    }
}

}  // namespace
}  // namespace soma::systems
