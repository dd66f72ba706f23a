#pragma once
// Gated recurrent networks on the tape: LSTM, GRU, UGRNN. A whole sequence is one node.

#include <cstdint>
#include <span>

#include "soma/autograd/tape.h"

namespace soma {

// G gates a unit, one block of N columns each: lstm i f g o, gru r z n (as PyTorch), ugrnn c g.
// Absent ones are zero.
struct GatedWeights {
    Var w_in = {};      // [I, G N]
    Var w_rec = {};     // [N, G N], from, to
    Var bias = {};      // [G N]: the sum where a framework has two
    Var bias_rec = {};  // [N]: gru, reset_after
    Var peephole = {};  // [3, N]: lstm, weights of c into i, f (before) and o (after)
};

struct GatedOptions {
    // Steps of each trial, never growing from trial to trial; empty: T for all. Later h are 0.
    std::span<const Index> lengths = {};
    // When given, receives where each trial ended [B, N]: the start of the next piece of truncated
    // backpropagation through time.
    Tensor* h_last = nullptr;
};

struct LstmOptions {
    std::span<const Index> lengths = {};
    Tensor *h_last = nullptr, *c_last = nullptr;
    // y is [2, T, B, N], h and then c: for losses and nets that need the cells themselves.
    bool cells = false;
};

// An absent one is 0; [N] is the start of all trials.
struct LstmStart {
    Var h = {}, c = {};  // [N] or [B, N]
};

// y = h of an LSTM with forget gates (Hochreiter & Schmidhuber 1997; Gers et al. 2000), s =
// sigmoid:
//     i, f, o = s(u w_in + h w_rec + bias (+ peephole c)),  g = tanh(.),
//     c' = f c + i g,  h' = o tanh(c')
//   u [T, B, I]   y [T, B, N]
// Backward: the recursions of table/gated.h, then every weight gradient is one product over all T B
// rows (order TREE): never T small ones. Saved: the gates and c.
// Determinism: h has the same bits for any batch split; gradients as in linear.
// Cost: 2 T B G N (N + I) flop forward, twice that backward.
// Error(usage) for shapes, dtypes or lengths that do not fit, here and below.
Var lstm(const LstmStart& start, Var u, const GatedWeights& weights,
         const LstmOptions& options = {});

enum class GruForm : std::uint8_t {
    reset_after,   // n = tanh(u w_n + b_n + r (h U_n + bias_rec)): PyTorch, cuDNN
    reset_before,  // n = tanh(u w_n + b_n + (r h) U_n): Cho et al. 2014
};

// h of a GRU:  r, z = s(u w_in + h w_rec + bias),  n by the form,  h' = (1 - z) n + z h
//   start [N] or [B, N], may be absent   u [T, B, I]   h [T, B, N]
// Saved: the gates, and h U_n + bias_rec or r h.
Var gru(Var start, Var u, const GatedWeights& weights, GruForm form,
        const GatedOptions& options = {});

// h of an update gate RNN (Collins et al. 2017):
//     c = tanh(u w_in + h w_rec + bias),  g = s(.),  h' = (1 - g) c + g h
Var ugrnn(Var start, Var u, const GatedWeights& weights, const GatedOptions& options = {});

// y[t, b] = x[length_b - 1 - t, b] within each trial's length; what lies behind it stays where it
// is. x [T, B, C]. Twice is the identity: a net that runs backward in time is
//     reverse_time(lstm({}, reverse_time(x, lengths), w, {.lengths = lengths}), lengths)
Var reverse_time(Var x, std::span<const Index> lengths = {});

}  // namespace soma
