#pragma once
// Kernel table, local response normalisation: rows of a contiguous [rows, cols] matrix, one thread.
//
// With the window W(i) = [i - size / 2, i + (size - 1) / 2], cut to [0, cols), and the mirrored one
// M(i) = [i - (size - 1) / 2, i + size / 2]:
//
//     d_i  = k + scale sum over j in W(i) of x_j^2          j ascending, one FMA each (CHAIN)
//     y_i  = x_i d_i^-beta
//     dx_i = dy_i d_i^-beta - 2 beta scale x_i  sum over j in M(i) of dy_j y_j / d_j
//
// d^-beta is 1 / (sqrt(d) sqrt(sqrt(d))) when beta is 0.75, otherwise exp(-beta log d) of vmath.
// Elements past a row's ends count as zeros in the same chain, so every element of every row runs
// the same operations. Rows are independent: any split of them gives the same bits.
// Entries are noexcept and allocation-free; rows, cols, size >= 1. NaN spreads over its window; an
// Inf, or a square that overflows, gives NaN at its own place and 0 for finite neighbours.

#include "soma/core/types.h"

namespace soma::kernels {

template <class T>
struct LrnWindow {
    Index size;
    T scale, beta, k;  // scale >= 0, k > 0
};

// Elements of a row with its zeros, where kernels copy it to: every window is inside.
inline Index lrn_pitch(Index cols, Index size) { return cols + size - 1; }

template <class T>
struct LrnTable {
    // scratch [rows lrn_pitch]. y may be x.
    void (*forward)(Index rows, Index cols, const LrnWindow<T>& window, const T* x, T* y,
                    T* scratch) noexcept;
    // scratch [rows (2 lrn_pitch + cols)]. accumulate: false writes dx, true adds.
    void (*backward)(Index rows, Index cols, const LrnWindow<T>& window, const T* x, const T* dy,
                     bool accumulate, T* dx, T* scratch) noexcept;
};

}  // namespace soma::kernels
