#pragma once
// Kernel table, normalisation: the vector parts, one thread, one ISA.
//
// Two layouts of statistics. "rows": one mean and rstd a row (layer norm, RMS norm); sums along the
// row are LANES16. "columns": one mean and rstd a column (batch norm, and group norm after its
// statistics were spread over the channels of their group); sums are leaves of TREE.
// rstd = 1 / sqrt(var + eps), one square root and one division; var is the mean of (x - mean)^2,
// never E[x^2] - E[x]^2. xh = (x - mean) rstd. Statistics are in T.
//
// x, y, dy, dx are contiguous [rows, cols]; gamma, beta and column statistics are [cols]; gamma ==
// nullptr stands for ones, beta == nullptr for zeros. Entries are noexcept and allocation-free.
// `accumulate`: false writes dx, true adds to it. Each output row (or element) depends on its own
// row (or column statistics) only, so any split of rows gives the same bits.

#include "soma/core/types.h"

namespace soma::kernels {

template <class T>
struct NormTable {
    // ---- rows ----
    // Writes mean and rstd of each row; mean == nullptr: RMS norm, the mean is taken as 0.
    // y = fma(xh, gamma, beta).
    void (*rows_forward)(Index rows, Index cols, const T* x, const T* gamma, const T* beta, T eps,
                         T* y, T* mean, T* rstd) noexcept;
    // With g = gamma dy: dx (+)= rstd (g - mean(g) - xh mean(g xh)); without mean(g) when mean is
    // nullptr.
    void (*rows_backward)(Index rows, Index cols, const T* x, const T* gamma, const T* mean,
                          const T* rstd, const T* dy, bool accumulate, T* dx) noexcept;
    // One leaf of dgamma: y[c] = chain over ascending r of fma(dy, xh, .), from +0.
    void (*rows_leaf_gamma)(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                            const T* dy, T* y) noexcept;

    // ---- columns ----
    // One leaf of the centred squares: y[c] = chain of fma(d, d, .), d = x - mean[c], from +0.
    void (*columns_leaf_squares)(Index rows, Index cols, const T* x, const T* mean, T* y) noexcept;
    // One leaf of dgamma: y[c] = chain of fma(dy, xh, .), from +0.
    void (*columns_leaf_gamma)(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                               const T* dy, T* y) noexcept;
    // y = fma(xh, gamma, beta).
    void (*columns_forward)(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                            const T* gamma, const T* beta, T* y) noexcept;
    // dx (+)= rstd (gamma dy - m1 - xh m2), m1 and m2 [cols].
    void (*columns_backward)(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                             const T* gamma, const T* m1, const T* m2, const T* dy, bool accumulate,
                             T* dx) noexcept;
};

}  // namespace soma::kernels
