// sgemv, dgemv: y = alpha op(A) x + beta y, as a product with one row:
//
//     y^T [1, .] = alpha x^T op(A)^T + beta y^T,   A [m, n] column-major, lda
//
// so its bits are those of soma::kernels::gemm. A vector with an increment other than 1 is gathered
// to scratch; element i of a vector with a negative increment is x[(1 - length + i) incx].
//
// netlib returns at once when m or n is 0: unlike gemm with k = 0 it does not scale y then.
//
// Source of the contract: Reference-LAPACK, BLAS/SRC/sgemv.f and CBLAS/src/cblas_sgemv.c.

#include <algorithm>
#include <utility>

#include "capi/blas_call.h"
#include "soma/core/arena.h"

namespace soma::capi {
namespace {

using kernels::Op;

template <class T>
struct ColumnGemv {
    int m, n;
    T alpha;
    const T* a;
    int lda;
    const T* x;
    int incx;
    T beta;
    T* y;
    int incy;
    Op op = Op::N;

    Index length_x() const { return op == Op::N ? n : m; }
    Index length_y() const { return op == Op::N ? m : n; }
};

// Elements of a vector as BLAS stores it.
template <class T>
class Strided {
public:
    Strided(T* first, Index length, Index increment)
        : first_(increment < 0 ? first - (length - 1) * increment : first),
          length_(length),
          increment_(increment) {}
    bool contiguous() const { return increment_ == 1; }
    T* data() const { return first_; }
    T& operator[](Index i) const { return first_[i * increment_]; }
    template <class U>
    void gather(U* to) const {
        for (Index i = 0; i < length_; ++i) to[i] = (*this)[i];
    }
    void scatter(const T* from) const {
        for (Index i = 0; i < length_; ++i) (*this)[i] = from[i];
    }

private:
    T* first_;
    Index length_, increment_;
};

template <class T>
int illegal_size(const ColumnGemv<T>& g) {
    if (g.m < 0) return 2;
    if (g.n < 0) return 3;
    if (g.lda < std::max(1, g.m)) return 6;
    if (g.incx == 0) return 8;
    if (g.incy == 0) return 11;
    return 0;
}

template <class T>
void multiply(const ColumnGemv<T>& g) {
    ScratchScope scratch;
    const Index k = g.length_x(), n = g.length_y();
    const bool reads_x = g.alpha != 0;
    const Strided<const T> x(g.x, k, reads_x ? g.incx : 1);
    const Strided<T> y(g.y, n, g.incy);
    T* row_x = x.contiguous() ? nullptr : scratch.array<T>(k);
    T* row_y = y.contiguous() ? y.data() : scratch.array<T>(n);
    if (!x.contiguous()) x.gather(row_x);
    if (!y.contiguous() && g.beta != 0) y.gather(row_y);
    kernels::gemm<T>({.op_b = g.op,
                      .m = 1,
                      .n = n,
                      .k = k,
                      .alpha = g.alpha,
                      .a = x.contiguous() ? x.data() : row_x,
                      .lda = k,
                      .b = g.a,
                      .ldb = g.lda,
                      .beta = g.beta,
                      .c = row_y,
                      .ldc = n});
    if (!y.contiguous()) y.scatter(row_y);
}

template <class T>
void run(const char* name, const ColumnGemv<T>& g) {
    if (g.m == 0 || g.n == 0 || (g.alpha == 0 && g.beta == 1)) return;
    guarded(name, [&] { multiply(g); });
}

template <class T>
void gemv(const char* name, const char* trans, ColumnGemv<T> g) {
    const auto op = op_of(trans);
    if (!op) return report(name, 1);
    g.op = *op;
    if (const int position = illegal_size(g)) return report(name, position);
    run(name, g);
}

template <class T>
void gemv(const char* name, int layout, int trans, ColumnGemv<T> g) {
    const auto op = op_of(trans);
    if (!is_layout(layout)) {
        return report_cblas_flag(name, layout, 1, "Illegal layout setting, %d\n", layout);
    }
    if (!op) return report_cblas_flag(name, layout, 2, "Illegal TransA setting, %d\n", trans);
    g.op = *op;
    if (layout == kRowMajor) {
        std::swap(g.m, g.n);
        g.op = g.op == Op::N ? Op::T : Op::N;
    }
    if (const int position = illegal_size(g)) return report_cblas(name, layout, position);
    run(name, g);
}

}  // namespace
}  // namespace soma::capi

extern "C" {

void sgemv_(const char* trans, const int* m, const int* n, const float* alpha, const float* a,
            const int* lda, const float* x, const int* incx, const float* beta, float* y,
            const int* incy) {
    soma::capi::gemv<float>("SGEMV ", trans, {*m, *n, *alpha, a, *lda, x, *incx, *beta, y, *incy});
}

void dgemv_(const char* trans, const int* m, const int* n, const double* alpha, const double* a,
            const int* lda, const double* x, const int* incx, const double* beta, double* y,
            const int* incy) {
    soma::capi::gemv<double>("DGEMV ", trans, {*m, *n, *alpha, a, *lda, x, *incx, *beta, y, *incy});
}

void cblas_sgemv(int layout, int trans, int m, int n, float alpha, const float* a, int lda,
                 const float* x, int incx, float beta, float* y, int incy) {
    soma::capi::gemv<float>("SGEMV ", layout, trans, {m, n, alpha, a, lda, x, incx, beta, y, incy});
}

void cblas_dgemv(int layout, int trans, int m, int n, double alpha, const double* a, int lda,
                 const double* x, int incx, double beta, double* y, int incy) {
    soma::capi::gemv<double>("DGEMV ", layout, trans,
                             {m, n, alpha, a, lda, x, incx, beta, y, incy});
}

}  // extern "C"
