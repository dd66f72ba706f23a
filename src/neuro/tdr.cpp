#include "soma/neuro/tdr.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "neuro/trial_regression.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/pca.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

// [conditions * T, N]: mean over the trials with equal variables.
Matrix condition_averages(const RegressionData& data) {
    const Responses& r = data.responses;
    std::map<std::vector<double>, std::vector<Index>> conditions;
    for (Index k = 0; k < r.trials; ++k) {
        conditions[{data.variables.row(k), data.variables.row(k + 1)}].push_back(k);
    }
    Matrix averages(static_cast<Index>(conditions.size()) * r.steps, r.units());
    Index first = 0;
    for (const auto& [values, trials] : conditions) {
        const Matrix mean = trial_mean(pick_trials(data, trials).responses);
        std::copy(mean.values.begin(), mean.values.end(), averages.row(first));
        first += r.steps;
    }
    return averages;
}

// beta [T, N] projected onto the span of `components` [N, P].
Matrix project_onto(const Matrix& beta, const Matrix& components) {
    return linalg::product(linalg::product(beta, components), components, Op::N, Op::T);
}

void find_peak(const Matrix& beta, Index v, Tdr& result) {
    Index best = 0;
    for (Index t = 0; t < beta.rows; ++t) {
        double squares = 0;
        for (Index i = 0; i < beta.cols; ++i) squares += beta(t, i) * beta(t, i);
        result.norm(v, t) = std::sqrt(squares);
        if (result.norm(v, t) > result.norm(v, best)) best = t;
    }
    result.peak_step.push_back(best);
    for (Index i = 0; i < beta.cols; ++i) result.peak(i, v) = beta(best, i);
}

// All four stages. `smallest` becomes the smallest diagonal element of R over the longest peak.
Tdr estimate(RegressionData data, Index axes, Index denoise_components, double& smallest) {
    Standardised z = standardise(data.responses.states);
    data.responses.states = std::move(z.values);
    Tdr result;
    result.mean = std::move(z.mean);
    result.scale = std::move(z.scale);
    result.beta = regress(data);
    result.norm = Matrix(axes, data.responses.steps);
    result.peak = Matrix(data.responses.units(), axes);
    Matrix components = linalg::identity(data.responses.units());
    if (denoise_components > 0) {
        const Matrix averages = condition_averages(data);
        const Index most = std::min({denoise_components, averages.rows, averages.cols});
        components = pca(averages, {.components = most}).components;
    }
    for (Index v = 0; v < axes; ++v) {
        const Matrix& beta = result.beta[static_cast<std::size_t>(v)];
        find_peak(denoise_components > 0 ? project_onto(beta, components) : beta, v, result);
    }
    const linalg::Qr f = linalg::qr(result.peak);
    result.axes = f.q;
    smallest = f.r(0, 0);
    double longest = 0;
    for (Index v = 0; v < axes; ++v) {
        smallest = std::min(smallest, f.r(v, v));
        longest = std::max(longest, result.norm(v, result.peak_step[static_cast<std::size_t>(v)]));
    }
    smallest = longest > 0 ? smallest / longest : 0;
    return result;
}

double angle(const Matrix& a, const Matrix& b, Index column) {
    double dot = 0;
    for (Index i = 0; i < a.rows; ++i) dot += a(i, column) * b(i, column);
    return std::acos(std::clamp(dot, -1.0, 1.0));
}

void bootstrap(const RegressionData& data, const TdrOptions& options, Index axes, Tdr& result) {
    const Index repeats = options.bootstrap.repeats;
    Matrix angles(axes, repeats);
    parallel_for(repeats, 1, [&](Index begin, Index end) {
        for (Index b = begin; b < end; ++b) {
            double smallest = 0;
            const Tdr drawn = estimate(
                pick_trials(data,
                            bootstrap_sample(data.responses.trials, options.bootstrap.seed, b)),
                axes, options.denoise_components, smallest);
            for (Index v = 0; v < axes; ++v) angles(v, b) = angle(drawn.axes, result.axes, v);
        }
    });
    for (Index v = 0; v < axes && repeats > 0; ++v) {
        result.axis_error.push_back(
            quantile({angles.row(v), angles.row(v) + repeats}, options.bootstrap.level));
    }
}

}  // namespace

Matrix with_interactions(const Matrix& variables,
                         const std::vector<std::pair<Index, Index>>& pairs) {
    Matrix x(variables.rows, variables.cols + static_cast<Index>(pairs.size()));
    for (const auto& [a, b] : pairs) {
        SOMA_CHECK(0 <= a && a < variables.cols && 0 <= b && b < variables.cols,
                   "with_interactions: pair (", a, ", ", b, ") of ", variables.cols, " variables");
    }
    for (Index k = 0; k < x.rows; ++k) {
        double* to = std::copy(variables.row(k), variables.row(k) + variables.cols, x.row(k));
        for (const auto& [a, b] : pairs) *to++ = variables(k, a) * variables(k, b);
    }
    return x;
}

Responses Tdr::project(const Responses& r) const {
    check_responses("tdr", r);
    SOMA_CHECK(r.units() == axes.rows, "tdr: responses of ", r.units(), " units, axes of ",
               axes.rows, "; need equal numbers");
    Responses z = r;
    for (Index row = 0; row < z.states.rows; ++row) {
        for (Index i = 0; i < r.units(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            z.states(row, i) = (z.states(row, i) - mean[at]) / scale[at];
        }
    }
    z.states = linalg::product(z.states, axes);
    return z;
}

Tdr tdr(const Responses& r, const Matrix& variables, const TdrOptions& options) {
    const RegressionData data{r, variables};
    check_regression("tdr", data);
    check_bootstrap("tdr", options.bootstrap);
    const Index axes = options.axes == 0 ? variables.cols : options.axes;
    SOMA_CHECK(1 <= axes && axes <= variables.cols && axes <= r.units(), "tdr: ", axes, " axes of ",
               variables.cols, " variables and ", r.units(), " units; need at most as many");
    SOMA_CHECK(options.denoise_components >= 0, "tdr: ", options.denoise_components,
               " components; need 0 or more");
    double smallest = 0;
    Tdr result = estimate(data, axes, options.denoise_components, smallest);
    SOMA_CHECK(smallest > static_cast<double>(r.units()) * std::numeric_limits<double>::epsilon(),
               "tdr: the axis of a variable lies in the span of the earlier ones; need fewer axes");
    result.estimator = concat("TDR, ", options.denoise_components, " components");
    result.seed = options.bootstrap.seed;
    bootstrap(data, options, axes, result);
    return result;
}

}  // namespace soma::neuro
