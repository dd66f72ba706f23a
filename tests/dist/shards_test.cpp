// Shard plans and the binary counter.

#include "soma/dist/shards.h"

#include <gtest/gtest.h>

#include "dist/shard_data.h"
#include "soma/core/error.h"

namespace soma::dist {
namespace {

std::string message_of_plan(Index shards, Index batch, int ranks, int rank) {
    try {
        make_shard_plan(shards, batch, ranks, rank);
    } catch (const Error& e) {
        EXPECT_EQ(e.exit_code(), 2);
        return e.what();
    }
    return "";
}

TEST(ShardPlan, GivesEachRankConsecutiveShards) {
    const ShardPlan plan = make_shard_plan(16, 64, 4, 3);
    EXPECT_EQ(plan.shard_size(), 4);
    EXPECT_EQ(plan.local_shards(), 4);
    EXPECT_EQ(plan.first_shard(), 12);
}

TEST(ShardPlan, RejectsAndNamesTheValidRankCounts) {
    EXPECT_EQ(message_of_plan(8, 64, 3, 0),
              "shards: 3 ranks share 8 shards; the number of ranks must divide it: 1, 2, 4, 8");
    EXPECT_EQ(message_of_plan(8, 64, 16, 0),
              "shards: 16 ranks share 8 shards; the number of ranks must divide it: 1, 2, 4, 8");
}

TEST(ShardPlan, RejectsAndNamesTheValidShardCounts) {
    EXPECT_EQ(message_of_plan(8, 20, 1, 0),
              "shards: 8 shards of a batch of 20; need a power of two that divides the batch: 1, "
              "2, 4");
    EXPECT_NE(message_of_plan(3, 9, 1, 0), "");
    EXPECT_NE(message_of_plan(0, 9, 1, 0), "");
    EXPECT_NE(message_of_plan(1, 0, 1, 0), "");
    EXPECT_NE(message_of_plan(4, 8, 2, 2), "");
}

TEST(ShardPlan, DefaultIsTheLargestPowerOfTwoUpTo16ThatDividesTheBatch) {
    EXPECT_EQ(default_shards(1), 1);
    EXPECT_EQ(default_shards(10), 2);
    EXPECT_EQ(default_shards(48), 16);
    EXPECT_EQ(default_shards(1024), 16);
}

TEST(ShardFold, EqualsTheSequentialTreeBitForBit) {
    for (Index shards = 1; shards <= 32; shards *= 2) {
        ShardFold<float> fold(shards, 1000, plain_add<float>);
        std::vector<float> vector;
        for (Index s = 0; s < shards; ++s) {
            vector = test::mixed_row<float>(s, 1000);
            fold.push(vector);
        }
        EXPECT_EQ(vector, test::tree_sum<float>(0, shards, 1000)) << shards << " shards";
    }
}

TEST(ShardFold, KeepsLog2OfTheShardsBuffersBesideTheCallers) {
    ShardFold<double> fold(16, 10, plain_add<double>);
    std::vector<double> vector(10, 1.0);
    for (int s = 0; s < 16; ++s) {
        vector.assign(10, 1.0);
        fold.push(vector);
    }
    EXPECT_EQ(fold.buffers(), 4);
    EXPECT_EQ(vector, std::vector<double>(10, 16.0));
}

TEST(ShardFold, BeginsAgainAfterASumAndAfterRestart) {
    ShardFold<double> fold(2, 1, plain_add<double>);
    const auto sum_of = [&](double a, double b) {
        fold.push({&a, 1});
        fold.push({&b, 1});
        return b;
    };
    EXPECT_EQ(sum_of(1, 2), 3);
    double lost = 100;
    fold.push({&lost, 1});
    fold.restart();
    EXPECT_EQ(sum_of(3, 4), 7);
}

TEST(ShardFold, RejectsVectorsOfAnotherLength) {
    ShardFold<float> fold(2, 3, plain_add<float>);
    std::vector<float> vector(4);
    EXPECT_THROW(fold.push(vector), Error);
    EXPECT_THROW(ShardFold<float>(3, 3, plain_add<float>), Error);
}

TEST(ShardFold, FinishedInPartsGivesTheSameBits) {
    for (const Index shards : {1, 2, 8}) {
        ShardFold<float> fold(shards, 1000, plain_add<float>);
        std::vector<float> vector;
        for (Index shard = 0; shard < shards; ++shard) {
            vector = test::mixed_row<float>(shard, 1000);
            if (shard + 1 < shards) fold.push(vector);
        }
        for (const Range part : {Range{600, 1000}, Range{0, 600}}) fold.finish(vector, part);
        EXPECT_EQ(vector, test::tree_sum<float>(0, shards, 1000)) << shards;
    }
    ShardFold<float> early(4, 1, plain_add<float>);
    std::vector<float> one(1);
    EXPECT_THROW(early.finish(one, {0, 1}), Error);
}

TEST(FastPlan, AnyNumberOfRanksThatDividesTheBatch) {
    EXPECT_EQ(make_fast_plan(12, 3, 2).first_shard(), 2);
    EXPECT_EQ(make_fast_plan(12, 3, 2).shard_size(), 4);
    EXPECT_THROW(make_fast_plan(12, 5, 0), Error);
}

}  // namespace
}  // namespace soma::dist
