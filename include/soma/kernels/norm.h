#pragma once
// Normalisation over rows, columns and groups of a contiguous matrix, split over threads.
//
// Formulas and statistics: table/norm.h. T is float or double. Orders (kernels.md 6.2): sums along
// a row LANES16, sums over rows TREE; the same bits for any thread count and ISA.
// gamma == nullptr stands for ones, beta == nullptr for zeros. `accumulate` adds to the output,
// otherwise it is overwritten. Variances are biased (divided by the count).
//
// Traffic: the forward reads x once a pass (a row of a layer norm stays in cache) and writes y.

#include "soma/kernels/table/norm.h"

namespace soma::kernels {

// ---- layer norm: statistics of each row; mean == nullptr: RMS norm ----
template <class T>
void layer_norm(Index rows, Index cols, const T* x, const T* gamma, const T* beta, T eps, T* y,
                T* mean, T* rstd);
template <class T>
void layer_norm_dx(Index rows, Index cols, const T* x, const T* gamma, const T* mean, const T* rstd,
                   const T* dy, bool accumulate, T* dx);
// dgamma[c] (+)= TREE over rows of dy xh.
template <class T>
void layer_norm_dgamma(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                       const T* dy, bool accumulate, T* dgamma);

// ---- batch norm: statistics of each column ----
// squares[c] = TREE over rows of (x - mean[c])^2.
template <class T>
void centred_squares(Index rows, Index cols, const T* x, const T* mean, T* squares);
// rstd[i] = 1 / sqrt(variance[i] + eps); in place allowed.
template <class T>
void reciprocal_deviation(Index n, const T* variance, T eps, T* rstd);
template <class T>
void normalise_columns(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                       const T* gamma, const T* beta, T* y);
// sums[c] = TREE over rows of dy xh.
template <class T>
void normalised_dots(Index rows, Index cols, const T* x, const T* mean, const T* rstd, const T* dy,
                     T* sums);
// dx (+)= rstd (gamma dy - m1 - xh m2).
template <class T>
void normalise_columns_dx(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                          const T* gamma, const T* m1, const T* m2, const T* dy, bool accumulate,
                          T* dx);

// ---- group norm: x [images, rows, cols], statistics of each image and run of cols / groups ----
// A group's sum is the LANES16 sum of its columns' TREE sums. mean and rstd are [images, cols],
// every channel holding its group's value, so that the column kernels apply to each image.
struct GroupShape {
    Index images, rows, cols, groups;  // groups divides cols
};
template <class T>
void group_norm(const GroupShape& shape, const T* x, const T* gamma, const T* beta, T eps, T* y,
                T* mean, T* rstd);
// sum_dy and sum_dy_xh, both [images, cols]: column sums of dy and of dy xh; their sums over the
// images are dbeta and dgamma. dx == nullptr: not computed.
template <class T>
void group_norm_backward(const GroupShape& shape, const T* x, const T* gamma, const T* mean,
                         const T* rstd, const T* dy, T* sum_dy, T* sum_dy_xh, bool accumulate,
                         T* dx);

}  // namespace soma::kernels
