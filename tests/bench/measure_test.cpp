// Contest: order, calibration, statistics and the refusal to conclude, under a clock of our own.

#include "bench/measure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"

namespace soma::bench {
namespace {

// Time passes only when a contender works or somebody sleeps.
class FakeTime {
public:
    Clock clock() {
        return {[this] { return now_; }, [this](double s) { slept_ += s; }};
    }
    // Takes call_seconds a call and logs its name.
    Contender contender(const std::string& name, double call_seconds) {
        return {name, [this, name, call_seconds](Index repeats) {
                    log_.push_back(name);
                    now_ += call_seconds * static_cast<double>(repeats);
                }};
    }
    void pass(double seconds) { now_ += seconds; }

    std::vector<std::string> log_;
    double slept_ = 0;

private:
    double now_ = 0;
};

// Every call of a contender is as long as a block and needs no warming up: 2 calls to calibrate.
MeasureOptions plain(int rounds) { return {.rounds = rounds, .warm_seconds = 0}; }

TEST(Contest, EveryRoundRunsEachContenderOnceInRotatedOrder) {
    FakeTime time;
    Contest contest({time.contender("a", 1), time.contender("b", 1), time.contender("c", 1)},
                    plain(3), time.clock());

    contest.run();

    const std::vector<std::string> rounds(time.log_.begin() + 6, time.log_.end());
    const std::vector<std::string> expected = {"a", "b", "c", "b", "c", "a", "c", "a", "b"};
    EXPECT_EQ(rounds, expected);
}

TEST(Contest, BlocksAreAsLongAsAskedAndTimesAreThoseOfACall) {
    FakeTime time;
    Contest contest({time.contender("short", 1.0 / 1024), time.contender("long", 4)},
                    {.rounds = 1, .block_seconds = 1}, time.clock());

    contest.run();

    EXPECT_EQ(contest.repeats(0), 1024);
    EXPECT_EQ(contest.repeats(1), 1);
    EXPECT_DOUBLE_EQ(contest.time(0).median, 1.0 / 1024);
    EXPECT_DOUBLE_EQ(contest.time(1).median, 4);
}

// Works on a machine that gets slower every round: call_seconds, twice that, three times, ...
Contender tiring(FakeTime& time, double call_seconds) {
    return {"tiring", [&time, call_seconds, calls = -2](Index) mutable {
                ++calls;  // two calls calibrate
                time.pass(call_seconds * std::max(1, calls));
            }};
}

TEST(Contest, RatiosAreFormedWithinARound) {
    FakeTime time;
    Contest contest({tiring(time, 2), tiring(time, 1)}, plain(9), time.clock());

    contest.run();

    EXPECT_EQ(contest.time(0).most, 9 * contest.time(0).least);
    const Spread speedup = contest.speedup(1, 0);
    EXPECT_DOUBLE_EQ(speedup.least, 2);
    EXPECT_DOUBLE_EQ(speedup.most, 2);
}

TEST(Contest, SeveralThreadsWaitBeforeEachBlock) {
    FakeTime time;
    Contest contest({time.contender("a", 1), time.contender("b", 1)},
                    {.rounds = 3, .warm_seconds = 0, .gap_seconds = 0.5, .threads = 2},
                    time.clock());

    contest.run();

    EXPECT_DOUBLE_EQ(time.slept_, 6 * 0.5);
}

TEST(Contest, ShortCallsAreWarmedUpAndLongOnesWarmThemselves) {
    FakeTime time;
    Contest contest({time.contender("short", 0.25), time.contender("long", 2)},
                    {.rounds = 1, .block_seconds = 2, .warm_seconds = 1}, time.clock());

    contest.run();

    const std::vector<std::string> round(time.log_.end() - 3, time.log_.end());
    const std::vector<std::string> expected = {"short", "short", "long"};
    EXPECT_EQ(round, expected);
}

TEST(Contest, NoContendersAndNoRoundsAreErrors) {
    FakeTime time;
    EXPECT_THROW(Contest({}, plain(3)), Error);
    EXPECT_THROW(Contest({time.contender("a", 1)}, plain(0)), Error);
}

TEST(Spread, QuartilesInterpolateBetweenNeighbours) {
    const Spread s = spread_of({4, 1, 3, 2});

    EXPECT_EQ(s.least, 1);
    EXPECT_EQ(s.lower, 1.75);
    EXPECT_EQ(s.median, 2.5);
    EXPECT_EQ(s.upper, 3.25);
    EXPECT_EQ(s.most, 4);
    EXPECT_EQ(s.count, 4);
}

TEST(Spread, UncertaintyIsTheNotchOfABoxPlot) {
    std::vector<double> values;
    for (int i = 0; i <= 100; ++i) values.push_back(100 + i);

    const Spread s = spread_of(values);

    EXPECT_DOUBLE_EQ(s.uncertainty(), 1.57 * 50 / std::sqrt(101.0) / 150);
}

TEST(Spread, WideOrFewValuesConcludeNothing) {
    EXPECT_TRUE(spread_of({1, 1, 1}).conclusive());
    EXPECT_FALSE(spread_of({1, 1}).conclusive());                   // too few to know
    EXPECT_FALSE(spread_of({1, 1.2, 0.8, 1.1, 0.9}).conclusive());  // +- 14 %
    EXPECT_TRUE(spread_of({1, 1.01, 0.99, 1, 9}).conclusive());     // one outlier
}

TEST(GeometricMean, OfReciprocalsIsOne) {
    EXPECT_DOUBLE_EQ(geometric_mean({4, 0.25}), 1);
    EXPECT_DOUBLE_EQ(geometric_mean({2, 8}), 4);
}

}  // namespace
}  // namespace soma::bench
