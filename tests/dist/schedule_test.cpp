// Schedules carried out by a simulation of all ranks, whose numbers say what was added to what.

#include "soma/dist/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "soma/core/error.h"

namespace soma::dist {
namespace {

using MakeSchedule = Schedule (*)(int, int, Index);

// One string per rank and element: "((0+1)+(2+3))". A message is what the sender holds when its
// step begins; all ranks run in lock step as far as their peers allow.
std::vector<std::vector<std::string>> carried_out(MakeSchedule make, int ranks, Index n) {
    std::vector<std::vector<std::string>> held;
    std::vector<Schedule> schedules;
    for (int r = 0; r < ranks; ++r) {
        held.emplace_back(static_cast<std::size_t>(n), std::to_string(r));
        schedules.push_back(make(ranks, r, n));
    }
    struct Message {
        int from, to;
        Range part;
        std::vector<std::string> values;
    };
    std::vector<Message> wire;
    std::vector<std::size_t> at(schedules.size(), 0);
    std::vector<bool> sent(schedules.size(), false);
    for (bool moved = true; moved;) {
        moved = false;
        for (int r = 0; r < ranks; ++r) {
            const auto i = static_cast<std::size_t>(r);
            if (at[i] == schedules[i].size()) continue;
            const Step& step = schedules[i][at[i]];
            if (!sent[i] && !step.give.empty()) {
                wire.push_back(
                    {r,
                     step.to,
                     step.give,
                     {held[i].begin() + step.give.begin, held[i].begin() + step.give.end}});
            }
            moved |= !sent[i];
            sent[i] = true;
            if (!step.take.empty()) {
                const auto m = std::find_if(wire.begin(), wire.end(), [&](const Message& message) {
                    return message.from == step.from && message.to == r;
                });
                if (m == wire.end()) continue;
                EXPECT_EQ(m->part.begin, step.take.begin);
                EXPECT_EQ(m->part.end, step.take.end);
                for (Index e = step.take.begin; e < step.take.end; ++e) {
                    std::string& mine = held[i][static_cast<std::size_t>(e)];
                    const std::string& theirs =
                        m->values[static_cast<std::size_t>(e - step.take.begin)];
                    if (!step.folds)
                        mine = theirs;
                    else if (step.lower)
                        mine = "(" + mine + "+" + theirs + ")";
                    else
                        mine = "(" + theirs + "+" + mine + ")";
                }
                wire.erase(m);
            }
            ++at[i];
            sent[i] = false;
            moved = true;
        }
    }
    EXPECT_TRUE(wire.empty());
    for (std::size_t r = 0; r < at.size(); ++r)
        EXPECT_EQ(at[r], schedules[r].size()) << "rank " << r;
    return held;
}

// The balanced tree over ranks [begin, end).
std::string tree(int begin, int end) {
    if (end - begin == 1) return std::to_string(begin);
    const int middle = (begin + end) / 2;
    return "(" + tree(begin, middle) + "+" + tree(middle, end) + ")";
}

// Each rank once, in whatever order.
bool sums_all(const std::string& expression, int ranks) {
    std::vector<int> seen(static_cast<std::size_t>(ranks), 0);
    for (std::size_t i = 0; i < expression.size();) {
        if (std::isdigit(static_cast<unsigned char>(expression[i])) == 0) {
            ++i;
            continue;
        }
        std::size_t length = 0;
        ++seen[static_cast<std::size_t>(std::stoi(expression.substr(i), &length))];
        i += length;
    }
    return std::all_of(seen.begin(), seen.end(), [](int count) { return count == 1; });
}

const Index kSizes[] = {1, 1024, 5000};

TEST(Schedule, DoublingAndHalvingAreTheBalancedTree) {
    for (int ranks = 1; ranks <= 16; ranks *= 2) {
        for (const Index n : kSizes) {
            for (const MakeSchedule make : {&doubling_schedule, &halving_schedule}) {
                for (const auto& rank : carried_out(make, ranks, n)) {
                    const std::vector<std::string> expected(rank.size(), tree(0, ranks));
                    EXPECT_EQ(rank, expected) << ranks << " ranks, " << n << " elements";
                }
            }
        }
    }
}

TEST(Schedule, RingAndDoublingSumOverAnyNumberOfRanksTheSameOnAll) {
    for (const int ranks : {1, 2, 3, 5, 6, 7, 12}) {
        for (const Index n : kSizes) {
            for (const MakeSchedule make : {&doubling_schedule, &ring_schedule}) {
                const auto held = carried_out(make, ranks, n);
                for (const std::string& sum : held[0]) EXPECT_TRUE(sums_all(sum, ranks)) << sum;
                for (const auto& rank : held) EXPECT_EQ(rank, held[0]);
            }
        }
    }
}

// 2 (P-1)/P n elements leave each rank, as for any all-reduce of least traffic.
TEST(Schedule, HalvingAndRingSendTheLeast) {
    for (const MakeSchedule make : {&halving_schedule, &ring_schedule}) {
        for (int rank = 0; rank < 8; ++rank) {
            Index sent = 0;
            for (const Step& step : make(8, rank, 8 * 1024)) sent += step.give.size();
            EXPECT_EQ(sent, 2 * 7 * 1024);
        }
    }
}

// All but the first exchange stays between ranks that are neighbours less and less: an eighth of
// the bytes cross the middle of eight ranks.
TEST(Schedule, HalvingExchangesMostWithTheNextRank) {
    const Schedule schedule = halving_schedule(8, 5, 8 * 1024);
    EXPECT_EQ(schedule.front().to, 4);
    EXPECT_EQ(schedule.front().give.size(), 4 * 1024);
    EXPECT_EQ(schedule[2].to, 1);
    EXPECT_EQ(schedule[2].give.size(), 1024);
}

TEST(Schedule, SmallSumsDouble) {
    EXPECT_EQ(make_schedule(Algorithm::tree, 4, 0, 100, 4).size(), 2u);
    EXPECT_EQ(make_schedule(Algorithm::tree, 4, 0, 100, 4, 0).size(), 4u);
    EXPECT_EQ(doubling_bytes(2), 128 << 10);
    EXPECT_EQ(doubling_bytes(4), 96 << 10);
    EXPECT_LT(doubling_bytes(1024), doubling_bytes(16));
    EXPECT_EQ(make_schedule(Algorithm::tree, 4, 0, 100'000, 4).size(), 4u);
    EXPECT_EQ(make_schedule(Algorithm::ring, 4, 0, 100'000, 4).size(), 6u);
}

TEST(Schedule, RefusesWhatCannotBe) {
    EXPECT_THROW(halving_schedule(3, 0, 10), Error);
    EXPECT_THROW(ring_schedule(2, 2, 10), Error);
    EXPECT_THROW(doubling_schedule(2, 0, -1), Error);
    EXPECT_THROW(make_schedule(Algorithm::library, 2, 0, 1, 4), Error);
}

}  // namespace
}  // namespace soma::dist
