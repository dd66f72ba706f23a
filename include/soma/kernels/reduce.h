#pragma once
// Reductions in the canonical orders of kernels.md 6.2: same bits for any thread count and ISA.
//
//     LANES16   a row of n: lane l adds x[l], x[l + 16], ...; lanes fold 16 -> 8 -> 4 -> 2 -> 1
//               by lane[l] + lane[l + half]. Products enter a lane by FMA.
//     TREE      rows in leaves of 256: a leaf is a chain over ascending rows starting at +0, leaves
//               are folded pairwise, the lower-numbered part on the left:
//                   0 1 2 3 4 5 6   ->   01 23 45 6   ->   0123 456   ->   0123456
//     LONG      a flat array in chunks of 1,024: each chunk LANES16 in f64, chunks folded as TREE.
//
// Legend: x is [rows, cols] with row stride ldx >= cols (elements); T is float or double.
// accumulate == false overwrites y, true adds to it (one rounding). y must not overlap x.
// Nothing is read when rows or cols is 0: sums are then +0.
// Threads split rows, leaves or chunks; no function allocates outside the thread's scratch arena.
// Bytes: every function reads x once (the centred forms of norms live in norm.h).

#include "soma/core/types.h"

namespace soma::kernels {

inline constexpr Index kLeafRows = 256;
inline constexpr Index kChunk = 1024;

// ---- one result per row: LANES16 ----
// y[r] (+)= alpha * sum_c x[r, c].
template <class T>
void row_sums(Index rows, Index cols, const T* x, Index ldx, T alpha, T* y, bool accumulate);
// y[r] (+)= sum_c a[r, c] b[r, c]; a == b gives sums of squares.
template <class T>
void row_dots(Index rows, Index cols, const T* a, Index lda, const T* b, Index ldb, T* y,
              bool accumulate);
// value[r] = max_c x[r, c], index[r] = its first position. The first NaN of a row wins over every
// number. Either output may be nullptr. cols >= 1.
template <class T>
void row_max(Index rows, Index cols, const T* x, Index ldx, T* value, std::int32_t* index);

// ---- one result per column: TREE ----
// y[c] (+)= alpha * sum_r x[r, c]: bias gradients, batch statistics, broadcast backward.
template <class T>
void column_sums_tree(Index rows, Index cols, const T* x, Index ldx, T alpha, T* y,
                      bool accumulate);
// y[c] (+)= alpha * sum_r a[r, c] b[r, c], FMA into the leaf: gains of normalisation layers.
template <class T>
void column_dots_tree(Index rows, Index cols, const T* a, Index lda, const T* b, Index ldb, T alpha,
                      T* y, bool accumulate);
// value[c] = max_r x[r, c], index[c] = its first row; NaN as in row_max. rows >= 1.
template <class T>
void column_max(Index rows, Index cols, const T* x, Index ldx, T* value, std::int32_t* index);

// ---- one axis of a contiguous array x[outer, n, inner] ----
// y[o, i] (+)= alpha * sum_k x[o, k, i]: LANES16 when inner == 1, else TREE over k.
template <class T>
void sum_axis(Index outer, Index n, Index inner, const T* x, T alpha, T* y, bool accumulate);
// The adjoint: x[o, k, i] (+)= alpha * y[o, i].
template <class T>
void spread_axis(Index outer, Index n, Index inner, T alpha, const T* y, T* x, bool accumulate);
// As row_max over the middle axis.
template <class T>
void max_axis(Index outer, Index n, Index inner, const T* x, T* value, std::int32_t* index);

// ---- one result for all n elements: LONG, f64 accumulators for both dtypes ----
template <class T>
double sum_long(Index n, const T* x);
template <class T>
double sum_squares_long(Index n, const T* x);
template <class T>
double dot_long(Index n, const T* a, const T* b);

// Folds part[0..n) of `width` elements each into part[0], in TREE order, in place: neighbours at
// distance 1, 2, 4, ..., the same pairs as a binary counter that merges its rest from the right.
template <class T>
void fold_tree(Index n, Index width, T* part);

}  // namespace soma::kernels
