#include "soma/neuro/slow_points.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "soma/core/error.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

Matrix relaxed(const Dynamics& d, Values u, Matrix states, Index steps) {
    std::vector<double> next(states.values.size());
    for (Index k = 0; k < steps; ++k) {
        d.step(states.values, u, next);
        states.values.swap(next);
    }
    return states;
}

}  // namespace

SlowPoints slow_points(const Dynamics& d, Values u, const Matrix& states, Values readout,
                       const SlowPointOptions& options) {
    SOMA_CHECK(states.cols == d.size() && states.rows >= 1, "slow points: states are [",
               states.rows, ", ", states.cols, "]; need at least one row of ", d.size());
    SOMA_CHECK(std::ssize(readout) == d.size(), "slow points: readout has ", readout.size(),
               " values; need ", d.size());
    SOMA_CHECK(options.settle >= 0 && options.slow_q > 0 && options.places >= 1,
               "slow points: settle ", options.settle, ", slow_q ", options.slow_q, ", places ",
               options.places, "; need no negative steps, a positive q and a place");
    const DescentResult down =
        descend(d, u, relaxed(d, u, states, options.settle), options.slow_q, options.iterations);
    std::vector<double> z(static_cast<std::size_t>(states.rows));
    SlowPoints result;
    double low = 0, high = 0;
    for (Index i = 0; i < states.rows; ++i) {
        const double* x = down.x.row(i);
        const double at = std::inner_product(x, x + d.size(), readout.begin(), 0.0);
        z[static_cast<std::size_t>(i)] = at;
        if (!(down.q[static_cast<std::size_t>(i)] < options.slow_q)) {
            ++result.lost;
            continue;
        }
        low = result.slow == 0 ? at : std::min(low, at);
        high = result.slow == 0 ? at : std::max(high, at);
        ++result.slow;
    }
    const double width = (high - low) / static_cast<double>(options.places);
    std::vector<Index> slowest(static_cast<std::size_t>(options.places), -1);
    for (Index i = 0; i < states.rows; ++i) {
        const auto row = static_cast<std::size_t>(i);
        if (!(down.q[row] < options.slow_q)) continue;
        const auto place = width > 0 ? static_cast<Index>((z[row] - low) / width) : 0;
        Index& best = slowest[static_cast<std::size_t>(std::min(place, options.places - 1))];
        if (best < 0 || down.q[row] < down.q[static_cast<std::size_t>(best)]) best = i;
    }
    for (const Index i : slowest) {
        if (i < 0) continue;
        FixedPoint p;
        p.x.assign(down.x.row(i), down.x.row(i) + d.size());
        p.q = down.q[static_cast<std::size_t>(i)];
        p.speed = std::sqrt(2 * p.q) / d.alpha();
        p.label = PointLabel::slow;
        p.first_seed = i;
        p.found_by = {i};
        p.spectrum = linearise(d, p.x, u);
        result.points.push_back(std::move(p));
    }
    return result;
}

}  // namespace soma::neuro
