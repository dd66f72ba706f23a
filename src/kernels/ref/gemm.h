#pragma once
// Reference GEMM: the definition as plain loops, accumulated in a wider type (double for f32, long
// double for f64). The specification that kernels are tested against, and the backend `reference`.
// Legend and formulas: soma/kernels/gemm.h.

#include <type_traits>

#include "soma/kernels/gemm.h"

namespace soma::kernels::ref {

template <class T>
using Wider = std::conditional_t<std::is_same_v<T, float>, double, long double>;

// op(A)[i, k] and op(B)[k, j].
template <class T>
T element_a(const Gemm<T>& g, Index i, Index k) {
    return g.op_a == Op::N ? g.a[i * g.lda + k] : g.a[k * g.lda + i];
}
template <class T>
T element_b(const Gemm<T>& g, Index k, Index j) {
    return g.op_b == Op::N ? g.b[k * g.ldb + j] : g.b[j * g.ldb + k];
}

// alpha op(A) op(B) + beta C at (i, j), before the epilogue.
template <class T>
Wider<T> product(const Gemm<T>& g, Index i, Index j) {
    Wider<T> sum = 0;
    if (g.alpha != 0) {
        for (Index k = 0; k < g.k; ++k) sum += Wider<T>{element_a(g, i, k)} * element_b(g, k, j);
        sum *= g.alpha;
    }
    if (g.beta != 0) sum += Wider<T>{g.beta} * g.c[i * g.ldc + j];
    return sum;
}

// C = alpha op(A) op(B) + beta C, each element rounded once.
template <class T>
void gemm(const Gemm<T>& g) {
    for (Index i = 0; i < g.m; ++i)
        for (Index j = 0; j < g.n; ++j) g.c[i * g.ldc + j] = static_cast<T>(product(g, i, j));
}

}  // namespace soma::kernels::ref
