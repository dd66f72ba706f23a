#pragma once
// Gradients of a recurrent sequence by every classical algorithm, in f64.
//
//     x_t = F(x_{t-1}, u_t; theta, t)      L = sum_t L_t(x_t)      t = 1..T
//
//                      time            numbers kept       gives
//     bptt             T N^2           T N                the gradient
//     checkpointed     T N^2           sqrt(T) N          the same bits, one more forward pass
//     truncated        T N^2 h / h'    h N                the gradient without lags above about h
//     rtrl             T N^4           N^3                the gradient, at any time, forwards
//     jvp              T N^2           N                  one directional derivative, forwards
//
// Gradients of all steps are added in the order in which a backward sweep meets them, one step
// after the other, whatever is kept and whatever is run again: so bptt, checkpointed_bptt and a
// truncated_bptt that truncates nothing have the same bits. (The engine's ctrnn op sums all steps
// in one product and agrees to rounding.)
//
// Sources: Rumelhart, Hinton & Williams 1986 (BPTT); Williams & Zipser 1989, Neural Computation
// 1(2) 270-280 (RTRL); Williams & Peng 1990, Neural Computation 2(4) 490-501 (BPTT(h; h'));
// Griewank 1992, Optimization Methods and Software 1(1) (checkpoints).

#include <functional>
#include <vector>

#include "soma/neuro/ctrnn_cell.h"

namespace soma::neuro {

// L_t of the state x_t [N], t = 1..T; writes dL_t/dx_t to dx [N]. A pure function, but for what it
// adds to the gradient of its own parameters: every algorithm calls it exactly once a step.
using StepLoss = std::function<double(Index t, Values x, MutableValues dx)>;

// Borrows everything.
struct RecurrentSequence {
    const CtrnnCell& cell;
    Values theta;   // [P]
    Values start;   // x_0 [N]
    Values inputs;  // [T, I]
    Index steps;    // T >= 1
    const StepLoss& loss;
};

struct RecurrentGradient {
    double loss = 0;
    std::vector<double> theta;  // dL/dtheta [P]
    std::vector<double> start;  // dL/dx_0 [N]
    Index kept = 0;             // f64 numbers held at once besides theta, inputs and the result
    Index cell_steps = 0;       // forward steps: T, and those that were run again
};

// All of them: Error(usage) when a size does not fit the cell.

// Backpropagation through time: one sweep over all steps.
RecurrentGradient bptt(const RecurrentSequence& s);

// The same with every `every`-th state kept and the steps between run again, segment by segment
// from the last. 0: ceil(sqrt(T)).
RecurrentGradient checkpointed_bptt(const RecurrentSequence& s, Index every = 0);

// BPTT(h; h'): after every h' = `every` steps (and after the last) one sweep over the last
// h = `window` steps, which starts from the losses of the steps since the sweep before. Every loss
// counts once and reaches back h - h' + 1 to h steps. Error(usage) unless 1 <= every <= window.
struct Truncation {
    Index window = 1;  // h
    Index every = 1;   // h'
};
RecurrentGradient truncated_bptt(const RecurrentSequence& s, const Truncation& truncation);

// Real-time recurrent learning: S_t = dx_t/d(theta, x_0) is carried forwards, and the gradient of
// the losses so far is known after every step.
RecurrentGradient rtrl(const RecurrentSequence& s);

// dL/d(theta, x_0) . (dtheta, dstart) with one tangent carried forwards; no state is kept.
struct DirectionalDerivative {
    double loss = 0, derivative = 0;
};
DirectionalDerivative jvp(const RecurrentSequence& s, Values dtheta, Values dstart);

}  // namespace soma::neuro
