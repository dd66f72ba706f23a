#pragma once
// L-BFGS: quasi-Newton minimisation of a smooth function of a flat f64 vector.
//
// Nocedal & Wright, Numerical Optimization (2nd ed.): direction by the two-loop recursion
// (algorithm 7.4) over the last `history` pairs s = x' - x, y = g' - g; step length by a line
// search for the strong Wolfe conditions (algorithms 3.5 and 3.6), which keep s.y > 0:
//
//     f(x + a p) <= f(x) + c1 a g.p        |g(x + a p).p| <= c2 |g.p|
//
// Every sum runs over ascending indices, so a run is a function of its arguments alone.
// Memory: 2 history + 6 vectors of n. Work: 4 history n FMA an iteration besides the objective.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "soma/core/types.h"

namespace soma::optim {

// Returns f(x) and writes its gradient (same length as x).
using Objective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

struct LbfgsOptions {
    int history = 10;
    Index max_iterations = 1000;
    double gradient_tolerance = 1e-8;  // stop when max |g_i| is at most this
    double decrease_tolerance = 0;     // stop when f - f' < this * max(|f|, |f'|, 1); 0: never
    double c1 = 1e-4;
    double c2 = 0.9;
    // Of the objective, in one line search; one more returns to the best point where they run out.
    int max_search_evaluations = 30;
};

struct LbfgsResult {
    enum class Stop { gradient, decrease, iterations, line_search };

    std::vector<double> x;
    double value = 0;
    double gradient_norm = 0;  // max |g_i|
    Index iterations = 0;      // steps taken
    Index evaluations = 0;
    // line_search: no lower point along the steepest descent, usually the limit of rounding.
    Stop stop = Stop::iterations;
};

// Minimises f from x. A trial point where f is not finite counts as too high. Error(usage) when x
// is empty or f(x) is not finite at the start.
LbfgsResult lbfgs(const Objective& f, std::vector<double> x, const LbfgsOptions& options = {});

}  // namespace soma::optim
