// Summaries of sweeps: means, shares and intervals of rows with known answers.

#include "soma/systems/sweep_summary.h"

#include <gtest/gtest.h>

#include <cmath>

#include "soma/core/error.h"
#include "soma/train/report.h"

namespace soma::systems {
namespace {

// Solves p = the proportion whose score test just accepts k of n: (k/n - p)^2 = z^2 p (1 - p) / n.
TEST(WilsonInterval, EndsAreWhereTheScoreTestTurns) {
    const double z2 = 1.959963984540054 * 1.959963984540054;
    for (const auto& [k, n] : {std::pair<Index, Index>{8, 10}, {1, 3}, {40, 50}}) {
        const neuro::Interval i = wilson_interval(k, n);
        const double share = static_cast<double>(k) / static_cast<double>(n);
        for (const double p : {i.low, i.high}) {
            EXPECT_NEAR((share - p) * (share - p), z2 * p * (1 - p) / static_cast<double>(n),
                        1e-15);
        }
        EXPECT_LT(i.low, share);
        EXPECT_GT(i.high, share);
    }
}

TEST(WilsonInterval, StaysWithinTheRangeOfAShare) {
    EXPECT_EQ(wilson_interval(0, 10).low, 0);
    EXPECT_NEAR(wilson_interval(0, 10).high, 0.27753, 1e-5);  // z^2 / (n + z^2)
    EXPECT_EQ(wilson_interval(10, 10).high, 1);
    EXPECT_THROW(wilson_interval(3, 2), Error);
    EXPECT_THROW(wilson_interval(0, 0), Error);
}

// 20 seeds and two rates; the second rate's net of seed 1 failed.
struct Example {
    SweepPlan plan = parse_sweep_plan(
        R"({"name": "x", "system": "flipflop2013", "axes": {"rate": [0.01, 0.02]},
            "seeds": {"count": 20}})",
        "test");
    std::vector<SweepRow> rows;

    Example() {
        for (Index net = 0; net < std::ssize(plan.nets); ++net) {
            const SweepNet& n = plan.nets[static_cast<std::size_t>(net)];
            SweepRow row{.net = net, .line = ""};
            if (n.setting == 1 && n.seed == 1) {
                row.error = "diverged";
            } else {
                const auto seed = static_cast<Index>(n.seed);
                row.result = {{"seed", seed}, {"solved", seed > 5}, {"note", "text"}};
            }
            rows.push_back(std::move(row));
        }
    }
};

// Seeds 1 ... 20: mean 10.5, standard error of the mean s = sqrt((20^2 - 1) / 12 / 20) = 1.289, so
// the interval is about 10.5 +- 1.96 s. The 2.5 % quantile of 2,000 resamples has the standard
// error sqrt(.025 .975 / 2000) / .0584 = 0.06 s; the tolerance is 4 of them, 0.31.
TEST(SweepSummary, MeansAndSharesOverSeedsWithIntervals) {
    const Example e;
    const SweepSummary summary = summarize(e.plan, e.rows);
    ASSERT_EQ(summary.measures.size(), 2u);
    EXPECT_FALSE(summary.measures[0].share);
    EXPECT_TRUE(summary.measures[1].share);
    ASSERT_EQ(summary.settings.size(), 2u);

    const SettingSummary& first = summary.settings[0];
    EXPECT_EQ(first.nets, 20);
    EXPECT_EQ(first.failed, 0);
    EXPECT_EQ(first.estimates[0].mean, 10.5);
    EXPECT_NEAR(first.estimates[0].interval.low, 10.5 - 1.96 * 1.289, 0.31);
    EXPECT_NEAR(first.estimates[0].interval.high, 10.5 + 1.96 * 1.289, 0.31);
    EXPECT_EQ(first.estimates[1].mean, 0.75);
    EXPECT_EQ(first.estimates[1].interval.low, wilson_interval(15, 20).low);
}

TEST(SweepSummary, FailedNetsAreCountedAndStandInNoMean) {
    const Example e;
    const SettingSummary second = summarize(e.plan, e.rows).settings[1];
    EXPECT_EQ(second.nets, 20);
    EXPECT_EQ(second.failed, 1);
    EXPECT_EQ(second.estimates[0].mean, 11);  // of 2 ... 20
}

TEST(SweepSummary, OneNetHasNoIntervalAndNoneHasNoMean) {
    Example e;
    e.rows.resize(1);
    const SweepSummary summary = summarize(e.plan, e.rows);
    EXPECT_EQ(summary.settings[0].estimates[0].mean, 1);
    EXPECT_TRUE(std::isnan(summary.settings[0].estimates[0].interval.low));
    EXPECT_FALSE(summary.settings[1].estimates[0].known);
    EXPECT_NE(summary_csv(e.plan, summary).find("0.01,1,0,seed,1.0,,\n"), std::string::npos)
        << summary_csv(e.plan, summary);
    EXPECT_NE(summary_csv(e.plan, summary).find("0.02,0,0,seed,,,\n"), std::string::npos);
}

TEST(SweepSummary, TableNamesEachSettingOnce) {
    const Example e;
    const train::Table table = summary_table(e.plan, summarize(e.plan, e.rows));
    ASSERT_EQ(table.rows.size(), 4u);
    EXPECT_EQ(table.rows[0][0], "rate 0.01");
    EXPECT_EQ(table.rows[1][0], "");
    EXPECT_EQ(table.rows[2],
              (std::vector<std::string>{"rate 0.02", "20", "1", "seed", "11", table.rows[2][5]}));
}

}  // namespace
}  // namespace soma::systems
