#pragma once
// copy_box: the one data-movement kernel behind permute, slice, concatenate, pad, roll, stack and
// broadcast; each of them is a box of indices with two sets of strides.
//
//     for every index i of the box:  y[sum_d i_d ys_d]  =  or +=  x[sum_d i_d xs_d]
//
// The driver drops dimensions of size 1, merges neighbours that are contiguous on both sides, and
// then has three inner loops: a run that is contiguous on both sides, a 16 x 16 tile when x is
// contiguous along another dimension than y (transposition: both sides use whole cache lines), and
// a plain strided run.
//
// Cost: 2 element sizes of traffic an element, 3 when adding. Every y element is written by one
// index, so the result is the same bits for any thread count.

#include "soma/core/types.h"

namespace soma::kernels {

// An index box; strides are in elements, x strides may be 0 (broadcast).
struct Box {
    static constexpr int kMaxRank = 8;

    struct Dim {
        Index size = 1, xs = 0, ys = 0;
    };
    int rank = 0;
    Dim dims[kMaxRank];

    void add(Index size, Index xs, Index ys) { dims[rank++] = {size, xs, ys}; }
};

enum class Store : bool { overwrite, add };

// x and y must not overlap; the y strides must give every index of the box its own element.
// T = float or double.
template <class T>
void copy_box(const Box& box, const T* x, T* y, Store store = Store::overwrite);

}  // namespace soma::kernels
