#pragma once
// Responses: activity of N units on K trials (or conditions) of T steps, what the subspace analyses
// take (neuro.md 6.6). States are rows, trial after trial:
//
//     states [K T, N], row k T + t = population vector of trial k at step t
//
// so that the same memory is also one row of T N numbers a trial, as regressions read it.

#include "soma/linalg/matrix.h"
#include "soma/tensor/tensor.h"

namespace soma::neuro {

struct Responses {
    Index trials = 0, steps = 0;
    linalg::Matrix states;  // [trials * steps, units]

    Responses() = default;
    // Filled with zeros. Error(usage) unless all three are >= 1.
    Responses(Index n_trials, Index n_steps, Index n_units);

    Index units() const { return states.cols; }
    double& operator()(Index trial, Index step, Index unit) {
        return states(trial * steps + step, unit);
    }
    double operator()(Index trial, Index step, Index unit) const {
        return states(trial * steps + step, unit);
    }
};

// Of a sequence r [T, B, N] as the recurrent engine stores it, f32 or f64. Error(usage) for another
// rank.
Responses responses_of_sequence(const Tensor& r);

// Error(usage) naming `operation` unless the sizes are >= 1 and agree with the states; Error
// (non_finite) for NaN or Inf.
void check_responses(const char* operation, const Responses& r);

// [T, N]: mean over trials at every step.
linalg::Matrix trial_mean(const Responses& r);

// Each column of x [rows >= 2, cols] minus its mean, divided by its sample standard deviation; a
// column that is constant up to rounding becomes zeros and has scale 1.
struct Standardised {
    linalg::Matrix values;
    std::vector<double> mean, scale;  // [cols]
};
Standardised standardise(const linalg::Matrix& x);

}  // namespace soma::neuro
