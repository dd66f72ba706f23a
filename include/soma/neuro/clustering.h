#pragma once
// Clusters of units, or of any rows: k-means, how well the clusters are separated, and how many of
// them to take.
//
//     k-means      min over labels l and centres c of  sum_i |x_i - c_{l_i}|^2
//     silhouette   s_i = (b_i - a_i) / max(a_i, b_i)
//                  a_i: mean distance to the other rows of its cluster; b_i: smallest mean distance
//                  to the rows of another cluster; s_i = 0 in a cluster of one row
//
// Letters: S rows, D columns, K clusters. Keyed by Philox, purpose 8: functions of the arguments
// alone. Sources: Lloyd 1982; starts after Arthur & Vassilvitskii 2007 (k-means++); Rousseeuw 1987.

#include <cstdint>
#include <span>
#include <vector>

#include "soma/linalg/matrix.h"

namespace soma::neuro {

struct KMeansOptions {
    Index starts = 20;       // the one with the smallest sum of squares is kept
    Index iterations = 300;  // of a start; it ends when no label changes
    std::uint64_t seed = 0;
};

struct Clusters {
    std::vector<Index> labels;  // [S], 0 to K - 1; no cluster is empty
    linalg::Matrix centres;     // [K, D]
    double within = 0;          // the sum that was minimised
};

// x [S, D]. Cost of an iteration: 3 S K D flop. Error(usage) unless 1 <= K <= number of different
// rows and there is at least one start and iteration.
Clusters k_means(const linalg::Matrix& x, Index clusters, const KMeansOptions& options = {});

// Mean silhouette of all rows, -1 to 1. labels [S] from 0 on. Error(usage) unless there are at
// least two clusters and none of them is empty.
double silhouette(const linalg::Matrix& x, std::span<const Index> labels);

// The K of [least, most] with the largest silhouette.
struct ClusterChoice {
    Clusters best;
    std::vector<double> silhouettes;  // of least, least + 1, ...
    Index least = 2;

    Index count() const { return best.centres.rows; }
    double silhouette() const { return silhouettes[static_cast<std::size_t>(count() - least)]; }
};
// Error(usage) unless 2 <= least <= most, and as k_means.
ClusterChoice choose_clusters(const linalg::Matrix& x, Index least, Index most,
                              const KMeansOptions& options = {});

}  // namespace soma::neuro
