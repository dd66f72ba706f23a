#include "soma/neuro/resampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"

namespace soma::neuro {
namespace {

TEST(Resampling, PermutationsHoldEveryIndexOnceAndDependOnAllOfTheKey) {
    const std::vector<Index> order = random_permutation(50, 1, 2, 3);
    std::vector<Index> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(sorted[i], static_cast<Index>(i));
    EXPECT_EQ(order, random_permutation(50, 1, 2, 3));
    EXPECT_NE(order, random_permutation(50, 2, 2, 3));
    EXPECT_NE(order, random_permutation(50, 1, 3, 3));
    EXPECT_NE(order, random_permutation(50, 1, 2, 4));
}

// Each of the 6 orders of 3 has probability 1/6: 5 standard errors of 6000 draws are 144.
TEST(Resampling, PermutationsAreUniform) {
    std::array<int, 27> counts{};
    for (Index r = 0; r < 6000; ++r) {
        const std::vector<Index> p = random_permutation(3, 7, r);
        ++counts[static_cast<std::size_t>(9 * p[0] + 3 * p[1] + p[2])];
    }
    for (const int code : {5, 7, 11, 15, 19, 21}) EXPECT_NEAR(counts[std::size_t(code)], 1000, 144);
}

// A sample of n holds a given index at least once with probability 1 - (1 - 1/n)^n = 0.634 at 100:
// 4 standard errors of the mean over 200 samples are 0.634 +- 4 * 0.031 / sqrt(200).
TEST(Resampling, BootstrapSamplesRepeatIndices) {
    double distinct = 0;
    for (Index r = 0; r < 200; ++r) {
        std::vector<Index> sample = bootstrap_sample(100, 3, r);
        std::sort(sample.begin(), sample.end());
        EXPECT_GE(sample.front(), 0);
        EXPECT_LT(sample.back(), 100);
        distinct += double(std::unique(sample.begin(), sample.end()) - sample.begin()) / 100;
    }
    EXPECT_NEAR(distinct / 200, 0.634, 0.009);
}

TEST(Resampling, QuantilesInterpolate) {
    EXPECT_EQ(quantile({3, 1, 2}, 0), 1);
    EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
    EXPECT_EQ(quantile({3, 1, 2}, 0.75), 2.5);
    EXPECT_EQ(quantile({3, 1, 2}, 1), 3);
    EXPECT_THROW(quantile({}, 0.5), Error);
    const Interval i = percentile_interval({0, 1, 2, 3, 4}, 0.5);
    EXPECT_EQ(i.low, 1);
    EXPECT_EQ(i.high, 3);
    EXPECT_TRUE(std::isnan(percentile_interval({}, 0.95).low));
}

TEST(Resampling, PermutationPIsNeverZero) {
    const std::vector<double> null = {1, 2, 3};
    EXPECT_EQ(permutation_p(4, null), 0.25);
    EXPECT_EQ(permutation_p(3, null), 0.5);
    EXPECT_EQ(permutation_p(0, null), 1);
}

}  // namespace
}  // namespace soma::neuro
