// Plain loops over std::vector, one thread: dimensions are small and the objective is the cost. The
// line search keeps point and gradient of its last evaluation, which accept() takes over by swap.

#include "soma/optim/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "soma/core/error.h"

namespace soma::optim {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

double max_norm(const Vector& a) {
    double norm = 0;
    for (const double v : a) norm = std::max(norm, std::abs(v));
    return norm;
}

void add_scaled(Vector& y, double factor, const Vector& x) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}

// A point of the ray x + alpha p.
struct Trial {
    double alpha = 0;
    double value = 0;
    double slope = 0;  // g(x + alpha p).p
};

// Minimiser of the cubic through the values and slopes of both ends (Nocedal & Wright 3.59), kept
// away from them by a tenth of the interval; the middle when the data define no cubic.
double interpolate(const Trial& a, const Trial& b) {
    const double width = b.alpha - a.alpha;
    const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.alpha - b.alpha);
    const double square = d1 * d1 - a.slope * b.slope;
    const double d2 = std::copysign(std::sqrt(square), width);
    const double t = 1 - (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
    return a.alpha + width * (std::isfinite(t) ? std::clamp(t, 0.1, 0.9) : 0.5);
}

class Minimiser {
public:
    Minimiser(const Objective& f, Vector x, const LbfgsOptions& options)
        : f_(f), options_(options), x_(std::move(x)), g_(x_.size()), trial_x_(x_), trial_g_(x_) {}

    LbfgsResult run();

private:
    struct Pair {
        Vector s, y;
        double rho;  // 1 / s.y
    };

    Vector direction() const;
    bool search(const Vector& p);
    bool zoom(const Vector& p, Trial low, Trial high);
    Trial evaluate(const Vector& p, double alpha);
    bool too_high(const Trial& t) const;
    bool flat_enough(const Trial& t) const {
        return std::abs(t.slope) <= -options_.c2 * start_.slope;
    }
    void accept();

    const Objective& f_;
    const LbfgsOptions& options_;
    Vector x_, g_;
    Vector trial_x_, trial_g_;  // of the last evaluation
    double value_ = 0, trial_value_ = 0;
    Trial start_;  // alpha = 0 of the current line search
    int search_evaluations_ = 0;
    Index evaluations_ = 0;
    std::deque<Pair> pairs_;  // oldest first
};

// -H g by the two-loop recursion; the steepest descent, scaled to unit length, without pairs.
Vector Minimiser::direction() const {
    Vector q = g_;
    Vector alpha(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
        alpha[i] = pairs_[i].rho * dot(pairs_[i].s, q);
        add_scaled(q, -alpha[i], pairs_[i].y);
    }
    const double gamma = pairs_.empty()
                             ? std::min(1.0, 1 / std::sqrt(dot(g_, g_)))
                             : 1 / (pairs_.back().rho * dot(pairs_.back().y, pairs_.back().y));
    for (double& v : q) v *= -gamma;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const double beta = pairs_[i].rho * dot(pairs_[i].y, q);
        add_scaled(q, -alpha[i] - beta, pairs_[i].s);
    }
    return q;
}

Trial Minimiser::evaluate(const Vector& p, double alpha) {
    for (std::size_t i = 0; i < x_.size(); ++i) trial_x_[i] = x_[i] + alpha * p[i];
    trial_value_ = f_(trial_x_, trial_g_);
    ++evaluations_;
    ++search_evaluations_;
    return {alpha, trial_value_, dot(trial_g_, p)};
}

bool Minimiser::too_high(const Trial& t) const {
    const double bound = start_.value + options_.c1 * t.alpha * start_.slope;
    return !std::isfinite(t.value) || t.value > bound;
}

// Brackets a point that satisfies both conditions (algorithm 3.5). True: the trial is better.
bool Minimiser::search(const Vector& p) {
    start_ = {0, value_, dot(g_, p)};
    search_evaluations_ = 0;
    if (!(start_.slope < 0)) return false;
    Trial previous = start_;
    for (double alpha = 1; search_evaluations_ < options_.max_search_evaluations; alpha *= 2) {
        const Trial t = evaluate(p, alpha);
        if (too_high(t) || (previous.alpha > 0 && t.value >= previous.value)) {
            return zoom(p, previous, t);
        }
        if (flat_enough(t)) return true;
        if (t.slope >= 0) return zoom(p, t, previous);
        previous = t;
    }
    return true;  // still falling: the last trial satisfies the first condition
}

// Shrinks the bracket (algorithm 3.6). Invariant: `low` satisfies the first condition, has the
// lowest value seen, and the function falls from it towards `high`.
bool Minimiser::zoom(const Vector& p, Trial low, Trial high) {
    while (search_evaluations_ < options_.max_search_evaluations) {
        const Trial t = evaluate(p, interpolate(low, high));
        if (too_high(t) || t.value >= low.value) {
            high = t;
            continue;
        }
        if (flat_enough(t)) return true;
        if (t.slope * (high.alpha - low.alpha) >= 0) high = low;
        low = t;
    }
    if (low.alpha == 0) return false;
    evaluate(p, low.alpha);
    return true;
}

void Minimiser::accept() {
    Pair pair{trial_x_, trial_g_, 0};
    add_scaled(pair.s, -1, x_);
    add_scaled(pair.y, -1, g_);
    const double curvature = dot(pair.s, pair.y);
    if (curvature > 0) {  // fails only where the search ran out of evaluations
        pair.rho = 1 / curvature;
        pairs_.push_back(std::move(pair));
        if (pairs_.size() > static_cast<std::size_t>(options_.history)) pairs_.pop_front();
    }
    x_.swap(trial_x_);
    g_.swap(trial_g_);
    value_ = trial_value_;
}

LbfgsResult Minimiser::run() {
    using Stop = LbfgsResult::Stop;
    value_ = f_(x_, g_);
    ++evaluations_;
    SOMA_CHECK(std::isfinite(value_), "lbfgs: f(x) is ", value_, " at the start; need a number");
    Stop stop = Stop::iterations;
    Index iteration = 0;
    while (iteration < options_.max_iterations) {
        if (max_norm(g_) <= options_.gradient_tolerance) {
            stop = Stop::gradient;
            break;
        }
        const double before = value_;
        bool found = search(direction());
        if (!found && !pairs_.empty()) {
            pairs_.clear();
            found = search(direction());
        }
        if (!found) {
            stop = Stop::line_search;
            break;
        }
        accept();
        ++iteration;
        const double scale = std::max({std::abs(before), std::abs(value_), 1.0});
        if (before - value_ < options_.decrease_tolerance * scale) {
            stop = Stop::decrease;
            break;
        }
    }
    return {x_, value_, max_norm(g_), iteration, evaluations_, stop};
}

}  // namespace

LbfgsResult lbfgs(const Objective& f, std::vector<double> x, const LbfgsOptions& options) {
    SOMA_CHECK(!x.empty(), "lbfgs: x is empty");
    SOMA_CHECK(options.history >= 1, "lbfgs: history is ", options.history, "; need at least 1");
    SOMA_CHECK(0 < options.c1 && options.c1 < options.c2 && options.c2 < 1, "lbfgs: c1 is ",
               options.c1, ", c2 is ", options.c2, "; need 0 < c1 < c2 < 1");
    SOMA_CHECK(options.max_search_evaluations >= 1, "lbfgs: max_search_evaluations is ",
               options.max_search_evaluations, "; need at least 1");
    return Minimiser(f, std::move(x), options).run();
}

}  // namespace soma::optim
