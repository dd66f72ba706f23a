#pragma once
// Kernel table, recurrent networks: the pointwise part of one time step for a block of trials.
//
// All matrices are contiguous [rows, n] unless said. s = f'(f^-1(r)), the slope by the value.
//
// ctrnn_step: with z = r_{t-1} w_rec and the input  a = chain over k of u[k] w_in[k, :] from +0 by
// FMA, then + bias (the bits of a GEMM with bias),  p = z + a,
//
//     current          x = fma(gain, p, leak x), x = fma(sigma, xi, x) if noisy,   r = f(x)
//     rate             h = p, h = fma(sigma, xi, h) if noisy, drive = f(h),
//                      r = fma(gain, drive, leak r_before)
//     rectified_leak   h = fma(gain, p, leak r_before), noise as above,            r = f(h)
//
// ctrnn_step_backward: with g = dL/dr_t from outside (nullptr: 0), q = (what the step after sent
// back) w_rec^T, and `carry`, updated in place: the part that came along the leak,
//
//     current          carry = fma(s(r), fma(gain, q, g), leak carry),     delta = carry
//     rate             carry = fma(leak, carry, g + q),                    delta = gain s(drive)
//     carry rectified_leak   e = fma(leak, carry, fma(gain, q, g)),              delta = carry =
//     s(r) e
//
// current_sde is current: the driver scales sigma. Entries are noexcept and allocation-free; rows
// are independent.

#include "soma/core/types.h"
#include "soma/kernels/rate_model.h"

namespace soma::kernels {

template <class T>
struct CtrnnStep {
    Convention convention;
    Nonlinearity f;
    T gain, leak, sigma;  // alpha, 1 - alpha, factor of xi
    Index rows, n;
    const T* z;     // nullptr: 0
    const T* a;     // the input, when it was computed before; else nullptr and
    const T* u;     // [rows, inputs], may be nullptr with inputs == 0
    const T* w_in;  // [inputs, n]
    const T* bias;  // [n] or nullptr
    Index inputs;
    const T* xi;        // nullptr: no noise
    T* state;           // current: x, updated in place
    const T* r_before;  // the other conventions; may be r
    T* r;
    T* drive;  // rate: f(h); else unused
};

template <class T>
struct CtrnnStepBackward {
    Convention convention;
    Nonlinearity f;
    T gain, leak;
    Index rows, n;
    const T* r;  // rate: drive
    const T* g;  // or nullptr
    const T* q;  // or nullptr: nothing was sent back (the last step)
    T* carry;
    T* delta;  // may be carry
};

template <class T>
struct RnnTable {
    void (*ctrnn_step)(const CtrnnStep<T>& step) noexcept;
    void (*ctrnn_step_backward)(const CtrnnStepBackward<T>& step) noexcept;
    // y = f(x), n elements, in place allowed.
    void (*rate)(Nonlinearity f, Index n, const T* x, T* y) noexcept;
};

}  // namespace soma::kernels
