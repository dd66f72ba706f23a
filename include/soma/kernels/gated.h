#pragma once
// Gated recurrent networks over whole sequences: LSTM, GRU and UGRNN (neuro.md 3.1,
// systems.md 4.9).
//
//     (h_t, c_t) = cell(h_{t-1}, c_{t-1}, u_t),   t = 1..T
//
// Formulas of the cells, order of every operation, G and D: table/gated.h.
//
// Legend: T steps, B trials, N units, I inputs, G gates a unit. Sequences are [T, B, .]; all
// contiguous.
//
// Trials are independent: threads take trials for all T steps, without a barrier, and the bits do
// not depend on how many there are, nor on the batch a trial is in.
// Cost: 2 T B G N (N + I) flop forward, 2 T B G N^2 backward.

#include "soma/core/types.h"
#include "soma/kernels/table/gated.h"

namespace soma::kernels {

template <class T>
struct GatedSequence {
    GatedCell cell = GatedCell::lstm;
    Index steps = 0, batch = 0, units = 0, inputs = 0;
    // Trials that still run in step t, [T], never growing: the first active[t] ones. nullptr: all.
    const Index* active = nullptr;
    const T* u = nullptr;         // [T, B, I]
    const T* w_in = nullptr;      // [I, G N]
    const T* w_rec = nullptr;     // [N, G N]
    const T* bias = nullptr;      // [G N] or nullptr
    const T* bias_rec = nullptr;  // gru_reset_after: [N] or nullptr
    const T* peephole = nullptr;  // lstm: [3, N] or nullptr
    const T* h0 = nullptr;        // [B, N]
    const T* c0 = nullptr;        // lstm: [B, N]
};

// Writes
//   h      [T, B, N]    0 after a trial's end
//   inner  [T, B, N]    c of lstm, 0 after a trial's end; m of gru; for the backward pass, and
//   gates  [T, B, G N]  so are these: nullptr when there is none (h alone is the same bits)
//   h_last, c_last [B, N]  where each trial ended: the start of a continuation; may be nullptr
template <class T>
void gated_forward(const GatedSequence<T>& s, T* h, T* inner, T* gates, T* h_last, T* c_last);

// From dh [T, B, N], the gradient of h, and dc [T, B, N] of lstm's c (either may be nullptr):
//   delta     [T, B, D N]  d(loss)/d(arguments of the gates), 0 after a trial's end
//   dh0, dc0  [B, N]       of the start; may be nullptr
// Afterwards the gradient of every weight is a product over all T B rows at once.
template <class T>
void gated_backward(const GatedSequence<T>& s, const T* h, const T* inner, const T* gates,
                    const T* dh, const T* dc, T* delta, T* dh0, T* dc0);

}  // namespace soma::kernels
