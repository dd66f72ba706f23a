#pragma once
// Delayed XOR (after Williams & Zipser 1989, who delay the XOR of two lines): a stream of random
// bits u_t = +-1 goes in, and after step t comes out y_t = u_{t-5} xor u_{t-6}. A net must keep six
// bits and combine the two oldest; a gradient must cross seven steps.
//
//     x_t = tanh(x_{t-1} w_rec + u_t w_in + b)     p(y_t = 1) = sigmoid(w_out . x_t + b_out)
//
// 8 units suffice: six hold the bits, two the hidden units of XOR.

#include <cstdint>
#include <functional>

#include "soma/neuro/recurrent_gradients.h"
#include "soma/train/figures.h"

namespace soma::systems {

struct DelayedXorOptions {
    Index units = 8, delay = 5, steps = 30, batch = 32;
    Index updates = 2000;  // at most
    double rate = 0.01, clip = 1;
    double enough = 0.999;    // training ends when so many answers of 100 updates are right
    Index mean_of = 20;       // updates a point of the curve
    Index test_trials = 500;  // sequences
};

using GradientMethod = std::function<neuro::RecurrentGradient(const neuro::RecurrentSequence&)>;

struct DelayedXorRun {
    train::Series errors;  // share of wrong answers in training
    double right = 0;      // share of right answers to new sequences
    Index updates = 0;     // done
};

// Trains one net in f64 by Adam with the gradients of `method`: of the mean cross-entropy of all
// answers that have a target, over new sequences in every update. A function of the arguments
// alone, but for `stop`.
DelayedXorRun train_delayed_xor(const DelayedXorOptions& o, const GradientMethod& method,
                                std::uint64_t seed, const std::function<bool()>& stop);

}  // namespace soma::systems
