#pragma once
// Measuring the ladder with the contest of bench/measure.h: all rungs of a table and the FMA probe
// of the same instruction set take turns, so that a share of the peak is a ratio of two times of
// one round, whatever the clock did.

#include <functional>
#include <string>
#include <vector>

#include "bench/ladder/ladders.h"
#include "bench/outcome.h"

namespace soma::ladder {

// Something to time.
struct Step {
    std::string name;
    double flop;
    std::function<void()> run;
};

// One contest; an outcome for each step, in order.
std::vector<bench::Outcome> contest(const std::vector<Step>& steps,
                                    const bench::MeasureOptions& options);

// Rungs on a shape; those whose time is proportional to M get kFewRows of its rows. Every rung of
// the list takes the shape.
inline constexpr Index kFewRows = 64;
std::vector<bench::Outcome> climb(const std::vector<Rung>& rungs, const Shape& shape,
                                  const bench::MeasureOptions& options);

// The tiles of rung 5, each with A in place and, after it, packed: two outcomes a tile. Panel and
// rows of A take half of L1 at most.
std::vector<bench::Outcome> sweep(const Ladder& ladder, const bench::MeasureOptions& options);

// worst_error of a rung on operands in [-1, 1).
double measured_error(const Rung& r, const Shape& s);

}  // namespace soma::ladder
