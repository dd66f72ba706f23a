#include "bench/spread.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace soma::bench {
namespace {

// Of sorted values, 0 <= q <= 1.
double quantile(const std::vector<double>& sorted, double q) {
    const double at = q * static_cast<double>(sorted.size() - 1);
    const auto i = static_cast<std::size_t>(at);
    if (i + 1 == sorted.size()) return sorted[i];
    return sorted[i] + (at - static_cast<double>(i)) * (sorted[i + 1] - sorted[i]);
}

}  // namespace

double Spread::uncertainty() const {
    if (count < 3) return std::numeric_limits<double>::infinity();
    return 1.57 * (upper - lower) / std::sqrt(static_cast<double>(count)) / median;
}

Spread spread_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return {.least = values.front(),
            .lower = quantile(values, 0.25),
            .median = quantile(values, 0.5),
            .upper = quantile(values, 0.75),
            .most = values.back(),
            .count = static_cast<Index>(values.size())};
}

double geometric_mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double v : values) sum += std::log(v);
    return std::exp(sum / static_cast<double>(values.size()));
}

}  // namespace soma::bench
