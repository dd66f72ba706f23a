#pragma once
// Psychometric functions: the choices of an observer as a function of the evidence it was shown.
//
//     P(choice = +1) = lapse / 2 + (1 - lapse) Phi(bias + sum_v weight_v x_v)
//
// Phi is the standard normal distribution function: an observer that sums x_v in Gaussian noise has
// this curve, with weight = 1 / (sd of the noise in units of x). Several variables at once tell how
// much each counts, such as the attended and the other sense. By maximum likelihood; the lapse rate
// is bounded by 0 (Wichmann & Hill 2001, Perception & Psychophysics 63(8)).

#include <span>
#include <vector>

#include "soma/linalg/matrix.h"

namespace soma::neuro {

struct PsychometricOptions {
    bool lapse = true;  // false: held at 0
    Index iterations = 100;
    double tolerance = 1e-10;  // of a step, relative to the largest parameter or 1
};

struct PsychometricFit {
    double bias = 0;
    std::vector<double> weights = {};  // [V]
    double lapse = 0;
    // Standard errors from the Fisher information. That of a lapse rate of 0 is the curvature's at
    // the border, NaN where it was held.
    double bias_error = 0, lapse_error = 0;
    std::vector<double> weight_errors = {};  // [V]
    double log_likelihood = 0;
    bool converged = false;  // false where the choices separate: the weights then grow on
};

// x [K, V], choices [K] of -1 and +1. Fisher scoring with halved steps, from all parameters 0.
// Error(usage) for wrong sizes, other choices or fewer trials than parameters; Error(non_finite)
// for x that is not. Needs LAPACK.
PsychometricFit fit_psychometric(const linalg::Matrix& x, std::span<const int> choices,
                                 const PsychometricOptions& options = {});

// P(choice = +1) of a fit at x [V].
double choice_probability(const PsychometricFit& fit, std::span<const double> x);

}  // namespace soma::neuro
