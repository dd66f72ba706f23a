// What is concluded from timings, and when nothing is.

#include "bench/outcome.h"

#include <gtest/gtest.h>

#include <cmath>

namespace soma::bench {
namespace {

// A row of 10^9 flop: soma takes 10 ms (100 GF), the peak is 200 GF; rivals as given.
Outcome row(const std::string& group, const std::string& name,
            const std::vector<std::pair<std::string, double>>& rivals, int rounds = 9) {
    const auto n = static_cast<std::size_t>(rounds);
    Outcome o{.group = group, .name = name, .flop = 1e9, .bytes = 1e6, .timings = {}, .peak = {}};
    o.timings.push_back({"soma", 1, std::vector<double>(n, 0.010)});
    for (const auto& [rival, seconds] : rivals)
        o.timings.push_back({rival, 1, std::vector<double>(n, seconds)});
    o.peak.assign(n, 200e9);
    return o;
}

// The same with every other round of soma half as fast.
Outcome disturbed(const std::string& name) {
    Outcome o = row("small", name, {{"mkl", 0.012}});
    for (std::size_t r = 0; r < o.peak.size(); r += 2) o.timings[0].seconds[r] = 0.020;
    return o;
}

TEST(Outcome, RatiosAboveOneMeanThatSomaIsFaster) {
    const Outcome o = row("small", "64x64x64 NN", {{"mkl", 0.012}, {"blis", 0.030}});

    EXPECT_DOUBLE_EQ(o.gflops(), 100);
    EXPECT_DOUBLE_EQ(o.peak_share().median, 0.5);
    EXPECT_DOUBLE_EQ(o.ratio(1).median, 1.2);
    EXPECT_EQ(o.best_rival(), 1u);
    EXPECT_TRUE(o.conclusive());
}

TEST(Outcome, WithoutRivalsTheShareOfThePeakDecides) {
    const Outcome o = row("small", "64x64x64 NN", {});

    EXPECT_EQ(o.best_rival(), 0u);
    EXPECT_TRUE(o.conclusive());
    EXPECT_TRUE(std::isnan(summarise({o})[0].ratio));
}

TEST(Summary, TakesTheBestRivalOfEachRowAndNamesLosses) {
    const std::vector<Outcome> rows = {row("small", "a", {{"mkl", 0.020}, {"blis", 0.040}}),
                                       row("small", "b", {{"mkl", 0.030}, {"blis", 0.005}}),
                                       row("large", "c", {{"mkl", 0.011}})};

    const std::vector<GroupSummary> s = summarise(rows);

    ASSERT_EQ(s.size(), 2u);
    EXPECT_EQ(s[0].group, "small");
    EXPECT_DOUBLE_EQ(s[0].ratio, 1.0);  // sqrt(2.0 * 0.5)
    EXPECT_EQ(s[0].worst, "b");
    EXPECT_DOUBLE_EQ(s[0].worst_ratio, 0.5);
    EXPECT_EQ(s[0].losses, std::vector<std::string>{"b (0.50 blis)"});
    EXPECT_TRUE(s[1].losses.empty());
}

TEST(Summary, DisturbedRowsAreUndecidedNotLost) {
    const std::vector<GroupSummary> s = summarise({disturbed("noisy")});

    EXPECT_EQ(s[0].inconclusive, std::vector<std::string>{"noisy"});
    EXPECT_TRUE(s[0].losses.empty());
}

TEST(Refusal, QuietRunsConclude) { EXPECT_EQ(refusal({row("small", "a", {{"mkl", 0.012}})}), ""); }

TEST(Refusal, TooManyUndecidedRowsRefuse) {
    const Outcome quiet = row("small", "a", {{"mkl", 0.012}});

    EXPECT_EQ(refusal({quiet, quiet, quiet, disturbed("b")}), "");  // a quarter is tolerated
    EXPECT_NE(refusal({quiet, quiet, disturbed("b")}), "");
}

TEST(Refusal, WanderingPeakRefuses) {
    Outcome o = row("small", "a", {{"mkl", 0.012}});
    for (std::size_t r = 0; r < o.peak.size(); r += 2) {
        o.peak[r] /= 2;
        o.timings[0].seconds[r] *= 2;  // shares and ratios stay what they are
        o.timings[1].seconds[r] *= 2;
    }

    EXPECT_TRUE(o.conclusive());
    EXPECT_NE(refusal({o}).find("peak"), std::string::npos);
}

TEST(Refusal, NothingMeasuredConcludesNothing) { EXPECT_NE(refusal({}), ""); }

}  // namespace
}  // namespace soma::bench
