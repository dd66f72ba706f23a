// Schedules: one switch over the kinds, with the arithmetic of f64 host code. cos is soma's own and
// step powers are products: the rate reaches the weights, so its bits must not depend on a C
// library.

#include "soma/optim/schedule.h"

#include <algorithm>
#include <cmath>

#include "number.h"
#include "soma/core/error.h"
#include "soma/kernels/vmath.h"

namespace soma::optim {
namespace {

constexpr double kPi = 3.14159265358979323846;

double as_double(Index n) { return static_cast<double>(n); }

double power(double base, Index exponent) {
    double result = 1;
    for (Index i = 0; i < exponent && result != 0; ++i) result *= base;
    return result;
}

}  // namespace

Schedule Schedule::constant(double lr) {
    Schedule s;
    s.lr_ = lr;
    return s;
}

Schedule Schedule::step(double lr, Index begin, Index every, double factor) {
    SOMA_CHECK(begin >= 0 && every >= 1, "Schedule::step: begin is ", begin, ", every is ", every,
               "; need begin >= 0 and every >= 1");
    Schedule s = constant(lr);
    s.kind_ = Kind::step;
    s.begin_ = begin;
    s.every_ = every;
    s.factor_ = factor;
    return s;
}

Schedule Schedule::half_epoch(double lr, Index first_halving, Index steps_per_epoch) {
    return step(lr, first_halving, std::max<Index>(1, steps_per_epoch / 2), 0.5);
}

Schedule Schedule::linear(double lr, double last, Index steps) {
    SOMA_CHECK(steps >= 1, "Schedule::linear: steps is ", steps, "; need at least 1");
    Schedule s = constant(lr);
    s.kind_ = Kind::linear;
    s.last_ = last;
    s.steps_ = steps;
    return s;
}

Schedule Schedule::cosine(double lr, double last, Index steps) {
    SOMA_CHECK(steps >= 1, "Schedule::cosine: steps is ", steps, "; need at least 1");
    Schedule s = linear(lr, last, steps);
    s.kind_ = Kind::cosine;
    return s;
}

Schedule Schedule::inverse_sqrt(double lr, Index warm_up) {
    SOMA_CHECK(warm_up >= 1, "Schedule::inverse_sqrt: warm_up is ", warm_up, "; need at least 1");
    Schedule s = constant(lr);
    s.kind_ = Kind::inverse_sqrt;
    s.warm_up_ = warm_up;
    return s;
}

Schedule Schedule::with_warm_up(Index n) const {
    SOMA_CHECK(kind_ != Kind::inverse_sqrt, "Schedule::with_warm_up: inverse_sqrt has its own");
    const bool ends = kind_ == Kind::linear || kind_ == Kind::cosine;
    SOMA_CHECK(n >= 0 && (!ends || n < steps_), "Schedule::with_warm_up: n is ", n, ", steps is ",
               steps_, "; need 0 <= n < steps");
    Schedule s = *this;
    s.warm_up_ = n;
    return s;
}

double Schedule::progress(Index t) const {
    return std::clamp(as_double(t - warm_up_) / as_double(steps_ - warm_up_), 0.0, 1.0);
}

double Schedule::at(Index t) const {
    const double n = as_double(t + 1), warm_up = as_double(warm_up_);
    if (kind_ == Kind::inverse_sqrt) {
        return lr_ * std::min(n / warm_up, std::sqrt(warm_up / n));
    }
    const double w = t < warm_up_ ? n / warm_up : 1;
    switch (kind_) {
        case Kind::step:
            return w * lr_ * power(factor_, t < begin_ ? 0 : 1 + (t - begin_) / every_);
        case Kind::linear:
            return w * (lr_ + (last_ - lr_) * progress(t));
        case Kind::cosine:
            return w * (last_ + (lr_ - last_) * (1 + vmath::cos(kPi * progress(t))) / 2);
        default:
            return w * lr_;
    }
}

std::string Schedule::describe() const {
    const std::string lr = " lr=" + number(lr_);
    const std::string warm_up = warm_up_ > 0 ? concat(" warm_up=", warm_up_) : "";
    const std::string ends = " last=" + number(last_) + concat(" steps=", steps_);
    switch (kind_) {
        case Kind::step:
            return "step" + lr + concat(" begin=", begin_, " every=", every_) +
                   " factor=" + number(factor_) + warm_up;
        case Kind::linear:
            return "linear" + lr + ends + warm_up;
        case Kind::cosine:
            return "cosine" + lr + ends + warm_up;
        case Kind::inverse_sqrt:
            return "inverse_sqrt" + lr + warm_up;
        default:
            return "constant" + lr + warm_up;
    }
}

Plateau::Plateau(double lr, const Options& options) : options_(options) { state_.lr = lr; }

double Plateau::observe(double metric) {
    if (!state_.seen || metric < state_.best - options_.threshold) {
        state_.best = metric;
        state_.stale = 0;
        state_.seen = true;
    } else if (++state_.stale >= options_.patience) {
        state_.lr = std::max(state_.lr * options_.factor, options_.floor);
        state_.stale = 0;
    }
    return state_.lr;
}

}  // namespace soma::optim
