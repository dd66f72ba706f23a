#include <cmath>
#include <numeric>

#include "neuro/trial_regression.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/tdr.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

MtdrFactor factorise(const Matrix& beta, double threshold) {
    const linalg::Svd d = linalg::svd(beta);
    const double total = std::accumulate(d.s.begin(), d.s.end(), 0.0);
    MtdrFactor f;
    double sum = 0;
    for (std::size_t k = 0; k < d.s.size() && sum <= threshold * total && total > 0; ++k) {
        sum += d.s[k];
        ++f.rank;
    }
    f.units = linalg::columns(d.v, 0, f.rank);
    f.time = linalg::columns(d.u, 0, f.rank);
    for (Index t = 0; t < f.time.rows; ++t) {
        for (Index k = 0; k < f.rank; ++k) f.time(t, k) *= d.s[static_cast<std::size_t>(k)];
    }
    f.singular_values = d.s;
    return f;
}

double r_squared(const RegressionData& data, const std::vector<Matrix>& beta) {
    const Responses& r = data.responses;
    const Matrix mean = trial_mean(r);
    double rest = 0, total = 0;
    for (Index k = 0; k < r.trials; ++k) {
        for (Index t = 0; t < r.steps; ++t) {
            for (Index i = 0; i < r.units(); ++i) {
                double fit = beta.back()(t, i);
                for (Index v = 0; v < data.variables.cols; ++v) {
                    fit += data.variables(k, v) * beta[static_cast<std::size_t>(v)](t, i);
                }
                rest += (r(k, t, i) - fit) * (r(k, t, i) - fit);
                total += (r(k, t, i) - mean(t, i)) * (r(k, t, i) - mean(t, i));
            }
        }
    }
    return 1 - rest / total;
}

Mtdr estimate(const RegressionData& data, double threshold) {
    const std::vector<Matrix> beta = regress(data);
    std::vector<Matrix> reduced;
    Mtdr result;
    for (const Matrix& b : beta) {
        result.factors.push_back(factorise(b, threshold));
        const MtdrFactor& f = result.factors.back();
        reduced.push_back(linalg::product(f.time, f.units, Op::N, Op::T));
    }
    result.r2_full = r_squared(data, beta);
    result.r2 = r_squared(data, reduced);
    return result;
}

}  // namespace

Mtdr mtdr(const Responses& r, const Matrix& variables, const MtdrOptions& options) {
    const RegressionData data{r, variables};
    check_regression("mtdr", data);
    check_bootstrap("mtdr", options.bootstrap);
    SOMA_CHECK(0 < options.threshold && options.threshold < 1, "mtdr: threshold is ",
               options.threshold, "; need 0 < threshold < 1");
    Mtdr result = estimate(data, options.threshold);
    std::vector<double> draws(static_cast<std::size_t>(options.bootstrap.repeats));
    parallel_for(options.bootstrap.repeats, 1, [&](Index begin, Index end) {
        for (Index b = begin; b < end; ++b) {
            const RegressionData drawn =
                pick_trials(data, bootstrap_sample(r.trials, options.bootstrap.seed, b));
            draws[static_cast<std::size_t>(b)] = estimate(drawn, options.threshold).r2;
        }
    });
    result.estimator = concat("mTDR, singular values above ", options.threshold);
    result.r2_interval = percentile_interval(draws, options.bootstrap.level);
    result.seed = options.bootstrap.seed;
    return result;
}

}  // namespace soma::neuro
