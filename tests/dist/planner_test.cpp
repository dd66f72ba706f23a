// Predictions of scaling against the table of distributed.md 16.2, worked out apart from this code.

#include "soma/dist/planner.h"

#include <gtest/gtest.h>

#include <cmath>

#include "soma/core/error.h"

namespace soma::dist {
namespace {

struct Golden {
    const char* model;
    const char* network;
    double at_16, at_1024;                // efficiency in %
    double apart_16 = 0, apart_1024 = 0;  // without overlap
};

// 10^12 flop/s a node, buckets of 4e6 bytes, S = P, no jitter. The table has one decimal, cut or
// rounded, from times of three digits.
constexpr double kDecimal = 0.1;
constexpr Golden kGolden[] = {{"resnet50", "1gbe", 41.3, 38.8, 32.4, 30.8},
                              {"resnet50", "10gbe", 100, 100, 82.5, 81.0},
                              {"resnet50", "100g", 100, 100, 98.0, 97.8},
                              {"alexnet", "1gbe", 6.9, 6.4, 6.6, 6.1},
                              {"alexnet", "10gbe", 56.1, 51.8, 40.8, 38.5},
                              {"alexnet", "100g", 100, 100, 87.6, 86.5},
                              {"gpt_mini", "1gbe", 61.0, 57.6, 43.4, 41.6},
                              {"gpt_mini", "10gbe", 100, 100, 88.3, 87.2},
                              {"gpt_mini", "100g", 100, 100, 98.7, 98.6},
                              {"lecun1989", "1gbe", 2.4, 1.5},
                              {"lecun1989", "10gbe", 10.1, 5.1},
                              {"lecun1989", "100g", 52.9, 34.8}};

PlanOptions at_one_teraflop(const StepProfile& profile) {
    return {
        .compute_seconds = profile.flop_per_sample * static_cast<double>(profile.samples) / 1e12,
        .parameters = profile.parameters};
}

TEST(Planner, GivesTheGoldenTable) {
    for (const Golden& g : kGolden) {
        PlanOptions o = at_one_teraflop(step_profile(g.model));
        const Network& network = network_named(g.network);
        EXPECT_NEAR(100 * predict(o, network, 16).efficiency, g.at_16, kDecimal)
            << g.model << " " << g.network;
        EXPECT_NEAR(100 * predict(o, network, 1024).efficiency, g.at_1024, kDecimal)
            << g.model << " " << g.network;
        if (g.apart_16 == 0) continue;
        o.overlap = false;
        EXPECT_NEAR(100 * predict(o, network, 16).efficiency, g.apart_16, kDecimal) << g.model;
        EXPECT_NEAR(100 * predict(o, network, 1024).efficiency, g.apart_1024, kDecimal) << g.model;
    }
}

TEST(Planner, OneRankHasNothingToSay) {
    const PlanRow row = predict(at_one_teraflop(step_profile("alexnet")), network_named("1gbe"), 1);
    EXPECT_EQ(row.communication(), 0);
    EXPECT_EQ(row.efficiency, 1);
    EXPECT_STREQ(row.bound(), "compute");
}

// "2 % noise costs about 7 % at P = 1024".
TEST(Planner, JitterWaitsForTheSlowestRank) {
    const PlanRow row =
        predict({.compute_seconds = 1, .parameters = 1, .jitter = 0.02}, {"none", 0, 0}, 1024);
    EXPECT_NEAR(row.step, 1 + 0.02 * std::sqrt(2 * std::log(1024.0)), 1e-12);
    EXPECT_NEAR(row.step, 1.07, 0.006);
}

// Gradients travel beside the last shard alone: a quarter of the window with four shards a rank.
TEST(Planner, MoreShardsThanRanksHideLess) {
    PlanOptions o{.compute_seconds = 1, .parameters = 1e9};
    const Network network{"net", 0, 1e-10};  // 8 ranks: Tm = 2 * 7 / 8 * 4e9 * 1e-10 = 0.7
    EXPECT_NEAR(predict(o, network, 8).step, 1 + 0.7 - 2.0 / 3, 1e-12);
    o.shards = 32;
    EXPECT_NEAR(predict(o, network, 8).step, 1 + 0.7 - 2.0 / 3 / 4, 1e-12);
    EXPECT_STREQ(predict(o, {"slow", 1, 0}, 8).bound(), "latency");
    EXPECT_STREQ(predict(o, {"slow", 0, 1e-8}, 8).bound(), "bandwidth");
}

TEST(Planner, RefusesWhatCannotBe) {
    const Network& network = network_named("10gbe");
    EXPECT_THROW(predict({.compute_seconds = 0, .parameters = 1}, network, 2), Error);
    EXPECT_THROW(predict({.compute_seconds = 1, .parameters = -1}, network, 2), Error);
    EXPECT_THROW(predict({.compute_seconds = 1, .parameters = 1}, network, 0), Error);
    EXPECT_THROW(predict({.compute_seconds = 1, .parameters = 1, .shards = 16}, network, 3), Error);
    EXPECT_THROW(network_named("10gb"), Error);
    EXPECT_THROW(step_profile("resnet5"), Error);
}

}  // namespace
}  // namespace soma::dist
