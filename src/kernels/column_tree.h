#pragma once
// TREE over the rows of a matrix (reduce.h), for kernels that compute one leaf of it.

#include <algorithm>

#include "soma/core/arena.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/reduce.h"

namespace soma::kernels {

// y (+)= alpha * the sum over leaves of kLeafRows rows; leaf(first row, rows, y) computes one. A
// thread takes at least `grain` rows.
template <class T, class Leaf>
void column_tree(Index rows, Index cols, Index grain, T alpha, bool accumulate, T* y, Leaf&& leaf) {
    const Index leaves = std::max<Index>(1, ceil_div(rows, kLeafRows));
    ScratchScope scratch;
    T* part = scratch.array<T>(leaves * cols);
    parallel_for(leaves, std::max<Index>(1, grain / kLeafRows), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            const Index first = i * kLeafRows;
            leaf(first, std::min(kLeafRows, rows - first), part + i * cols);
        }
    });
    fold_tree(leaves, cols, part);
    const auto& elementwise = table<T>().elementwise;
    if (accumulate) {
        elementwise.axpy(cols, alpha, part, y);
    } else {
        elementwise.scale(cols, alpha, part, y);
    }
}

}  // namespace soma::kernels
