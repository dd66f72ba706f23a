#include "soma/neuro/responses.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "soma/core/error.h"

namespace soma::neuro {

Responses::Responses(Index n_trials, Index n_steps, Index n_units)
    : trials(n_trials), steps(n_steps) {
    SOMA_CHECK(trials >= 1 && steps >= 1 && n_units >= 1, "responses: ", trials, " trials, ", steps,
               " steps, ", n_units, " units; need at least one of each");
    states = linalg::Matrix(trials * steps, n_units);
}

Responses responses_of_sequence(const Tensor& r) {
    SOMA_CHECK(r.shape().rank() == 3, "responses_of_sequence: r is ", r.shape(),
               "; need [steps, trials, units]");
    Responses out(r.shape()[1], r.shape()[0], r.shape()[2]);
    const Tensor by_trial = r.to(DType::f64).permute({1, 0, 2});
    const std::span<const double> values = by_trial.data<double>();
    std::copy(values.begin(), values.end(), out.states.values.begin());
    return out;
}

void check_responses(const char* operation, const Responses& r) {
    const linalg::Matrix& x = r.states;
    SOMA_CHECK(r.trials >= 1 && r.steps >= 1 && x.cols >= 1 && x.rows == r.trials * r.steps &&
                   static_cast<Index>(x.values.size()) == x.rows * x.cols,
               operation, ": responses of ", r.trials, " trials and ", r.steps,
               " steps have states [", x.rows, ", ", x.cols, "] with ", x.values.size(),
               " values; need trials * steps rows");
    for (Index row = 0; row < x.rows; ++row) {
        for (Index i = 0; i < x.cols; ++i) {
            if (std::isfinite(x(row, i))) continue;
            fail(ErrorCode::non_finite, operation, ": response of unit ", i, " in trial ",
                 row / r.steps, " at step ", row % r.steps, " is ", x(row, i));
        }
    }
}

linalg::Matrix trial_mean(const Responses& r) {
    linalg::Matrix mean(r.steps, r.units());
    for (Index k = 0; k < r.trials; ++k) {
        for (Index t = 0; t < r.steps; ++t) {
            for (Index i = 0; i < r.units(); ++i) mean(t, i) += r(k, t, i);
        }
    }
    for (double& v : mean.values) v /= static_cast<double>(r.trials);
    return mean;
}

Standardised standardise(const linalg::Matrix& x) {
    const auto n = static_cast<std::size_t>(x.cols);
    Standardised z{x, std::vector<double>(n), std::vector<double>(n, 1.0)};
    // The mean of equal numbers is off by up to rows eps.
    const double rounding = static_cast<double>(x.rows) * std::numeric_limits<double>::epsilon();
    for (Index j = 0; j < x.cols; ++j) {
        double sum = 0, squares = 0;
        for (Index i = 0; i < x.rows; ++i) sum += x(i, j);
        const double mean = sum / static_cast<double>(x.rows);
        for (Index i = 0; i < x.rows; ++i) {
            z.values(i, j) -= mean;
            squares += z.values(i, j) * z.values(i, j);
        }
        const auto at = static_cast<std::size_t>(j);
        z.mean[at] = mean;
        const double deviation = std::sqrt(squares / static_cast<double>(x.rows - 1));
        const bool varies = deviation > rounding * std::abs(mean);
        if (varies) z.scale[at] = deviation;
        for (Index i = 0; i < x.rows; ++i) {
            z.values(i, j) = varies ? z.values(i, j) / deviation : 0.0;
        }
    }
    return z;
}

}  // namespace soma::neuro
