// Offsets of clocks, from fixed probes and between ranks that share one.

#include "soma/dist/clock_offset.h"

#include <gtest/gtest.h>

#include <cmath>

#include "soma/core/clock.h"
#include "soma/dist/thread_ranks.h"

namespace soma::dist {
namespace {

// The second probe took 2 s: by the middle of it, 11 s, the other clock showed 15.
TEST(ClockOffset, IsThatOfTheQuickestProbe) {
    const std::vector<ClockProbe> probes{{0, 9, 6}, {10, 15, 12}, {20, 20, 23}};

    const ClockOffset offset = offset_of(probes);

    EXPECT_DOUBLE_EQ(offset.seconds, 4);
    EXPECT_DOUBLE_EQ(offset.uncertainty, 1);
}

// Threads share a clock: whatever they wait, the offset is within its own uncertainty.
TEST(ClockOffset, OfRanksWithOneClockIsWithinItsUncertainty) {
    std::vector<std::vector<ClockOffset>> offsets(3);
    run_thread_ranks(3, [&](Comm& comm) {
        offsets[static_cast<std::size_t>(comm.rank())] = measure_clocks(comm, now_seconds);
    });

    constexpr double kClockResolution = 1e-9;
    EXPECT_EQ(offsets[0][0].uncertainty, 0);
    for (std::size_t r = 1; r < 3; ++r) {
        const ClockOffset& offset = offsets[0][r];
        EXPECT_GT(offset.uncertainty, 0);
        EXPECT_LE(std::abs(offset.seconds), offset.uncertainty + kClockResolution);
        EXPECT_EQ(offsets[r][2].seconds, offsets[0][2].seconds);
    }
}

}  // namespace
}  // namespace soma::dist
