#include "soma/neuro/psychometric.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "neuro/tasks/paint.h"
#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

constexpr double kLeast = 1e-12;  // probabilities stay this far from 0 and 1
constexpr int kHalvings = 40;
constexpr double kSeparated = 1e-6;  // minus log-likelihood of choices that separate

double normal_density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0)); }

void check(const Matrix& x, std::span<const int> choices) {
    SOMA_CHECK(std::ssize(choices) == x.rows, "psychometric fit: ", choices.size(),
               " choices for x of ", x.rows, " rows; need one a row");
    SOMA_CHECK(x.rows >= x.cols + 2, "psychometric fit: ", x.rows, " trials for ", x.cols + 2,
               " parameters; need at least as many");
    for (const int c : choices) {
        SOMA_CHECK(c == 1 || c == -1, "psychometric fit: a choice is ", c, "; need -1 or +1");
    }
    if (!std::all_of(x.values.begin(), x.values.end(), [](double v) { return std::isfinite(v); }))
        throw Error(ErrorCode::non_finite, "psychometric fit: x holds NaN or Inf");
}

// Parameters in the order bias, weights, lapse.
class Likelihood {
public:
    Likelihood(const Matrix& x, std::span<const int> choices) : x_(x), choices_(choices) {}

    Index parameters() const { return x_.cols + 2; }

    double value(const Vector& theta) const {
        double sum = 0;
        for (Index k = 0; k < x_.rows; ++k) {
            const double p = probability(theta, argument(theta, k));
            sum += std::log(choices_[static_cast<std::size_t>(k)] > 0 ? p : 1 - p);
        }
        return sum;
    }

    // Gradient and Fisher information.
    void derivatives(const Vector& theta, Vector& score, Matrix& information) const {
        const Index n = parameters();
        score.assign(static_cast<std::size_t>(n), 0);
        information = Matrix(n, n);
        Vector slope(static_cast<std::size_t>(n));
        for (Index k = 0; k < x_.rows; ++k) {
            const double eta = argument(theta, k), p = probability(theta, eta);
            const double density = (1 - theta.back()) * normal_density(eta);
            slope.front() = density;
            for (Index v = 0; v < x_.cols; ++v) {
                slope[static_cast<std::size_t>(v + 1)] = density * x_(k, v);
            }
            slope.back() = 0.5 - normal_cdf(eta);
            const double weight = 1 / (p * (1 - p));
            const double error = choices_[static_cast<std::size_t>(k)] > 0 ? 1 - p : -p;
            for (Index i = 0; i < n; ++i) {
                const double si = slope[static_cast<std::size_t>(i)];
                score[static_cast<std::size_t>(i)] += weight * error * si;
                for (Index j = 0; j < n; ++j) {
                    information(i, j) += weight * si * slope[static_cast<std::size_t>(j)];
                }
            }
        }
    }

private:
    double argument(const Vector& theta, Index k) const {
        double eta = theta.front();
        for (Index v = 0; v < x_.cols; ++v) {
            eta += theta[static_cast<std::size_t>(v + 1)] * x_(k, v);
        }
        return eta;
    }
    static double probability(const Vector& theta, double eta) {
        const double p = theta.back() / 2 + (1 - theta.back()) * normal_cdf(eta);
        return std::clamp(p, kLeast, 1 - kLeast);
    }

    const Matrix& x_;
    std::span<const int> choices_;
};

// The information of all parameters, or of all but the lapse rate.
Matrix part_of(const Matrix& information, bool lapse) {
    const Index n = information.rows - (lapse ? 0 : 1);
    Matrix part(n, n);
    for (Index i = 0; i < n; ++i) {
        for (Index j = 0; j < n; ++j) part(i, j) = information(i, j);
    }
    return part;
}

// The step of Fisher scoring; empty where the information is singular.
Vector scoring_step(const Vector& score, const Matrix& information, bool lapse) {
    const Matrix part = part_of(information, lapse);
    const linalg::Lu factors = linalg::lu(part);
    if (factors.determinant_sign() == 0) return {};
    Vector step = factors.solve(Vector(score.begin(), score.begin() + part.rows));
    step.resize(score.size(), 0);
    return step;
}

// Halves the step until the likelihood does not fall, and takes it. The size of the step taken,
// relative to the largest parameter or 1.
double take(const Likelihood& likelihood, Vector step, Vector& theta, double& value) {
    for (int half = 0; half < kHalvings; ++half) {
        Vector next = theta;
        double moved = 0, largest = 1;
        for (std::size_t i = 0; i < next.size(); ++i) next[i] += step[i];
        next.back() = std::clamp(next.back(), 0.0, 1 - kLeast);
        for (std::size_t i = 0; i < next.size(); ++i) {
            moved = std::max(moved, std::abs(next[i] - theta[i]));
            largest = std::max(largest, std::abs(next[i]));
        }
        const double now = likelihood.value(next);
        if (now >= value) {
            theta = std::move(next);
            value = now;
            return moved / largest;
        }
        for (double& s : step) s /= 2;
    }
    return 0;
}

// [n]; NaN where the information is singular and for a lapse rate that was held.
Vector standard_errors(const Matrix& information, bool lapse) {
    Vector errors(static_cast<std::size_t>(information.rows),
                  std::numeric_limits<double>::quiet_NaN());
    const Matrix part = part_of(information, lapse);
    const linalg::Lu factors = linalg::lu(part);
    if (factors.determinant_sign() == 0) return errors;
    const Matrix covariance = factors.solve(linalg::identity(part.rows));
    for (Index i = 0; i < part.rows; ++i) {
        errors[static_cast<std::size_t>(i)] = std::sqrt(covariance(i, i));
    }
    return errors;
}

}  // namespace

PsychometricFit fit_psychometric(const Matrix& x, std::span<const int> choices,
                                 const PsychometricOptions& options) {
    check(x, choices);
    const Likelihood likelihood(x, choices);
    Vector theta(static_cast<std::size_t>(likelihood.parameters()), 0), score;
    Matrix information;
    PsychometricFit fit;
    fit.log_likelihood = likelihood.value(theta);
    for (Index k = 0; k < options.iterations && !fit.converged; ++k) {
        likelihood.derivatives(theta, score, information);
        const bool lapse = options.lapse && (theta.back() > 0 || score.back() > 0);
        const Vector step = scoring_step(score, information, lapse);
        if (step.empty()) break;
        fit.converged = take(likelihood, step, theta, fit.log_likelihood) <= options.tolerance;
    }
    // Choices that separate are explained for certain.
    if (fit.log_likelihood > -kSeparated) fit.converged = false;
    likelihood.derivatives(theta, score, information);
    const Vector errors = standard_errors(information, options.lapse);
    fit.bias = theta.front();
    fit.weights.assign(theta.begin() + 1, theta.end() - 1);
    fit.lapse = theta.back();
    fit.bias_error = errors.front();
    fit.weight_errors.assign(errors.begin() + 1, errors.end() - 1);
    fit.lapse_error = errors.back();
    return fit;
}

double choice_probability(const PsychometricFit& fit, std::span<const double> x) {
    SOMA_CHECK(x.size() == fit.weights.size(), "choice probability: x has ", x.size(),
               " values; the fit has ", fit.weights.size());
    double eta = fit.bias;
    for (std::size_t v = 0; v < x.size(); ++v) eta += fit.weights[v] * x[v];
    return fit.lapse / 2 + (1 - fit.lapse) * normal_cdf(eta);
}

}  // namespace soma::neuro
