// Seeds of the fixed-point finder: seed k is of kind k mod 3 and takes scale (k / 3) mod scales.

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "soma/kernels/random.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/fixed_points.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

// What seeds need to know of the states.
struct Cloud {
    std::vector<double> mean, sd, half_range;  // [n]; half_range = max |x - mean|
    Matrix axes;                               // [n, c], principal components
    std::vector<double> extent;                // [c], max |projection|
};

Cloud describe(const Matrix& states, Index components) {
    const Index m = states.rows, n = states.cols;
    const auto width = static_cast<std::size_t>(n);
    Cloud cloud{
        std::vector<double>(width), std::vector<double>(width), std::vector<double>(width), {}, {}};
    Matrix centred = states;
    for (Index i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < width; ++j) cloud.mean[j] += states.row(i)[j];
    }
    for (double& v : cloud.mean) v /= static_cast<double>(m);
    for (Index i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < width; ++j) {
            const double d = centred.row(i)[j] -= cloud.mean[j];
            cloud.sd[j] += d * d;
            cloud.half_range[j] = std::max(cloud.half_range[j], std::abs(d));
        }
    }
    for (double& v : cloud.sd) v = std::sqrt(v / static_cast<double>(m - 1));
    const Matrix scatter = linalg::product(centred, centred, kernels::Op::T);
    cloud.axes = linalg::columns(linalg::eig_symmetric(scatter).vectors, 0, components);
    const Matrix projections = linalg::product(centred, cloud.axes);
    cloud.extent.assign(static_cast<std::size_t>(components), 0.0);
    for (Index i = 0; i < m; ++i) {
        for (Index c = 0; c < components; ++c) {
            double& extent = cloud.extent[static_cast<std::size_t>(c)];
            extent = std::max(extent, std::abs(projections(i, c)));
        }
    }
    return cloud;
}

enum Stream : std::uint32_t { kNoise = 0, kBox = 1, kPick = 2 };  // RandomIndex::step

}  // namespace

Matrix make_seeds(const Matrix& states, const SeedOptions& options) {
    const Index n = states.cols;
    SOMA_CHECK(states.rows >= 2 && n >= 1, "seeds: states are [", states.rows, ", ", n,
               "]; need at least 2 rows");
    SOMA_CHECK(options.count >= 1 && !options.scales.empty() && options.components >= 1,
               "seeds: count ", options.count, ", ", options.scales.size(), " scales, ",
               options.components, " components; need at least one of each");
    const Index components = std::min(options.components, n);
    const Cloud cloud = describe(states, components);
    const PhiloxKey key = make_key(options.seed, Purpose::analysis_seeds);
    Matrix seeds(options.count, n);
    std::vector<double> draws(static_cast<std::size_t>(n));
    for (Index k = 0; k < options.count; ++k) {
        const auto trial = static_cast<std::uint32_t>(k);
        const Index kind = k % 3;
        const double scale =
            options.scales[static_cast<std::size_t>(k / 3) % options.scales.size()];
        double* x = seeds.row(k);
        std::copy(cloud.mean.begin(), cloud.mean.end(), x);
        if (kind == 0) {
            RandomSequence pick(key, {.step = kPick, .trial = trial});
            std::copy_n(states.row(pick.below(static_cast<std::uint32_t>(states.rows))), n, x);
            kernels::random_normal<double>(key, {.step = kNoise, .trial = trial}, n, 0,
                                           options.noise, draws.data());
        } else {
            kernels::random_uniform<double>(key, {.step = kBox, .trial = trial}, n, -scale, scale,
                                            draws.data());
        }
        for (Index j = 0; j < n; ++j) {
            const auto at = static_cast<std::size_t>(j);
            if (kind == 0) x[j] += draws[at] * cloud.sd[at];
            if (kind == 1) x[j] += draws[at] * cloud.half_range[at];
            for (Index c = 0; kind == 2 && c < components; ++c) {
                const auto axis = static_cast<std::size_t>(c);
                x[j] += draws[axis] * cloud.extent[axis] * cloud.axes(j, c);
            }
        }
    }
    return seeds;
}

}  // namespace soma::neuro
