#pragma once
// A job: the part of a product that one thread computes, and the functions that compute it.

#include <algorithm>

#include "kernels/gemm_plan.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/gemm.h"

namespace soma::kernels {

// Is the epilogue no more than what the micro-kernel applies to its registers?
template <class T>
bool fits_kernel(const Epilogue<T>& e) {
    return e.row_bias == nullptr && e.residual == nullptr && e.pre == nullptr &&
           (e.act == Activation::none || e.act == Activation::relu);
}

// A product whose C is a cell of a larger one.
template <class T>
struct GemmJob : Gemm<T> {
    Index first_row = 0;  // of the cell in the whole C: the phase of a periodic residual

    Index a_row() const { return this->op_a == Op::N ? this->lda : 1; }
    Index a_k() const { return this->op_a == Op::N ? 1 : this->lda; }
    Index b_column() const { return this->op_b == Op::N ? 1 : this->ldb; }
    Index b_k() const { return this->op_b == Op::N ? this->ldb : 1; }
    const T* a_at(Index row, Index p) const { return this->a + row * a_row() + p * a_k(); }
    const T* b_at(Index p, Index col) const { return this->b + p * b_k() + col * b_column(); }
    T* c_at(Index row, Index col) const { return this->c + row * this->ldc + col; }

    bool fits_kernel() const { return kernels::fits_kernel(this->epilogue); }
};

// Rows [i, i + m) and columns [j, j + n) of a job.
template <class T>
GemmJob<T> cell_of(const GemmJob<T>& g, Index i, Index m, Index j, Index n);

// The kernel's view of a job whose A and B are read in place.
template <class T>
GemmBlock<T> block_of(const GemmJob<T>& g) {
    return {.m = g.m,
            .n = g.n,
            .k = g.k,
            .alpha = g.alpha,
            .a = g.a,
            .a_row = g.a_row(),
            .a_k = g.a_k(),
            .b = g.b,
            .ldb = g.ldb,
            .beta = g.beta,
            .c = g.c,
            .ldc = g.ldc,
            .bias = g.epilogue.bias,
            .relu = g.fits_kernel() && g.epilogue.act == Activation::relu};
}

// What the kernel has left of the epilogue, on rows [i, i + m) that were just written. with_bias:
// the bias is still to be added, too.
template <class T>
void finish_rows(const GemmJob<T>& g, Index i, Index m, bool with_bias);

// Calls f(first k, length) for the blocks of k, kc each; once with length 0 when k is 0.
template <class F>
void for_each_k_block(Index k, Index kc, F&& f) {
    Index first = 0;
    do {
        f(first, std::min(kc, k - first));
        first += kc;
    } while (first < k);
}

// Row stride of a copy of A with kc values of k: not a power of two, and room for whole vectors.
template <class T>
Index a_copy_ld(Index kc) {
    return round_up(kc, table<T>().width) + 64 / static_cast<Index>(sizeof(T));
}

// The paths (gemm_plan.h), each on one thread.
template <class T>
void run_direct(const GemmJob<T>& g, const GemmPlan& plan);
template <class T>
void run_strips(const GemmJob<T>& g, const GemmPlan& plan);
// `constant`: panels of all of B as PackedB holds them, or nullptr.
template <class T>
void run_packed(const GemmJob<T>& g, const GemmPlan& plan, const T* constant);
template <class T>
void run_stream(const GemmJob<T>& g);
template <class T>
void run_dots(const GemmJob<T>& g);
template <class T>
void run_narrow(const GemmJob<T>& g, const GemmPlan& plan);
template <class T>
void run_tree(const GemmJob<T>& g, const GemmPlan& plan);

}  // namespace soma::kernels
