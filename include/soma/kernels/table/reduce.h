#pragma once
// Kernel table, reductions: the vector parts of the orders defined in reduce.h, one thread.
//
// Entries are noexcept and allocation-free. Outputs do not overlap inputs.

#include "soma/core/types.h"

namespace soma::kernels {

template <class T>
struct ReduceTable {
    // y[r] (+)= alpha * LANES16 sum of row r.
    void (*row_sums)(Index rows, Index cols, const T* x, Index ldx, T alpha, T* y,
                     bool accumulate) noexcept;
    // y[r] (+)= LANES16 dot product of rows r.
    void (*row_dots)(Index rows, Index cols, const T* a, Index lda, const T* b, Index ldb, T* y,
                     bool accumulate) noexcept;
    // First maximum of each row; cols >= 1. value or index may be nullptr.
    void (*row_max)(Index rows, Index cols, const T* x, Index ldx, T* value,
                    std::int32_t* index) noexcept;
    // One leaf: y[c] = chain over ascending r of x[r, c], or of a[r, c] b[r, c] by FMA, from +0.
    void (*leaf_sums)(Index rows, Index cols, const T* x, Index ldx, T* y) noexcept;
    void (*leaf_dots)(Index rows, Index cols, const T* a, Index lda, const T* b, Index ldb,
                      T* y) noexcept;
    // First maximum of each column; rows >= 1. value or index may be nullptr.
    void (*column_max)(Index rows, Index cols, const T* x, Index ldx, T* value,
                       std::int32_t* index) noexcept;
    // part[i] = LANES16 sum in f64 of chunk i of x (1,024 elements, the last one shorter).
    void (*chunk_sums)(Index n, const T* x, double* part) noexcept;
    void (*chunk_dots)(Index n, const T* a, const T* b, double* part) noexcept;
};

}  // namespace soma::kernels
