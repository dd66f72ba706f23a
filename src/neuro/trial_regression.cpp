#include "neuro/trial_regression.h"

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

Matrix with_intercept(const Matrix& variables) {
    Matrix design(variables.rows, variables.cols + 1);
    for (Index k = 0; k < design.rows; ++k) {
        std::copy(variables.row(k), variables.row(k) + variables.cols, design.row(k));
        design(k, variables.cols) = 1;
    }
    return design;
}

}  // namespace

RegressionData pick_trials(const RegressionData& data, const std::vector<Index>& trials) {
    const Responses& r = data.responses;
    const auto n = static_cast<Index>(trials.size());
    RegressionData picked{Responses(n, r.steps, r.units()), Matrix(n, data.variables.cols)};
    for (Index k = 0; k < n; ++k) {
        const Index from = trials[static_cast<std::size_t>(k)];
        std::copy(r.states.row(from * r.steps), r.states.row((from + 1) * r.steps),
                  picked.responses.states.row(k * r.steps));
        std::copy(data.variables.row(from), data.variables.row(from + 1), picked.variables.row(k));
    }
    return picked;
}

void check_regression(const char* operation, const RegressionData& data) {
    check_responses(operation, data.responses);
    const Matrix& x = data.variables;
    SOMA_CHECK(x.rows == data.responses.trials && x.cols >= 1, operation, ": variables are [",
               x.rows, ", ", x.cols, "] for ", data.responses.trials,
               " trials; need one row a trial");
    const Matrix design = with_intercept(x);
    const Index rank = linalg::least_squares(design, Matrix(x.rows, 1)).rank;
    SOMA_CHECK(rank == design.cols, operation, ": the ", x.cols,
               " variables and the intercept have rank ", rank, " over ", x.rows,
               " trials; need independent ones");
}

// The memory of the states, trial after trial, is also a matrix [K, T N].
std::vector<Matrix> regress(const RegressionData& data) {
    const Responses& r = data.responses;
    const Matrix targets(r.trials, r.steps * r.units(), r.states.values);
    const Matrix fit = linalg::least_squares(with_intercept(data.variables), targets).x;
    std::vector<Matrix> beta;
    for (Index v = 0; v < fit.rows; ++v) {
        beta.emplace_back(r.steps, r.units(), std::vector<double>(fit.row(v), fit.row(v + 1)));
    }
    return beta;
}

}  // namespace soma::neuro
