// One step over P ranks that are threads: the same bits for any P, progress mode and bucket size.

#include "soma/dist/data_parallel.h"

#include <gtest/gtest.h>

#include "dist/shard_data.h"
#include "soma/core/clock.h"
#include "soma/core/error.h"
#include "soma/core/poll.h"
#include "soma/dist/thread_ranks.h"

namespace soma::dist {
namespace {

struct Summed {
    std::vector<float> gradient;
    ControlRecord record;
};

// Three parameters, announced in an order that is not that of the buckets.
std::vector<Index> starts_of(Index length) { return {0, length / 3, length / 2}; }

// A step of S = 16 shards on P ranks, as rank 0 sees it; all ranks must see the same.
Summed step_on(int ranks, Index length, const ExchangeOptions& options = {}) {
    std::vector<Summed> seen(static_cast<std::size_t>(ranks));
    run_thread_ranks(ranks, [&](Comm& comm) {
        Summed& mine = seen[static_cast<std::size_t>(comm.rank())];
        mine.gradient.assign(static_cast<std::size_t>(length), -1.0f);
        const std::vector<Index> starts = starts_of(length);
        DataParallel parallel(comm, make_shard_plan(16, 64, ranks, comm.rank()), mine.gradient,
                              starts, options);
        const auto compute = [&](Index shard, ControlRecord& record, const auto& ready) {
            record.weight = 4;
            record.loss = test::mixed_number<double>(shard, 7);
            record.stop = shard == 9;
            const std::vector<float> row = test::mixed_row<float>(shard, length);
            for (std::size_t i = 0; i < row.size(); ++i) mine.gradient[i] += row[i];
            ready(starts[1]);
            poll();
            ready(starts[0]);
        };
        parallel.step(compute);
        mine.record = parallel.step(compute);  // the first leaves nothing behind
        EXPECT_EQ(parallel.unannounced(), std::vector<Index>{starts[2]});
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

TEST(DataParallel, WhoAdvancesTheSumsAndHowTheyAreCutDoNotShowInTheBits) {
    constexpr Index length = 30'000;
    const std::vector<float> expected = test::tree_sum<float>(0, 16, length);
    for (const ProgressMode mode : {ProgressMode::thread, ProgressMode::poll, ProgressMode::none}) {
        for (const Index bytes : {4096, 40'000, 1 << 20}) {
            for (const int ranks : {2, 4, 16}) {
                const Summed sum =
                    step_on(ranks, length,
                            {.progress = mode, .buckets = {.bytes = bytes, .first_bytes = bytes}});
                EXPECT_EQ(sum.gradient, expected)
                    << name_of(mode) << ", " << bytes << " bytes, " << ranks << " ranks";
            }
        }
    }
}

TEST(DataParallel, FastModeTakesAnyNumberOfRanks) {
    for (const int ranks : {2, 3, 6}) {
        run_thread_ranks(ranks, [&](Comm& comm) {
            std::vector<float> gradient(20'000);
            const Index start = 0;
            DataParallel parallel(comm, make_fast_plan(12, ranks, comm.rank()), gradient,
                                  {&start, 1}, {.algorithm = Algorithm::ring});
            const ControlRecord sum =
                parallel.step([&](Index shard, ControlRecord& record, const auto&) {
                    record.weight = 1;
                    std::fill(gradient.begin(), gradient.end(), static_cast<float>(shard + 1));
                });
            EXPECT_EQ(sum.weight, ranks);
            EXPECT_EQ(gradient,
                      std::vector<float>(20'000, static_cast<float>(ranks * (ranks + 1) / 2)));
        });
    }
}

TEST(DataParallel, AStepThatThrewLeavesNothingBehind) {
    const auto comm = make_self_comm();
    std::vector<float> gradient(1);
    const Index start = 0;
    DataParallel parallel(*comm, make_shard_plan(4, 4, 1, 0), gradient, {&start, 1});
    bool broken = true;
    const auto compute = [&](Index shard, ControlRecord& record, const auto&) {
        if (broken && shard == 1) fail(ErrorCode::data, "unreadable");
        gradient[0] += 1;
        record.weight = 1;
    };
    EXPECT_THROW(parallel.step(compute), Error);
    broken = false;
    EXPECT_EQ(parallel.step(compute).weight, 4);
    EXPECT_EQ(gradient[0], 4);
}

TEST(DataParallel, APeerThatStaysAwayIsNamedWhoeverAdvances) {
    for (const ProgressMode mode : {ProgressMode::thread, ProgressMode::poll, ProgressMode::none}) {
        std::string why;
        try {
            run_thread_ranks(2, [&](Comm& comm) {
                comm.set_timeout(0.05);
                std::vector<float> gradient(10);
                const Index start = 0;
                DataParallel parallel(comm, make_shard_plan(2, 2, 2, comm.rank()), gradient,
                                      {&start, 1}, {.progress = mode});
                if (comm.rank() == 0) parallel.step([](Index, ControlRecord&, const auto&) {});
            });
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::timeout);
            why = e.what();
        }
        EXPECT_NE(why.find("waited 0.05 s in update 1, bucket 0"), std::string::npos) << why;
        EXPECT_NE(why.find("from rank 1"), std::string::npos) << why;
    }
}

TEST(DataParallel, RejectsAPlanOfOtherRanks) {
    const auto comm = make_self_comm();
    std::vector<float> gradient(3);
    const Index start = 0;
    EXPECT_THROW(DataParallel(*comm, make_shard_plan(4, 4, 2, 0), gradient, {&start, 1}), Error);
}

TEST(Poll, CallsTheScopeOfThisThreadWhenDue) {
    int calls = 0;
    poll();
    const PollScope scope([&] { ++calls; });
    poll();
    EXPECT_EQ(calls, 0);  // not yet due
    sleep_seconds(250e-6);
    poll();
    EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace soma::dist
