#pragma once
// The fold of one unit, x' = tanh(w x + b), w > 1, and the gradient of its state near it.

#include "soma/core/types.h"
#include "soma/train/figures.h"

namespace soma::systems {

// x_f = sqrt(1 - 1/w) and b_f = atanh x_f - w x_f: where the upper branch of fixed points ends as b
// falls. The lower branch ends at (-x_f, -b_f).
double fold_state(double w);
double fold_bias(double w);

// x_T and dx_T/db from x_0 = 1 by backpropagation through T steps.
struct EndState {
    double x = 0, slope = 0;
};
EndState end_state(double w, double b, Index steps);

// Where |dx_T/db| is largest below the fold, in 2,000ths of pi^2 / (x_f T^2).
struct GradientPeak {
    double distance = 0;  // b_f - b
    double slope = 0;     // |dx_T/db|
};
GradientPeak find_peak(double w, Index steps);

// Slope of log y over log x by least squares.
double log_log_slope(const train::Series& s);

}  // namespace soma::systems
