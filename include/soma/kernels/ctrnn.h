#pragma once
// Leaky recurrent networks over whole sequences, with keyed noise (neuro.md 2, 3).
//
//     r_t = step(r_{t-1} (or x_{t-1}), p_t, xi_t),   p_t = r_{t-1} w + u_t w_in + bias,   t = 1..T
//
// Formulas of the four conventions: rate_model.h; order of every operation: table/rnn.h.
// The recurrent weights w [from, to] are w_rec, or of rank R:  w = n m^T / N, never formed.
//
// Legend: T steps, B trials, N units, I inputs, R rank. Sequences are [T, B, .]; all contiguous.
//
// Noise xi_t of unit i of a trial is normal number i of (key, step, trial id, visit), step =
// first_step + t - 1: it is made where it is used, never stored, and the backward pass needs none.
// f64 nets see the same noise as f32 nets.
//
// Trials are independent: threads take trials for all T steps, without a barrier, and the bits do
// not depend on how many there are, nor on the batch a trial is in.
// Cost: 2 T B N^2 flop forward and again backward (4 T B N R each with low rank).

#include "soma/core/rng.h"
#include "soma/core/types.h"
#include "soma/kernels/rate_model.h"

namespace soma::kernels {

struct CtrnnNoise {
    double sigma = 0;  // as the convention has it; 0: no noise
    PhiloxKey key = {};
    std::uint32_t first_step = 0, visit = 0;
    const std::uint32_t* trials = nullptr;  // [B], ids
};

template <class T>
struct CtrnnSequence {
    Convention convention = Convention::current;
    Nonlinearity f = Nonlinearity::tanh;
    double alpha = 1;
    CtrnnNoise noise = {};
    Index steps = 0, batch = 0, units = 0, inputs = 0, rank = 0;
    // Trials that still run in step t, [T], never growing: the first active[t] ones. nullptr: all.
    const Index* active = nullptr;
    const T* w_rec = nullptr;            // [N, N]
    const T *m = nullptr, *n = nullptr;  // [N, R], instead of w_rec
    const T* u = nullptr;                // [T, B, I]
    const T* w_in = nullptr;             // [I, N]
    const T* bias = nullptr;             // [N] or nullptr
};

// start [B, N]: x_0 of `current`, r_0 of the others. Writes
//   r0    [B, N]     r_0
//   r     [T, B, N]  rates; 0 after a trial's end
//   drive [T, B, N]  f(h_t) of `rate`; else nullptr
//   kappa [T, B, R]  r_{t-1} n / N of low rank; else nullptr
//   last  [B, N]     where each trial ended: the start of a continuation; may be nullptr
template <class T>
void ctrnn_forward(const CtrnnSequence<T>& s, const T* start, T* r0, T* r, T* drive, T* kappa,
                   T* last);

// From dr [T, B, N], the gradient of the rates:
//   delta  [T, B, N]  d(loss)/d(p_t), but for the factor ctrnn_gain(s)
//   dstart [B, N]     d(loss)/d(start); may be nullptr
// Afterwards  dw = gain sum_t r_{t-1}^T delta_t,  dw_in = gain sum_t u_t^T delta_t,  db = gain
// sum_t delta_t and du_t = gain delta_t w_in^T are products over all T B rows at once.
template <class T>
void ctrnn_backward(const CtrnnSequence<T>& s, const T* r0, const T* r, const T* drive, const T* dr,
                    T* delta, T* dstart);

// What is left out of delta: alpha; 1 for `rate`.
template <class T>
T ctrnn_gain(const CtrnnSequence<T>& s) {
    return s.convention == Convention::rate ? T{1} : static_cast<T>(s.alpha);
}

}  // namespace soma::kernels
