#pragma once
// Permutations, bootstrap samples and the intervals read from them, keyed by Philox: draw number
// `repeat` of a seed is a pure function of both, so repeats may run on any thread in any order.

#include <cstdint>
#include <span>
#include <vector>

#include "soma/core/types.h"

namespace soma::neuro {

// How often an analysis is repeated on resampled data, and what interval is reported.
struct Bootstrap {
    Index repeats = 0;  // 0: no interval
    std::uint64_t seed = 0;
    double level = 0.95;
};

// Error(usage) unless repeats >= 0 and 0 < level < 1.
void check_bootstrap(const char* operation, const Bootstrap& b);

struct Interval {
    double low, high;
};

// Key (seed, Purpose::resampling, net = repeat, tag = stream). `stream` tells apart several draws
// of one repeat (units, conditions); 0 <= repeat, stream and stream < 2^31.
std::vector<Index> random_permutation(Index n, std::uint64_t seed, Index repeat, Index stream = 0);
// n draws with replacement from 0 .. n - 1; another stream than that of the permutations.
std::vector<Index> bootstrap_sample(Index n, std::uint64_t seed, Index repeat, Index stream = 0);

// Quantile by linear interpolation between order statistics (type 7 of Hyndman & Fan 1996).
// 0 <= probability <= 1, values not empty.
double quantile(std::vector<double> values, double probability);

// Quantiles (1 - level) / 2 and (1 + level) / 2 of the draws; both NaN without draws.
Interval percentile_interval(const std::vector<double>& draws, double level);

// (1 + number of null values >= observed) / (1 + number of null values): never 0 (Phipson & Smyth
// 2010).
double permutation_p(double observed, std::span<const double> null);

}  // namespace soma::neuro
