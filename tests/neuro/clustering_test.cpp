#include "soma/neuro/clustering.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "soma/core/error.h"
#include "soma/core/rng.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

// `each` rows around every corner k e_k of a simplex whose corners are sqrt(2) apart; each
// coordinate is off by at most `spread`.
Matrix planted(Index clusters, Index each, double spread) {
    Matrix x(clusters * each, clusters);
    RandomSequence random(make_key(5, Purpose::surrogate_data));
    for (Index i = 0; i < x.rows; ++i) {
        for (Index j = 0; j < x.cols; ++j) {
            x(i, j) = (i / each == j ? 1 : 0) + spread * (2 * double{random.uniform()} - 1);
        }
    }
    return x;
}

// Rows of one planted cluster have one label, rows of two have two.
bool finds(const std::vector<Index>& labels, Index clusters, Index each) {
    std::set<Index> seen;
    for (Index k = 0; k < clusters; ++k) {
        const Index label = labels[static_cast<std::size_t>(k * each)];
        if (!seen.insert(label).second) return false;
        for (Index i = 0; i < each; ++i) {
            if (labels[static_cast<std::size_t>(k * each + i)] != label) return false;
        }
    }
    return true;
}

// Within a cluster distances are at most 2 spread sqrt(5) = .45, between clusters at least
// sqrt(2) - .45 = .97: the planted partition is the best one.
TEST(KMeans, FindsPlantedClusters) {
    const Matrix x = planted(5, 12, 0.1);
    const Clusters c = k_means(x, 5);
    EXPECT_TRUE(finds(c.labels, 5, 12));
    for (Index k = 0; k < 5; ++k) {
        const Index label = c.labels[static_cast<std::size_t>(12 * k)];
        for (Index j = 0; j < 5; ++j) EXPECT_NEAR(c.centres(label, j), j == k ? 1 : 0, 0.1);
    }
}

TEST(KMeans, SumOfSquaresIsThatOfTheLabels) {
    const Matrix x = planted(3, 7, 0.6);
    const Clusters c = k_means(x, 4);
    double within = 0;
    for (Index i = 0; i < x.rows; ++i) {
        for (Index j = 0; j < x.cols; ++j) {
            const double d = x(i, j) - c.centres(c.labels[static_cast<std::size_t>(i)], j);
            within += d * d;
        }
    }
    EXPECT_NEAR(c.within, within, 1e-12 * within);  // a sum of 63 squares, in the same order
}

TEST(KMeans, MoreStartsAreNeverWorse) {
    const Matrix x = planted(6, 5, 0.8);
    const double one = k_means(x, 6, {.starts = 1}).within;
    EXPECT_LE(k_means(x, 6, {.starts = 20}).within, one);
}

TEST(KMeans, AsManyClustersAsRowsLeaveNothing) {
    const Clusters c = k_means(planted(4, 1, 0.1), 4);
    EXPECT_EQ(c.within, 0);
    EXPECT_TRUE(finds(c.labels, 4, 1));
}

TEST(KMeans, RefusesWhatHasNoAnswer) {
    EXPECT_THROW(k_means(planted(2, 2, 0.1), 5), Error);
    EXPECT_THROW(k_means(planted(2, 2, 0.1), 0), Error);
    EXPECT_THROW(k_means(planted(2, 3, 0), 3), Error);  // two different rows
}

// Two pairs on a line: 0, 1 and 4, 5. By hand s = (4.5 - 1) / 4.5, (3.5 - 1) / 3.5 and mirrored.
TEST(Silhouette, IsWhatItsDefinitionSays) {
    const Matrix x(4, 1, {0, 1, 4, 5});
    const std::vector<Index> labels = {0, 0, 1, 1};
    EXPECT_NEAR(silhouette(x, labels), (3.5 / 4.5 + 2.5 / 3.5) / 2, 1e-15);
    const std::vector<Index> single = {0, 0, 0, 1};
    // Rows 0, 1, 4 against row 5: a = 2.5, 2, 3.5 and b = 5, 4, 1; the single row counts 0.
    EXPECT_NEAR(silhouette(x, single), (2.5 / 5 + 2.0 / 4 - 2.5 / 3.5) / 4, 1e-15);
}

TEST(Silhouette, RefusesOneClusterAndEmptyOnes) {
    const Matrix x(3, 1, {0, 1, 2});
    for (const std::vector<Index>& labels :
         {std::vector<Index>{0, 0, 0}, std::vector<Index>{0, 0, 2}, std::vector<Index>{0, 1}}) {
        EXPECT_THROW(silhouette(x, labels), Error);
    }
}

TEST(ChooseClusters, TakesThePlantedNumber) {
    for (const Index planted_count : {3, 5, 8}) {
        const ClusterChoice c = choose_clusters(planted(planted_count, 9, 0.1), 2, 12);
        EXPECT_EQ(c.count(), planted_count);
        EXPECT_TRUE(finds(c.best.labels, planted_count, 9));
        EXPECT_EQ(c.silhouettes.size(), 11u);
        // a <= .2 sqrt(8) = .57 in the worst case, b >= sqrt(2) - .57; the mean is far better.
        EXPECT_GT(c.silhouette(), 0.5);
    }
}

}  // namespace
}  // namespace soma::neuro
