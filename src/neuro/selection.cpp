#include "soma/neuro/selection.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

double dot(Values a, Values b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

double distance(Values a, Values b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
}

// l.(x_k with the pulse - x_k without it) / pulse for each input; all inputs and the undisturbed
// state run as one batch.
Vector simulate_pulses(const Dynamics& d, Values u, Values x, Values selection,
                       const LineAttractorOptions& options) {
    const Index n = d.size(), inputs = d.inputs();
    const auto width = static_cast<std::size_t>(n);
    Vector states(static_cast<std::size_t>((inputs + 1) * n)), next(states.size());
    for (Index i = 0; i <= inputs; ++i) {
        Vector pulsed(u.begin(), u.end());
        if (i < inputs) pulsed[static_cast<std::size_t>(i)] += options.pulse;
        d.step(x, pulsed,
               MutableValues(states).subspan(static_cast<std::size_t>(i) * width, width));
    }
    for (Index k = 0; k < options.settle; ++k) {
        d.step(states, u, next);
        states.swap(next);
    }
    const Values all(states);
    const double still = dot(selection, all.last(width));
    Vector moved;
    for (std::size_t i = 0; i < static_cast<std::size_t>(inputs); ++i) {
        moved.push_back((dot(selection, all.subspan(i * width, width)) - still) / options.pulse);
    }
    return moved;
}

LinePoint describe(const Dynamics& d, Values u, const FixedPoint& point, Values readout,
                   const LineAttractorOptions& options) {
    const Index n = d.size(), inputs = d.inputs();
    const Spectrum spectrum = point.spectrum ? *point.spectrum : linearise(d, point.x, u);
    LinePoint p;
    p.readout = dot(point.x, readout);
    p.slow_modes = std::count_if(spectrum.values.begin(), spectrum.values.end(),
                                 [&](auto v) { return std::abs(v) > options.slow_modulus; });
    p.mode = slow_mode(spectrum);
    if (dot(p.mode.direction, readout) < 0) {
        for (double& v : p.mode.direction) v = -v;
        for (double& v : p.mode.selection) v = -v;
    }
    Vector drift(point.x.size()), b(static_cast<std::size_t>(n * inputs));
    d.step(point.x, u, drift);
    for (std::size_t i = 0; i < drift.size(); ++i) drift[i] = (drift[i] - point.x[i]) / d.dt();
    p.drift_along = dot(p.mode.selection, drift);
    double across = 0;
    for (std::size_t i = 0; i < drift.size(); ++i) {
        const double rest = drift[i] - p.mode.direction[i] * p.drift_along;
        across += rest * rest;
    }
    p.drift_across = std::sqrt(across);
    d.input_jacobian(point.x, u, b);
    for (Index k = 0; k < inputs; ++k) {
        double gain = 0;
        for (Index i = 0; i < n; ++i) {
            gain += p.mode.selection[static_cast<std::size_t>(i)] *
                    b[static_cast<std::size_t>(i * inputs + k)];
        }
        p.input_gain.push_back(gain);
        p.predicted.push_back(
            gain * std::pow(p.mode.eigenvalue, static_cast<double>(options.settle)).real());
    }
    p.simulated = simulate_pulses(d, u, point.x, p.mode.selection, options);
    return p;
}

// Shares of the variance of the points' principal components.
Vector variance_shares(const std::vector<FixedPoint>& points) {
    const auto m = static_cast<Index>(points.size());
    const auto n = static_cast<Index>(points[0].x.size());
    Matrix centred(m, n);
    for (Index j = 0; j < n; ++j) {
        double mean = 0;
        for (const FixedPoint& p : points) mean += p.x[static_cast<std::size_t>(j)];
        mean /= static_cast<double>(m);
        for (Index i = 0; i < m; ++i) {
            centred(i, j) =
                points[static_cast<std::size_t>(i)].x[static_cast<std::size_t>(j)] - mean;
        }
    }
    Vector shares = linalg::svd(centred).s;
    double sum = 0;
    for (double& s : shares) sum += s *= s;
    for (double& s : shares) s = sum > 0 ? s / sum : 0;
    return shares;
}

}  // namespace

SlowMode slow_mode(const Spectrum& spectrum) {
    SOMA_CHECK(!spectrum.values.empty(), "slow mode: the spectrum is empty");
    SlowMode mode;
    mode.eigenvalue = spectrum.values[0];
    mode.oscillating = mode.eigenvalue.imag() != 0;
    for (Index i = 0; i < spectrum.right.rows; ++i) {
        mode.direction.push_back(spectrum.right(i, 0).real());
        mode.selection.push_back(spectrum.left(i, 0).real());
    }
    return mode;
}

LineAttractor line_attractor(const Dynamics& d, Values u, const std::vector<FixedPoint>& points,
                             Values readout, const LineAttractorOptions& options) {
    SOMA_CHECK(points.size() >= 2, "line attractor: ", points.size(), " points; need at least 2");
    SOMA_CHECK(static_cast<Index>(readout.size()) == d.size(), "line attractor: readout has ",
               readout.size(), " values; need ", d.size());
    SOMA_CHECK(options.pulse != 0 && options.settle >= 0, "line attractor: pulse ", options.pulse,
               ", settle ", options.settle, "; need a pulse and no negative steps");
    LineAttractor line;
    for (std::size_t k = 0; k < points.size(); ++k) {
        SOMA_CHECK(static_cast<Index>(points[k].x.size()) == d.size(), "line attractor: point ", k,
                   " has ", points[k].x.size(), " values; need ", d.size());
        line.points.push_back(describe(d, u, points[k], readout, options));
        line.points.back().point = static_cast<Index>(k);
    }
    std::stable_sort(line.points.begin(), line.points.end(),
                     [](const LinePoint& a, const LinePoint& b) { return a.readout < b.readout; });
    for (std::size_t k = 1; k < line.points.size(); ++k) {
        const auto state = [&](std::size_t i) -> const Vector& {
            return points[static_cast<std::size_t>(line.points[i].point)].x;
        };
        line.points[k].arc = line.points[k - 1].arc + distance(state(k - 1), state(k));
    }
    line.length = line.points.back().arc;
    line.variance_share = variance_shares(points);
    double share = 0;
    for (const double s : line.variance_share) {
        if (share >= options.arc_share) break;
        share += s;
        ++line.dimension;
    }
    return line;
}

}  // namespace soma::neuro
