#include "soma/neuro/recurrent_gradients.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "soma/core/error.h"

namespace soma::neuro {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

void check(const RecurrentSequence& s) {
    const CtrnnCell& cell = s.cell;
    const auto fits = [](const char* what, Values v, Index need) {
        SOMA_CHECK(std::ssize(v) == need, "recurrent gradient: ", what, " has ", v.size(),
                   " numbers; need ", need);
    };
    SOMA_CHECK(s.steps >= 1, "recurrent gradient: ", s.steps, " steps; need at least 1");
    SOMA_CHECK(s.loss, "recurrent gradient: no loss");
    fits("theta", s.theta, cell.parameters());
    fits("start", s.start, cell.units());
    fits("inputs", s.inputs, s.steps * cell.inputs());
}

RecurrentGradient empty_gradient(const CtrnnCell& cell) {
    return {.theta = std::vector<double>(at(cell.parameters())),
            .start = std::vector<double>(at(cell.units()))};
}

Values input_of_step(const RecurrentSequence& s, Index t) {
    return s.inputs.subspan(at((t - 1) * s.cell.inputs()), at(s.cell.inputs()));
}

// States and slopes of the last `capacity` steps: x_t and the slopes of the step to it.
class Trace {
public:
    Trace(const CtrnnCell& cell, Index capacity)
        : n_(at(cell.units())),
          capacity_(at(capacity)),
          states_((capacity_ + 1) * n_),
          slopes_(capacity_ * n_) {}

