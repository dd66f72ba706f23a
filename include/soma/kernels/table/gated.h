#pragma once
// Kernel table, gated recurrent networks: the pointwise part of one time step for a block of
// trials.
//
// Legend: a row is a trial, N = n units, G gates a unit. `gates` [rows, G N] holds the gates one
// after the other, in the order of PyTorch. It comes with the input part a = u w_in + bias and goes
// with the gates after their nonlinearity. z [rows, G N] = h w_rec is the recurrent part, h0 and c0
// the states before the step; s = sigmoid.
//
//     lstm    i f g o   i = s(z + a), f = s(z + a), g = tanh(z + a),  c = fma(f, c0, i g),
//                       o = s(z + a),  h = o tanh(c);            inner: c
//                       peepholes p [3, N] of i, f, o enter as fma(p, c0, .), of o as fma(p, c, .)
//     gru_reset_after
//             r z n     r = s(z + a), z = s(z + a),  m = z + bias_rec,  n = tanh(fma(r, m, a)),
//                       h = fma(z, h0 - n, n);                   inner: m
//     gru_reset_before
//             r z n     `reset`: r, z as above,  m = r h0;       inner: m
//                       then  z_n = m w_rec_n,  `step`: n = tanh(z + a), h as above
//     ugrnn   c g       c = tanh(z + a), g = s(z + a),  h = fma(g, h0 - c, c)
//
// Backward: e = g + q + carry is dL/dh, with g from outside, q = (delta of the next step) w_rec^T,
// and carry what came along h = ... h0; the lstm has e = g + q, and carry is dL/dc. `delta` gets
// dL/d(z + a) of each gate, D blocks of N: those of the gates; gru_reset_after has the block of n
// twice, r z n n': d/dz first, d/da last. gru_reset_before: `step_backward` gives the blocks z and
// n, then  back = delta_n w_rec_n^T,  and `reset_backward` gives the block r and adds r back to
// carry.
//
// Entries are noexcept and allocation-free; rows are independent.

#include <cstdint>

#include "soma/core/types.h"

namespace soma::kernels {

enum class GatedCell : std::uint8_t { lstm, gru_reset_after, gru_reset_before, ugrnn };

// G.
constexpr Index gates_of(GatedCell cell) {
    return cell == GatedCell::lstm ? 4 : cell == GatedCell::ugrnn ? 2 : 3;
}
// D.
constexpr Index deltas_of(GatedCell cell) {
    return cell == GatedCell::gru_reset_after ? 4 : gates_of(cell);
}

template <class T>
struct GatedStep {
    GatedCell cell;
    Index rows, n;
    const T* z;         // [rows, G N]
    const T* h_before;  // [rows, N], unused by lstm
    const T* c_before;  // lstm: [rows, N], may be inner
    const T* peephole;  // lstm: [3, N] or nullptr
    const T* bias_rec;  // gru_reset_after: [N] or nullptr
    T* gates;           // [rows, G N]
    T* inner;           // [rows, N], unused by ugrnn
    T* h;               // [rows, N]
};

template <class T>
struct GatedStepBackward {
    GatedCell cell;
    Index rows, n;
    const T *gates, *inner, *h_before, *c_before, *peephole;  // as above
    const T* g;     // dL/dh of this step from outside [rows, N]; nullptr: 0
    const T* g_c;   // lstm: dL/dc from outside; nullptr: 0
    const T* q;     // [rows, N]; nullptr: 0
    const T* back;  // gru_reset_before, `reset_backward`
    T* carry;       // [rows, N], in place
    T* delta;       // [rows, D N]
};

template <class T>
struct GatedTable {
    void (*step)(const GatedStep<T>& step) noexcept;
    void (*step_backward)(const GatedStepBackward<T>& step) noexcept;
    void (*reset)(const GatedStep<T>& step) noexcept;                   // gru_reset_before only
    void (*reset_backward)(const GatedStepBackward<T>& step) noexcept;  // gru_reset_before only
};

}  // namespace soma::kernels
