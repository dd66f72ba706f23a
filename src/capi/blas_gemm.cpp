// sgemm, dgemm: C = alpha op(A) op(B) + beta C with netlib's semantics and the bits of
// soma::kernels::gemm.
//
// Source of the contract: Reference-LAPACK, BLAS/SRC/sgemm.f and CBLAS/src/cblas_sgemm.c.

#include "capi/blas_gemm.h"

namespace soma::capi {
namespace {

constexpr LeadingPositions kLeading{8, 10, 13};

template <class T>
void run(const char* name, const ColumnGemm<T>& g) {
    if (!g.returns_quickly()) guarded(name, [&] { kernels::gemm(g.product()); });
}

template <class T>
void gemm(const char* name, const char* trans_a, const char* trans_b, ColumnGemm<T> g) {
    if (!accept_flags(name, trans_a, trans_b, g)) return;
    if (const int position = illegal_size(g, kLeading)) return report(name, position);
    run(name, g);
}

template <class T>
void gemm(const char* name, int layout, int trans_a, int trans_b, ColumnGemm<T> g) {
    if (!accept_flags(name, layout, trans_a, trans_b, g)) return;
    if (const int position = illegal_size(g, kLeading)) {
        return report_cblas(name, layout, position);
    }
    run(name, g);
}

}  // namespace
}  // namespace soma::capi

extern "C" {

void sgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
            const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
            const float* beta, float* c, const int* ldc) {
    soma::capi::gemm<float>("SGEMM ", transa, transb,
                            {*m, *n, *k, *alpha, a, *lda, b, *ldb, *beta, c, *ldc});
}

void dgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc) {
    soma::capi::gemm<double>("DGEMM ", transa, transb,
                             {*m, *n, *k, *alpha, a, *lda, b, *ldb, *beta, c, *ldc});
}

void cblas_sgemm(int layout, int transa, int transb, int m, int n, int k, float alpha,
                 const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc) {
    soma::capi::gemm<float>("SGEMM ", layout, transa, transb,
                            {m, n, k, alpha, a, lda, b, ldb, beta, c, ldc});
}

void cblas_dgemm(int layout, int transa, int transb, int m, int n, int k, double alpha,
                 const double* a, int lda, const double* b, int ldb, double beta, double* c,
                 int ldc) {
    soma::capi::gemm<double>("DGEMM ", layout, transa, transb,
                             {m, n, k, alpha, a, lda, b, ldb, beta, c, ldc});
}

}  // extern "C"
