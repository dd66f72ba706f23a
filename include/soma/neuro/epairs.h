#pragma once
// ePAIRS: do the loadings of units point in directions at random, or do they cluster? (neuro.md
// 6.16; Hirokawa et al. 2019, Nature 576; Dubreuil, Valente et al. 2022, code
// `mixedselectivity.py`)
//
// Points are centred, turned to their principal axes and scaled to unit variance. The statistic of
// a point is the angle to its nearest neighbours in direction, by the mean of their cosines. What
// it is for directions at random comes from Gaussian clouds of the same size, whitened alike:
// whatever the covariance of the data, the null is the same.
//
// Differs from the code of 2022, which pools the null angles of all clouds and takes the p-value of
// a rank-sum test: angles of one cloud depend on each other. Here p is the rank of the data's
// Kolmogorov-Smirnov distance to the pooled null among those of the clouds themselves: uniform for
// Gaussian data, never below 1 / (1 + clouds).
//
// Letters: N units, D dimensions. Cost of a cloud: N^2 D flop and N selections among N.

#include <cstdint>
#include <vector>

#include "soma/linalg/matrix.h"

namespace soma::neuro {

struct EpairsOptions {
    Index neighbours = 3;
    Index clouds = 500;
    std::uint64_t seed = 0;
};

// The angles of Gaussian clouds of one size.
struct EpairsNull {
    EpairsOptions options;
    Index units = 0, dimensions = 0;
    std::vector<double> angles;     // of all clouds, ascending
    std::vector<double> distances;  // [clouds], of each cloud's angles to `angles`
    double median = 0, sd = 0;      // of angles
};
// Clouds run in parallel; cloud k depends on (seed, k) alone. Error(usage) unless D >= 2, N > D + 1
// and 1 <= neighbours < N, clouds >= 1. Needs LAPACK.
EpairsNull epairs_null(Index units, Index dimensions, const EpairsOptions& options = {});

struct Epairs {
    double p = 1;       // small: directions are not those of one Gaussian
    double effect = 0;  // (median of the null - median of the data) / sd of the null: > 0, clusters
    double distance = 0;         // Kolmogorov-Smirnov, to the null
    std::vector<double> angles;  // [N], radians
};
// Of points [N, D]. Error(usage) when the null is of another size; Error(non_finite) for NaN.
Epairs epairs(const linalg::Matrix& points, const EpairsNull& null);

}  // namespace soma::neuro
