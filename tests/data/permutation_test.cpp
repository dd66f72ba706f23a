// The keyed permutation: a bijection for every size, uniform over seeds.

#include "soma/data/permutation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "soma/core/error.h"

namespace soma::data {
namespace {

TEST(Permutation, IsABijectionForEverySizeUpTo5000) {
    std::vector<Index> last_seen(5000, 0);  // size in which an element was last seen
    for (Index n = 1; n <= 5000; ++n) {
        const Permutation order(n, 7, static_cast<std::uint64_t>(n % 3));
        for (Index i = 0; i < n; ++i) {
            const Index element = order(i);
            ASSERT_TRUE(element >= 0 && element < n) << n;
            Index& seen = last_seen[static_cast<std::size_t>(element)];
            ASSERT_NE(seen, n) << "element " << element << " twice in a permutation of " << n;
            seen = n;
        }
    }
}

// Pearson's statistic of uniform counts has k - 1 degrees of freedom: mean k - 1, variance
// 2 (k - 1). Five standard deviations above the mean are exceeded with probability below 1e-4 for
// k >= 10.
double chi_square_limit(int bins) { return (bins - 1) + 5 * std::sqrt(2.0 * (bins - 1)); }

class FirstPosition : public ::testing::TestWithParam<int> {};

TEST_P(FirstPosition, IsUniformOverSeeds) {
    const int n = GetParam(), draws = 200 * n;
    std::vector<int> count(static_cast<std::size_t>(n));
    for (int seed = 0; seed < draws; ++seed) {
        ++count[static_cast<std::size_t>(Permutation(n, static_cast<std::uint64_t>(seed), 3)(0))];
    }
    double chi_square = 0;
    for (const int c : count) chi_square += (c - 200.0) * (c - 200.0) / 200.0;
    EXPECT_LT(chi_square, chi_square_limit(n));
}

INSTANTIATE_TEST_SUITE_P(Sizes, FirstPosition, ::testing::Values(10, 64, 100, 257, 1000));

TEST(Permutation, SuccessiveElementsAreUniformPairs) {
    // Differences of neighbours over one long epoch, modulo 64 bins.
    const Index n = 64000;
    const Permutation order(n, 5, 0);
    std::vector<int> count(64);
    for (Index i = 0; i + 1 < n; ++i) {
        const Index difference = (order(i + 1) - order(i) + n) % n;
        ++count[static_cast<std::size_t>(difference % 64)];
    }
    const double expected = static_cast<double>(n - 1) / 64;
    double chi_square = 0;
    for (const int c : count) chi_square += (c - expected) * (c - expected) / expected;
    EXPECT_LT(chi_square, chi_square_limit(64));
}

TEST(Permutation, DependsOnSeedAndEpoch) {
    const Permutation base(1000, 1, 0), seed(1000, 2, 0), epoch(1000, 1, 1),
        high_epoch(1000, 1, std::uint64_t{1} << 32);
    int same_seed = 0, same_epoch = 0, same_high = 0;
    for (Index i = 0; i < 1000; ++i) {
        same_seed += base(i) == seed(i);
        same_epoch += base(i) == epoch(i);
        same_high += base(i) == high_epoch(i);
    }
    // Independent permutations agree in about 1 place (Poisson): 12 or more has probability 1e-9.
    EXPECT_LT(same_seed, 12);
    EXPECT_LT(same_epoch, 12);
    EXPECT_LT(same_high, 12);
}

TEST(Permutation, RefusesPositionsOutside) {
    EXPECT_THROW(Permutation(0, 1, 0), Error);
    const Permutation order(10, 1, 0);
    EXPECT_THROW(order(10), Error);
    EXPECT_THROW(order(-1), Error);
}

}  // namespace
}  // namespace soma::data
