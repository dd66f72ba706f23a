#pragma once
// integrator, contextual_integrator: running sums of white noise. 25 steps.
//
//     u_i(t) = b_i + (noise / sqrt(dt)) xi_i(t)        dt in seconds, xi standard normal
//     y(t)   = sum of u_k(0 ... t)                     without the factor dt: of order 1
//
// integrator: 1 input, 1 output, k = 1. contextual_integrator: 4 inputs, 1 output; inputs 2 and 3
// name the sense k that counts by 1 throughout. All steps are judged. A bias b is uniform in
// [-bias, bias); the original of contextual_integrator draws 2 bias (xi - 1/2), which has mean
// -bias: option `original_bias`.
// Labels: bias / bias_1, bias_2, context (1, 2). The grid of contextual_integrator has both
// contexts. Score: 1 - sum (z - y)^2 / sum y^2, at least 0. The target is a function of the input,
// so the best score is 1.
// Source: computation-thru-dynamics, `integrator.py` of both tutorials; nets without a time
// constant, hence tau = dt.

#include <memory>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

struct IntegratorOptions {
    double dt = 40, tau = 40;  // ms
    double duration = 1000;    // ms
    double noise = 0.025;      // per sqrt(second)
    double bias = 0.01;
    bool original_bias = false;
    double easy = 1;  // factor of the bias
};

// Error(usage) that names the option for times or noise that are impossible.
std::unique_ptr<Task> make_integrator(const IntegratorOptions& options = {});
std::unique_ptr<Task> make_contextual_integrator(const IntegratorOptions& options = {});

}  // namespace soma::neuro
