// Shard plans, the binary counter, and the gradient of a step for every number of ranks.

#include "soma/dist/shards.h"

#include <gtest/gtest.h>

#include "dist/shard_data.h"
#include "soma/core/error.h"
#include "soma/dist/data_parallel.h"
#include "soma/dist/thread_ranks.h"

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

struct Summed {
    std::vector<float> gradient;
    ControlRecord record;
};

// One step of S = 16 shards on P ranks, as rank 0 sees it; all ranks must see the same.
Summed step_on(int ranks, Index length) {
    std::vector<Summed> seen(static_cast<std::size_t>(ranks));
    run_thread_ranks(ranks, [&](Comm& comm) {
        DataParallel parallel(comm, make_shard_plan(16, 64, ranks, comm.rank()), length);
        Summed& mine = seen[static_cast<std::size_t>(comm.rank())];
        mine.gradient.assign(static_cast<std::size_t>(length), -1.0f);
        mine.record = parallel.step(mine.gradient, [&](Index shard, auto gradient, auto& record) {
            const std::vector<float> row = test::mixed_row<float>(shard, length);
            for (std::size_t i = 0; i < row.size(); ++i) gradient[i] += row[i];
            record.weight = 4;
            record.loss = test::mixed_number<double>(shard, 7);
            record.stop = shard == 9;
        });
    });
    for (const Summed& other : seen) EXPECT_EQ(other.gradient, seen[0].gradient);
    return seen[0];
}

TEST(DataParallel, GradientAndLossAreTheSameBitsForEveryNumberOfRanks) {
    for (const Index length : {10, 20'000}) {
        const std::vector<float> expected = test::tree_sum<float>(0, 16, length);
        const double loss = step_on(1, length).record.loss;
        for (int ranks = 1; ranks <= 16; ranks *= 2) {
            const Summed sum = step_on(ranks, length);
            EXPECT_EQ(sum.gradient, expected) << ranks << " ranks";
            EXPECT_EQ(sum.record.loss, loss) << ranks << " ranks";
            EXPECT_EQ(sum.record.weight, 64);
            EXPECT_EQ(sum.record.stop, 1u);
        }
    }
}

TEST(DataParallel, AStepThatThrewLeavesNothingBehind) {
    const auto comm = make_self_comm();
    DataParallel parallel(*comm, make_shard_plan(4, 4, 1, 0), 1);
    float gradient = 0;
    bool broken = true;
    const auto compute = [&](Index shard, std::span<float> g, ControlRecord& record) {
        if (broken && shard == 1) fail(ErrorCode::data, "unreadable");
        g[0] += 1;
        record.weight = 1;
    };
    EXPECT_THROW(parallel.step({&gradient, 1}, compute), Error);
    broken = false;
    EXPECT_EQ(parallel.step({&gradient, 1}, compute).weight, 4);
    EXPECT_EQ(gradient, 4);
}

TEST(DataParallel, RejectsAPlanOfOtherRanksAndOtherLengths) {
    const auto comm = make_self_comm();
    EXPECT_THROW(DataParallel(*comm, make_shard_plan(4, 4, 2, 0), 1), Error);
    DataParallel parallel(*comm, make_shard_plan(4, 4, 1, 0), 3);
    std::vector<float> gradient(2);
    EXPECT_THROW(parallel.step(gradient, [](Index, std::span<float>, ControlRecord&) {}), Error);
}

}  // namespace
}  // namespace soma::dist
