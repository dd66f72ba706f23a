// AlexNet: what the paper counts, two halves against the whole, and the same bits for any number of
// ranks.

#include <gtest/gtest.h>

#include <atomic>

#include "soma/autograd/ops/math.h"
#include "soma/dist/thread_ranks.h"
#include "support/image_nets.h"
#include "systems/systems.h"
#include "systems/vision/alexnet_halves.h"
#include "systems/vision/join_halves.h"

namespace soma::systems {
namespace {

std::vector<Index> column(const VisionNet& net, Index LayerCount::*field) {
    std::vector<Index> values;
    for (const LayerCount& l : net.layers()) values.push_back(l.*field);
    return values;
}

// systems.md 6; the units of C2 to F8 are those of the caption of the paper's figure 2.
TEST(AlexNet, FullSizeHasTheCountsOfThePaper) {
    const AlexNet net({.size = kAlexNetFull});
    EXPECT_EQ(column(net, &LayerCount::parameters),
              (std::vector<Index>{34'944, 307'456, 885'120, 663'936, 442'624, 37'752'832,
                                  16'781'312, 4'097'000}));
    EXPECT_EQ(column(net, &LayerCount::connections),
              (std::vector<Index>{105'415'200, 223'948'800, 149'520'384, 112'140'288, 74'760'192,
                                  37'748'736, 16'777'216, 4'096'000}));
    EXPECT_EQ(column(net, &LayerCount::units),
              (std::vector<Index>{290'400, 186'624, 64'896, 64'896, 43'264, 4096, 4096, 1000}));
}

TEST(AlexNet, WithoutGroupsHasMoreParametersAndConnections) {
    const LayerCount sum = AlexNet({.size = kAlexNetFull, .groups = 1}).sum();
    EXPECT_EQ(sum.parameters, 62'378'344);
    EXPECT_EQ(sum.connections, 1'135'256'096);
}

TEST(AlexNet, CountsWhatItHoldsAndDoes) {
    AlexNet net({.normalises = false});
    expect_true_counts(net);
    EXPECT_EQ(AlexNet({.size = kAlexNetFull}).parameters().parameter_count(), 60'965'224);
}

TEST(AlexNet, AnyNumberOfRanksTrainsTheSameBits) {
    expect_same_bits_on_any_ranks(train_alexnet2012);
}

// ---- two ranks --------------------------------------------------------------------------------

// Rank r gives x [2, 3] = 10 r + (0 ... 5) and weighs y [2, 6] by 1 + r.
TEST(JoinHalves, JoinsColumnsAndSumsOrKeepsGradients) {
    const Tensor expected = Tensor::from({2, 6}, {0, 1, 2, 10, 11, 12, 3, 4, 5, 13, 14, 15});
    for (const JoinedUse use : {JoinedUse::own_kernels, JoinedUse::same_result}) {
        std::atomic<int> right{0};
        dist::run_thread_ranks(2, [&](dist::Comm& comm) {
            const double rank = comm.rank();
            Tape tape;
            const Var x = tape.input(
                add_scalar(tape.constant(Tensor::from({2, 3}, {0, 1, 2, 3, 4, 5})), 10 * rank)
                    .tensor());
            const Var y = join_halves(comm, x, use);
            tape.backward(sum(y * (1 + rank)));
            const double dx = use == JoinedUse::own_kernels ? 3 : 1 + rank;
            bool same = y.shape() == expected.shape();
            for (Index i = 0; same && i < 12; ++i) same = y.tensor().at(i) == expected.at(i);
            for (Index i = 0; same && i < 6; ++i) same = x.gradient().at(i) == dx;
            right += same;
        });
        EXPECT_EQ(right, 2);
    }
}

TEST(JoinHalves, RefusesAnotherNumberOfRanks) {
    const auto alone = dist::make_self_comm();
    Tape tape;
    const Var x = tape.constant(Tensor::zeros({1, 2}));
    EXPECT_THROW(join_halves(*alone, x, JoinedUse::own_kernels), Error);
    EXPECT_THROW(AlexNet(AlexNetOptions{}, *alone), Error);
}

// The forward pass of a half has the sums of the whole net: equal bits. In the gradient of joined
// maps a sum of up to n = 9 96 terms is split in two, which moves it by at most n eps = 5e-5 of the
// sum of their magnitudes; the design asks for 1e-5 of the largest gradient.
TEST(AlexNetHalves, AreTheWholeNetWithDropout) {
    for (const bool normalises : {true, false}) {
        const HalvesDifference d = compare_halves({.normalises = normalises}, digits(8), 3);
        EXPECT_EQ(d.scores, 0);
        EXPECT_LE(d.gradients, 1e-5);
    }
}

TEST(AlexNetHalves, OfAWholeNetAreItAgain) {
    AlexNet whole(AlexNetOptions{}), copy(AlexNetOptions{});
    whole.parameters().freeze(1);
    copy.parameters().freeze(2);
    ASSERT_NE(copy.parameters().hash(), whole.parameters().hash());
    dist::run_thread_ranks(2, [&](dist::Comm& comm) {
        AlexNet half(AlexNetOptions{}, comm);
        half.parameters().freeze(3);
        EXPECT_EQ(2 * half.sum().parameters, whole.sum().parameters);
        take_half(whole.parameters(), half.parameters(), comm.rank());
        put_half(half.parameters(), copy.parameters(), comm.rank());
    });
    EXPECT_EQ(copy.parameters().hash(), whole.parameters().hash());
}

// What rounds differently grows with every update; after three it is far from visible.
TEST(AlexNetHalves, TrainLikeTheWholeNet) {
    const auto alone = dist::make_self_comm();
    const train::TrainResult whole = train_alexnet2012(few_steps(), *alone);
    train::TrainResult halves[2];
    dist::run_thread_ranks(2, [&](dist::Comm& comm) {
        train::TrainOptions options = few_steps();
        options.recipe = "two_gpus";
        halves[comm.rank()] = train_alexnet2012(options, comm);
    });
    EXPECT_EQ(halves[0].weights, halves[1].weights);
    EXPECT_EQ(halves[0].steps, 3);
    EXPECT_NEAR(halves[0].train_loss, whole.train_loss, 1e-4);
    EXPECT_NEAR(halves[0].test_loss, whole.test_loss, 1e-4);
}

TEST(AlexNetHalves, OneRankIsAskedToStopAndBothDo) {
    std::atomic<int> interrupted{0};
    dist::run_thread_ranks(2, [&](dist::Comm& comm) {
        train::TrainOptions options = few_steps();
        options.recipe = "two_gpus";
        options.stop_requested = [rank = comm.rank()] { return rank == 1; };
        const train::TrainResult r = train_alexnet2012(options, comm);
        interrupted += r.interrupted && r.steps == 1;
    });
    EXPECT_EQ(interrupted, 2);
}

TEST(AlexNetHalves, RefuseOneRankAndAResume) {
    const auto alone = dist::make_self_comm();
    train::TrainOptions options = few_steps();
    options.recipe = "two_gpus";
    EXPECT_THROW(train_alexnet2012(options, *alone), Error);
    options.recipe = "three_gpus";
    EXPECT_THROW(train_alexnet2012(options, *alone), Error);
    options.recipe = "two_gpus";
    options.resume = "runs/earlier";
    EXPECT_THROW(
        dist::run_thread_ranks(2, [&](dist::Comm& comm) { train_alexnet2012(options, comm); }),
        Error);
}

// ---- images -----------------------------------------------------------------------------------

TEST(ImageData, IsEnlargedInEveryChannel) {
    const ImageData images = load_image_data("embedded", {}, false);
    const auto large = enlarged(first_of(images.train, 3), 56, 3, 2);
    EXPECT_EQ(large->size(), 3);
    EXPECT_EQ(large->label(1), images.train->label(1));
    std::vector<float> small(28 * 28), x(56 * 56 * 3);
    images.train->read(1, small);
    large->read(1, x);
    // Corners are clamped; half-pixel centres put pixel (21, 20) a quarter from (10, 10) to (11,
    // 9).
    EXPECT_EQ(x[0], 2 * small[0]);
    const auto at = [&](Index row, Index col) {
        return small[static_cast<std::size_t>(28 * row + col)];
    };
    const float expected = 2 * (0.75f * (0.75f * at(10, 10) + 0.25f * at(10, 9)) +
                                0.25f * (0.75f * at(11, 10) + 0.25f * at(11, 9)));
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(x[(21 * 56 + 20) * 3 + c], expected, 1e-6);
    EXPECT_THROW(enlarged(large, 8, 1, 1), Error);  // has three channels already
    EXPECT_THROW(load_image_data("usps9", {}, false), Error);
}

}  // namespace
}  // namespace soma::systems
