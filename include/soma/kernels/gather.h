#pragma once
// Rows of a matrix picked by an index list, and the adjoint: rows added back to where they came
// from.
//
// gather is a copy. scatter_add is the row-sparse sum of an embedding's gradient; it sorts the
// positions by row (stable, radix 2^11) and then sums each row's segment once:
//
//     rows      3 0 3 7 0            segments   0: x1, x4    3: x0, x2    7: x3
//     sorted    0 0 3 3 7            y_r = y_r + tree(segment of r)
//
// so threads own whole rows, no atomics are needed and rows that do not occur are not touched.
// Order (kernels.md 6.2, TREE): a segment is cut into leaves of 256 positions; a leaf is a chain of
// additions in ascending position, leaves are folded by the balanced tree, and the result is added
// to y in one rounding. Same bits for any thread count.
//
// T = float or double; all rows of x and y have `cols` contiguous elements.

#include <span>

#include "soma/core/types.h"

namespace soma::kernels {

// y[i, :] = table[rows[i], :], every rows[i] inside the table.
template <class T>
void gather_rows(std::span<const std::int32_t> rows, Index cols, const T* table, T* y);

// y[r, :] += sum over the positions i with rows[i] == r of x[i, :]. y has `row_count` rows.
template <class T>
void scatter_add_rows(std::span<const std::int32_t> rows, Index row_count, Index cols, const T* x,
                      T* y);

}  // namespace soma::kernels
