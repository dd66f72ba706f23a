#pragma once
// The slope of a straight line through points, by least squares: exponents of power laws and
// decays.

#include <span>

namespace soma::systems {

// Of y over x, of equal length, from two points on.
inline double fitted_slope(std::span<const double> x, std::span<const double> y) {
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        sx += x[i];
        sy += y[i];
        sxx += x[i] * x[i];
        sxy += x[i] * y[i];
    }
    const auto n = static_cast<double>(x.size());
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

}  // namespace soma::systems
