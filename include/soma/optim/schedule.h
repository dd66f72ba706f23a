#pragma once
// Schedules: the learning rate as a pure function of the update number, so that resuming needs no
// state. Plateau is the one that looks at a metric and therefore has some.
//
// t is the number of the update, from 0. With t' = t - warm_up and w = min(1, (t + 1) / warm_up):
//   constant      w lr
//   step          w lr factor^k, k = 0 before `begin`, then 1 + floor((t - begin) / every)
//   linear        w (lr + (last - lr) min(1, t' / (steps - warm_up)))
//   cosine        w (last + (lr - last) (1 + cos(pi min(1, t' / (steps - warm_up)))) / 2)
//   inverse_sqrt  lr min((t + 1) / warm_up, sqrt(warm_up / (t + 1)))       Vaswani et al. 2017
// Sutskever et al. 2014 (halve every half epoch after five) is step with factor 1/2.
// Powers are running products and the cosine is soma's own: the same bits on every machine.

#include <string>

#include "soma/core/types.h"

namespace soma::optim {

class Schedule {
public:
    Schedule() = default;  // constant 0
    static Schedule constant(double lr);
    // Multiplies by factor at updates begin, begin + every, begin + 2 every, ...
    static Schedule step(double lr, Index begin, Index every, double factor);
    static Schedule half_epoch(double lr, Index first_halving, Index steps_per_epoch);
    static Schedule linear(double lr, double last, Index steps);
    static Schedule cosine(double lr, double last, Index steps);
    // Highest rate lr = (d_model warm_up)^-1/2, reached at update warm_up - 1.
    static Schedule inverse_sqrt(double lr, Index warm_up);
    // The same schedule with the rate growing linearly over the first n updates. Error(usage) for
    // inverse_sqrt, which has its own.
    Schedule with_warm_up(Index n) const;

    double at(Index t) const;      // t >= 0
    std::string describe() const;  // "cosine lr=0.1 last=0 steps=1000 warm_up=10"

private:
    enum class Kind { constant, step, linear, cosine, inverse_sqrt };

    // min(1, t' / (steps - warm_up)), and 0 during warm-up.
    double progress(Index t) const;

    Kind kind_ = Kind::constant;
    double lr_ = 0, last_ = 0, factor_ = 1;
    Index begin_ = 0, every_ = 1, steps_ = 1, warm_up_ = 0;
};

// Multiplies the rate by `factor` when a metric (lower is better) has not improved on its best by
// more than `threshold` for `patience` observations.
class Plateau {
public:
    struct Options {
        double factor = 0.1;
        Index patience = 10;
        double threshold = 0;
        double floor = 0;  // the rate never falls below
    };
    // What a checkpoint keeps.
    struct State {
        double lr = 0;
        double best = 0;
        Index stale = 0;  // observations since the best
        bool seen = false;
    };

    Plateau(double lr, const Options& options);
    double observe(double metric);  // returns the rate from now on
    double lr() const { return state_.lr; }
    const State& state() const { return state_; }
    void restore(const State& state) { state_ = state; }

private:
    Options options_;
    State state_;
};

}  // namespace soma::optim
