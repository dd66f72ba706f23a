#pragma once
// A product as BLAS names its arguments, and its way to soma::kernels; shared by gemm and the
// batched form.

#include <algorithm>
#include <utility>

#include "capi/blas_call.h"

namespace soma::capi {

// C [m, n] = alpha op(A) op(B) + beta C, all column-major.
template <class T>
struct ColumnGemm {
    int m, n, k;
    T alpha;
    const T* a;
    int lda;
    const T* b;
    int ldb;
    T beta;
    T* c;
    int ldc;
    kernels::Op op_a = kernels::Op::N, op_b = kernels::Op::N;

    int rows_a() const { return op_a == kernels::Op::N ? m : k; }
    int rows_b() const { return op_b == kernels::Op::N ? k : n; }

    // The column-major product of the transposes: what a row-major call is.
    void swap_operands() {
        std::swap(m, n);
        std::swap(a, b);
        std::swap(lda, ldb);
        std::swap(op_a, op_b);
    }

    // C would not change: it is not even read. k == 0 scales C by beta, and alpha counts no more.
    bool returns_quickly() const {
        return m == 0 || n == 0 || ((alpha == 0 || k == 0) && beta == 1);
    }
    kernels::Gemm<T> product() const {
        return {.op_a = op_b,
                .op_b = op_a,
                .m = n,
                .n = m,
                .k = k,
                .alpha = k == 0 ? T{0} : alpha,
                .a = b,
                .lda = ldb,
                .b = a,
                .ldb = lda,
                .beta = beta,
                .c = c,
                .ldc = ldc};
    }
};

// Where a routine has its leading dimensions.
struct LeadingPositions {
    int a, b, c;
};

// Position of the first illegal size, 0: none.
template <class T>
int illegal_size(const ColumnGemm<T>& g, const LeadingPositions& at) {
    if (g.m < 0) return 3;
    if (g.n < 0) return 4;
    if (g.k < 0) return 5;
    if (g.lda < std::max(1, g.rows_a())) return at.a;
    if (g.ldb < std::max(1, g.rows_b())) return at.b;
    if (g.ldc < std::max(1, g.m)) return at.c;
    return 0;
}

// The flags of a Fortran call; false: reported.
template <class T>
bool accept_flags(const char* name, const char* trans_a, const char* trans_b, ColumnGemm<T>& g) {
    const auto op_a = op_of(trans_a), op_b = op_of(trans_b);
    if (!op_a || !op_b) {
        report(name, op_a ? 2 : 1);
        return false;
    }
    g.op_a = *op_a;
    g.op_b = *op_b;
    return true;
}

// The flags of a CBLAS call, which becomes the column-major one; false: reported.
template <class T>
bool accept_flags(const char* name, int layout, int trans_a, int trans_b, ColumnGemm<T>& g) {
    const auto op_a = op_of(trans_a), op_b = op_of(trans_b);
    if (!is_layout(layout)) {
        report_cblas_flag(name, layout, 1, "Illegal layout setting, %d\n", layout);
        return false;
    }
    if (!op_a) {
        report_cblas_flag(name, layout, 2, "Illegal TransA setting, %d\n", trans_a);
        return false;
    }
    if (!op_b) {
        report_cblas_flag(name, layout, 3, "Illegal TransB setting, %d\n", trans_b);
        return false;
    }
    g.op_a = *op_a;
    g.op_b = *op_b;
    if (layout == kRowMajor) g.swap_operands();
    return true;
}

}  // namespace soma::capi
