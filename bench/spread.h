#pragma once
// Order statistics of repeated timings, and when a figure is worth something.
//
// The median of n values with the interquartile range Q is known
// to about +- 1.57 Q / sqrt(n) (McGill, Tukey & Larsen 1978, "Variations of box plots": medians
// whose intervals do not overlap differ at the 5 % level). Spread::uncertainty is that half width
// divided by the median. Above kMostUncertainty nothing is concluded.

#include <vector>

#include "soma/core/types.h"

namespace soma::bench {

inline constexpr double kMostUncertainty = 0.05;

// Order statistics; quartiles interpolate linearly between neighbours.
struct Spread {
    double least = 0, lower = 0, median = 0, upper = 0, most = 0;
    Index count = 0;

    double uncertainty() const;  // relative; infinity for fewer than 3 values
    bool conclusive() const { return uncertainty() <= kMostUncertainty; }
};
Spread spread_of(std::vector<double> values);  // at least one

// exp(mean of logarithms); NaN for no values.
double geometric_mean(const std::vector<double>& values);

}  // namespace soma::bench