    MutableValues state(Index t) {
        return MutableValues(states_).subspan(at(t) % (capacity_ + 1) * n_, n_);
    }
    MutableValues slope(Index t) {
        return MutableValues(slopes_).subspan(at(t) % capacity_ * n_, n_);
    }
    Index numbers() const { return std::ssize(states_) + std::ssize(slopes_); }

private:
    std::size_t n_, capacity_;
    std::vector<double> states_, slopes_;
};

// From state t - 1 to state t.
void run_step(const RecurrentSequence& s, Trace& trace, Index t, RecurrentGradient& g) {
    s.cell.step(s.theta, t - 1, trace.state(t - 1), input_of_step(s, t), trace.state(t),
                trace.slope(t));
    ++g.cell_steps;
}

// Backwards from step `last` to step `first`, with the losses of steps above `silent`. `carry` is
// dL/dx_last from later steps and becomes dL/dx_{first - 1}.
void sweep(const RecurrentSequence& s, Trace& trace, Index first, Index last, Index silent,
           std::vector<double>& carry, RecurrentGradient& g) {
    std::vector<double> d(carry.size());
    for (Index t = last; t >= first; --t) {
        if (t > silent) {
            g.loss += s.loss(t, trace.state(t), d);
            for (std::size_t i = 0; i < d.size(); ++i) carry[i] += d[i];
        }
        d.swap(carry);
        s.cell.pullback({s.theta, trace.state(t - 1), input_of_step(s, t), trace.slope(t)}, d,
                        carry, g.theta);
    }
}

void copy(Values from, MutableValues to) { std::copy(from.begin(), from.end(), to.begin()); }

double dot(Values a, Values b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

}  // namespace

RecurrentGradient bptt(const RecurrentSequence& s) { return checkpointed_bptt(s, s.steps); }

RecurrentGradient checkpointed_bptt(const RecurrentSequence& s, Index every) {
    check(s);
    SOMA_CHECK(every >= 0, "checkpointed_bptt: a state in every ", every, " steps; need 0 or more");
    const Index n = s.cell.units(), root = std::lround(std::ceil(std::sqrt(s.steps)));
    const Index length = std::min(every == 0 ? root : every, s.steps);
    const Index segments = (s.steps + length - 1) / length;
    RecurrentGradient g = empty_gradient(s.cell);
    Trace trace(s.cell, length);
    std::vector<double> starts(at((segments - 1) * n));  // x_0, x_length, ... but for the last one
    const auto start_of = [&](Index segment) {
        return MutableValues(starts).subspan(at(segment * n), at(n));
    };
    copy(s.start, trace.state(0));
    for (Index t = 1; t <= s.steps; ++t) {
        const Index segment = (t - 1) / length;
        if ((t - 1) % length == 0 && segment < segments - 1) {
            copy(trace.state(t - 1), start_of(segment));
        }
        run_step(s, trace, t, g);
    }
    std::vector<double> carry(at(n));
    for (Index segment = segments - 1; segment >= 0; --segment) {
        const Index first = segment * length + 1, last = std::min(first + length - 1, s.steps);
        if (segment < segments - 1) {
            copy(start_of(segment), trace.state(first - 1));
            for (Index t = first; t <= last; ++t) run_step(s, trace, t, g);
        }
        sweep(s, trace, first, last, first - 1, carry, g);
    }
    g.start = carry;
    g.kept = trace.numbers() + std::ssize(starts) + 2 * n;
    return g;
}

RecurrentGradient truncated_bptt(const RecurrentSequence& s, const Truncation& truncation) {
    check(s);
    const Index window = std::min(truncation.window, s.steps), every = truncation.every;
    SOMA_CHECK(every >= 1 && every <= truncation.window, "truncated_bptt: a sweep over ",
               truncation.window, " steps after every ", every, "; need 1 <= every <= window");
    RecurrentGradient g = empty_gradient(s.cell);
    Trace trace(s.cell, window);
    copy(s.start, trace.state(0));
    std::vector<double> carry(s.start.size());
    for (Index t = 1, swept = 0; t <= s.steps; ++t) {
        run_step(s, trace, t, g);
        if (t - swept < every && t < s.steps) continue;
        const Index first = std::max<Index>(1, t - window + 1);
        std::fill(carry.begin(), carry.end(), 0.0);
        sweep(s, trace, first, t, swept, carry, g);
        if (first == 1) {
            for (std::size_t i = 0; i < carry.size(); ++i) g.start[i] += carry[i];
        }
        swept = t;
    }
    g.kept = trace.numbers() + 2 * std::ssize(carry);
    return g;
}

RecurrentGradient rtrl(const RecurrentSequence& s) {
    check(s);
    const Index n = s.cell.units(), p = s.cell.parameters(), columns = p + n;
    RecurrentGradient g = empty_gradient(s.cell);
    Trace trace(s.cell, 1);
    copy(s.start, trace.state(0));
    std::vector<double> influence(at(n * columns)), next(influence.size()), d(at(n));
    for (Index i = 0; i < n; ++i) influence[at(i * columns + p + i)] = 1;  // dx_0/dx_0
    for (Index t = 1; t <= s.steps; ++t) {
        run_step(s, trace, t, g);
        s.cell.push_all({s.theta, trace.state(t - 1), input_of_step(s, t), trace.slope(t)},
                        influence, next);
        influence.swap(next);
        g.loss += s.loss(t, trace.state(t), d);
        for (Index i = 0; i < n; ++i) {
            const double* row = influence.data() + i * columns;
            for (Index k = 0; k < p; ++k) g.theta[at(k)] += d[at(i)] * row[k];
            for (Index k = 0; k < n; ++k) g.start[at(k)] += d[at(i)] * row[p + k];
        }
    }
    g.kept = trace.numbers() + 2 * n * columns + n;
    return g;
}

DirectionalDerivative jvp(const RecurrentSequence& s, Values dtheta, Values dstart) {
    check(s);
    SOMA_CHECK(dtheta.size() == s.theta.size() && dstart.size() == s.start.size(),
               "jvp: the direction has ", dtheta.size(), " and ", dstart.size(),
               " numbers; need those of theta and start, ", s.theta.size(), " and ",
               s.start.size());
    RecurrentGradient steps;
    Trace trace(s.cell, 1);
    copy(s.start, trace.state(0));
    std::vector<double> v(dstart.begin(), dstart.end()), next(v.size()), d(v.size());
    DirectionalDerivative result;
    for (Index t = 1; t <= s.steps; ++t) {
        run_step(s, trace, t, steps);
        s.cell.pushforward({s.theta, trace.state(t - 1), input_of_step(s, t), trace.slope(t)}, v,
                           dtheta, next);
        v.swap(next);
        result.loss += s.loss(t, trace.state(t), d);
        result.derivative += dot(d, v);
    }
    return result;
}

}  // namespace soma::neuro
