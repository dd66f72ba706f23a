// What a contest of a recurrent layer consists of.

#include "bench/rnn.h"

#include <gtest/gtest.h>

#include "soma/core/error.h"

namespace soma::bench {
namespace {

constexpr MeasureOptions kShort{.rounds = 3, .block_seconds = 1e-4, .warm_seconds = 0};

TEST(RnnContest, EveryCellHasItsPartsAndOnlyTheCtrnnNoise) {
    for (const std::string& cell : rnn_cells()) {
        const Outcome o = rnn_contest({.cell = cell, .units = 8, .batch = 4, .steps = 3}, kShort);

        ASSERT_EQ(o.timings.size(), cell == "ctrnn" ? kNoise + 1 : kNoise) << cell;
        EXPECT_EQ(o.timings[kStep].name, "step");
        EXPECT_EQ(o.timings[kPass].name, "pass");
        EXPECT_EQ(o.timings[kProducts].name, "products");
        EXPECT_EQ(o.timings[kActivations].name, "activations");
        EXPECT_GT(o.ratio(kPass, kActivations).least, 1) << cell;
    }
}

// 2 N G N flop a trial and step, three times; with many inputs also 2 I G N, twice.
TEST(RnnContest, CountsTheFlopOfItsProducts) {
    const RnnShape lstm{.cell = "lstm", .units = 8, .batch = 4, .steps = 3, .inputs = 2};
    EXPECT_EQ(rnn_contest(lstm, kShort).flop, 3 * (2 * 8 * 4 * 8) * 4 * 3);

    const RnnShape wide{.cell = "ctrnn", .units = 8, .batch = 4, .steps = 3, .inputs = 16};
    EXPECT_EQ(rnn_contest(wide, kShort).flop, (3 * (2 * 8 * 8) + 2 * (2 * 16 * 8)) * 4 * 3);
}

TEST(RnnContest, RefusesUnknownCellsAndNoSize) {
    EXPECT_THROW(rnn_contest({.cell = "elman"}, kShort), Error);
    EXPECT_THROW(rnn_contest({.units = 0}, kShort), Error);
}

}  // namespace
}  // namespace soma::bench
