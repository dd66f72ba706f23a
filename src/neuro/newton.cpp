// Newton's iteration for one point: plain, damped, and Levenberg steps where J - 1 is singular.

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/fixed_points.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

constexpr double kLost = 1e6;        // times the q of the start
constexpr Index kPatience = 8;       // iterations in which the best q must halve
constexpr int kHalvings = 30;        // of a damped step
constexpr double kArmijo = 1e-4;     // q(x + t s) <= (1 - 2 kArmijo t) q(x); the slope is -2 q
constexpr int kLevenbergTries = 16;  // of ten times the damping each
constexpr double kEps = 0x1p-52;

double largest(const Vector& v) {
    double max = 0;
    for (const double value : v) max = std::max(max, std::abs(value));
    return max;
}

class Newton {
public:
    Newton(const Dynamics& d, Values x0, Values u, NewtonKind kind,
           const FixedPointOptions& options)
        : d_(d),
          u_(u),
          kind_(kind),
          options_(options),
          x_(x0.begin(), x0.end()),
          g_(x_.size()),
          trial_x_(x_.size()),
          trial_g_(x_.size()) {}

    NewtonResult run();

private:
    double evaluate(const Vector& x, Vector& g) const;
    bool try_step(const Vector& s, double t, double bound);
    bool advance();
    bool levenberg(const Matrix& a);
    bool finished(double previous_q, Index iteration);

    const Dynamics& d_;
    Values u_;
    NewtonKind kind_;
    const FixedPointOptions& options_;
    Vector x_, g_, trial_x_, trial_g_;
    double q_ = 0, start_q_ = 0;
    double moved_ = 0;    // |s|_inf of the last step
    double damping_ = 0;  // mu of Levenberg
    double mark_q_ = 0;   // best q when it last halved
    Index mark_iteration_ = 0;
    NewtonResult result_;
};

double Newton::evaluate(const Vector& x, Vector& g) const {
    d_.step(x, u_, g);
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        g[i] -= x[i];
        sum += g[i] * g[i];
    }
    return sum / 2;
}

// Moves to x + t s when q there is finite and at most `bound`.
bool Newton::try_step(const Vector& s, double t, double bound) {
    for (std::size_t i = 0; i < x_.size(); ++i) trial_x_[i] = x_[i] + t * s[i];
    const double q = evaluate(trial_x_, trial_g_);
    if (!(q <= bound)) return false;
    x_.swap(trial_x_);
    g_.swap(trial_g_);
    q_ = q;
    moved_ = t * largest(s);
    return true;
}

// (A^T A + mu 1) s = -A^T G; mu falls after a success and grows until q falls.
bool Newton::levenberg(const Matrix& a) {
    const auto n = static_cast<Index>(x_.size());
    const Matrix normal = linalg::product(a, a, kernels::Op::T);
    double scale = 0;
    for (Index i = 0; i < n; ++i) scale = std::max(scale, normal(i, i));
    const Matrix right = linalg::product(a, Matrix(n, 1, g_), kernels::Op::T);
    damping_ = std::max(damping_ / 10, 1e-10 * scale);
    if (damping_ == 0) return false;
    for (int attempt = 0; attempt < kLevenbergTries; ++attempt, damping_ *= 10) {
        Matrix shifted = normal;
        for (Index i = 0; i < n; ++i) shifted(i, i) += damping_;
        Vector s = linalg::lu(shifted).solve(right.values);
        for (double& v : s) v = -v;
        if (try_step(s, 1, q_)) return true;
    }
    return false;
}

// One step; false when no step is accepted.
bool Newton::advance() {
    const auto n = static_cast<Index>(x_.size());
    Matrix a(n, n);
    d_.jacobian(x_, u_, a.values);
    for (const double v : a.values) {
        if (!std::isfinite(v)) return false;
    }
    for (Index i = 0; i < n; ++i) a(i, i) -= 1;
    const linalg::Lu factors = linalg::lu(a);
    if (!(factors.condition() < options_.singular_condition)) {
        ++result_.singular_steps;
        return levenberg(a);
    }
    Vector s = factors.solve(g_);
    for (double& v : s) v = -v;
    if (kind_ == NewtonKind::plain) {
        const double before = q_;
        if (!try_step(s, 1, kLost * start_q_)) return false;
        const bool fell = q_ <= (1 - 2 * kArmijo) * before || before < options_.fixed_q;
        if (!fell) result_.monotone = false;
        return true;
    }
    double t = 1;
    for (int i = 0; i < kHalvings; ++i, t /= 2) {
        if (try_step(s, t, (1 - 2 * kArmijo * t) * q_)) return true;
    }
    return false;
}

// At the limit of rounding below fixed_q, at a step that changes nothing, or without progress.
bool Newton::finished(double previous_q, Index iteration) {
    if (q_ < options_.fixed_q && q_ > previous_q / 4) return true;
    if (moved_ <= kEps * largest(x_)) return true;
    if (result_.q <= mark_q_ / 2) {
        mark_q_ = result_.q;
        mark_iteration_ = iteration;
    }
    return iteration - mark_iteration_ >= kPatience;
}

NewtonResult Newton::run() {
    q_ = start_q_ = mark_q_ = evaluate(x_, g_);
    if (!std::isfinite(q_)) {
        fail(ErrorCode::non_finite, "fixed points: Newton starts at q = ", q_,
             "; need a finite state and F");
    }
    result_.x = x_;
    result_.q = q_;
    while (q_ > 0 && result_.iterations < options_.newton_iterations) {
        const double previous = q_;
        if (!advance()) {
            if (result_.q >= options_.fixed_q) result_.monotone = false;
            break;
        }
        ++result_.iterations;
        if (q_ < result_.q) {
            result_.x = x_;
            result_.q = q_;
        }
        if (finished(previous, result_.iterations)) break;
    }
    result_.converged = result_.q < options_.fixed_q;
    return std::move(result_);
}

}  // namespace

NewtonResult newton(const Dynamics& d, Values x0, Values u, NewtonKind kind,
                    const FixedPointOptions& options) {
    SOMA_CHECK(static_cast<Index>(x0.size()) == d.size(), "fixed points: Newton starts at ",
               x0.size(), " values; need ", d.size());
    return Newton(d, x0, u, kind, options).run();
}

}  // namespace soma::neuro
