#include "soma/neuro/epairs.h"

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/rng.h"
#include "soma/kernels/random.h"
#include "soma/neuro/pca.h"
#include "soma/neuro/resampling.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

// Unit vectors along the centred, whitened points.
Matrix directions(const Matrix& points) {
    const Pca components = pca(points);
    Matrix d = components.project(points);
    for (Index i = 0; i < d.rows; ++i) {
        double square = 0;
        for (Index j = 0; j < d.cols; ++j) {
            d(i, j) /= std::sqrt(components.variance[static_cast<std::size_t>(j)]);
            square += d(i, j) * d(i, j);
        }
        for (Index j = 0; j < d.cols; ++j) d(i, j) /= std::sqrt(square);
    }
    return d;
}

std::vector<double> neighbour_angles(const Matrix& points, Index neighbours) {
    const Matrix d = directions(points);
    Matrix cosines = linalg::product(d, d, kernels::Op::N, kernels::Op::T);
    std::vector<double> angles;
    for (Index i = 0; i < d.rows; ++i) {
        cosines(i, i) = -2;  // not a neighbour of itself
        double* row = cosines.row(i);
        std::nth_element(row, row + neighbours - 1, row + d.rows, std::greater<>());
        double mean = 0;
        for (Index k = 0; k < neighbours; ++k) mean += row[k];
        angles.push_back(std::acos(std::clamp(mean / static_cast<double>(neighbours), -1.0, 1.0)));
    }
    return angles;
}

// Largest distance of two distribution functions; `reference` is ascending.
double kolmogorov_smirnov(std::vector<double> sample, const std::vector<double>& reference) {
    std::sort(sample.begin(), sample.end());
    const auto n = static_cast<double>(sample.size()), m = static_cast<double>(reference.size());
    double largest = 0;
    std::size_t below = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
        while (below < reference.size() && reference[below] < sample[i]) ++below;
        const double at = static_cast<double>(below) / m;
        largest = std::max({largest, std::abs(static_cast<double>(i) / n - at),
                            std::abs(static_cast<double>(i + 1) / n - at)});
    }
    return largest;
}

}  // namespace

EpairsNull epairs_null(Index units, Index dimensions, const EpairsOptions& o) {
    SOMA_CHECK(dimensions >= 2 && units > dimensions + 1 && o.neighbours >= 1 &&
                   o.neighbours < units && o.clouds >= 1,
               "epairs: ", units, " units in ", dimensions, " dimensions, ", o.neighbours,
               " neighbours, ", o.clouds,
               " clouds; need dimensions >= 2, units > dimensions + 1, 1 <= neighbours < units "
               "and clouds >= 1");
    EpairsNull null{o, units, dimensions, {}, {}, 0, 0};
    std::vector<std::vector<double>> clouds(static_cast<std::size_t>(o.clouds));
    const PhiloxKey key = make_key(o.seed, Purpose::surrogate_data);
    parallel_for(o.clouds, 1, [&](Index begin, Index end) {
        for (Index k = begin; k < end; ++k) {
            Matrix cloud(units, dimensions);
            kernels::random_normal<double>(key, {.trial = static_cast<std::uint32_t>(k)},
                                           std::ssize(cloud.values), 0, 1, cloud.row(0));
            clouds[static_cast<std::size_t>(k)] = neighbour_angles(cloud, o.neighbours);
        }
    });
    for (const auto& angles : clouds) {
        null.angles.insert(null.angles.end(), angles.begin(), angles.end());
    }
    std::sort(null.angles.begin(), null.angles.end());
    for (const auto& angles : clouds) {
        null.distances.push_back(kolmogorov_smirnov(angles, null.angles));
    }
    null.median = quantile(null.angles, 0.5);
    double mean = 0, square = 0;
    for (const double a : null.angles) mean += a / static_cast<double>(null.angles.size());
    for (const double a : null.angles) square += (a - mean) * (a - mean);
    null.sd = std::sqrt(square / static_cast<double>(null.angles.size()));
    return null;
}

Epairs epairs(const Matrix& points, const EpairsNull& null) {
    SOMA_CHECK(points.rows == null.units && points.cols == null.dimensions, "epairs: points are [",
               points.rows, ", ", points.cols, "], the null is of ", null.units, " units in ",
               null.dimensions, " dimensions; need the same");
    Epairs result;
    result.angles = neighbour_angles(points, null.options.neighbours);
    result.distance = kolmogorov_smirnov(result.angles, null.angles);
    result.p = permutation_p(result.distance, null.distances);
    result.effect = (null.median - quantile(result.angles, 0.5)) / null.sd;
    return result;
}

}  // namespace soma::neuro
