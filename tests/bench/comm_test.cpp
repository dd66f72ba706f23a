// Measuring messages between ranks, here threads of one process.

#include "bench/comm.h"

#include <gtest/gtest.h>

#include "soma/core/error.h"
#include "soma/dist/thread_ranks.h"

namespace soma::bench {
namespace {

constexpr CommOptions kShort{.rounds = 3, .block_seconds = 1e-4};

TEST(LinkFit, FindsLatencyAndBandwidthOfAnExactLink) {
    std::vector<Index> bytes{8, 1 << 10, 1 << 16, 1 << 22};
    std::vector<double> seconds;
    for (const Index n : bytes) seconds.push_back(2e-6 + 1e-9 * static_cast<double>(n));

    const LinkFit link = fit_link(bytes, seconds);

    EXPECT_NEAR(link.latency, 2e-6, 1e-15);
    EXPECT_NEAR(link.seconds_per_byte, 1e-9, 1e-18);
    EXPECT_THROW(fit_link({8}, {1e-6}), Error);
}

TEST(CommContest, AllRanksSeeTheSameTimes) {
    std::vector<AllreduceTimes> sums(4);
    std::vector<std::vector<double>> pings(4);
    dist::run_thread_ranks(4, [&](dist::Comm& comm) {
        const auto at = static_cast<std::size_t>(comm.rank());
        sums[at] = measure_allreduce(comm, 64 << 10, kShort);
        pings[at] = measure_pingpong(comm, 1 << 10, kShort);
    });

    ASSERT_EQ(sums[0].own.size(), 3u);
    EXPECT_TRUE(sums[0].library.empty());  // threads have no message library
    ASSERT_EQ(pings[0].size(), 3u);
    for (std::size_t r = 1; r < 4; ++r) {
        EXPECT_EQ(sums[r].own, sums[0].own);
        EXPECT_EQ(pings[r], pings[0]);
    }
}

// 4 ranks: 2 * 3 / 4 of 8 bytes in 2 s.
TEST(AllreduceTimes, RatioAndBandwidth) {
    const AllreduceTimes t{8, {2, 2, 2}, {3, 3, 3}};

    EXPECT_DOUBLE_EQ(t.ratio().median, 1.5);
    EXPECT_DOUBLE_EQ(t.bandwidth(4), 6);
}

}  // namespace
}  // namespace soma::bench
