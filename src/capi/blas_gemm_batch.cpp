// sgemm_batch_strided, dgemm_batch_strided: `batch` products whose operands lie equally far apart,
//
//     C_i = alpha op(A_i) op(B_i) + beta C_i,   X_i = x + i stridex
//
// with MKL's order of arguments. Errors are reported as gemm does, by position:
//
//     1 transa  2 transb  3 m  4 n  5 k  8 lda  9 stridea  11 ldb  12 strideb  15 ldc  16 stridec
//     17 batch
//
// A stride or a batch is illegal when it is negative. A and B may repeat (stride 0); items of C
// must not overlap, but may interleave: heads of an attention, stridec = n and ldc = heads n.

#include "capi/blas_gemm.h"

namespace soma::capi {
namespace {

constexpr LeadingPositions kLeading{8, 11, 15};

struct Strides {
    int a, b, c, batch;
};

template <class T>
int illegal(const ColumnGemm<T>& g, const Strides& s) {
    const int size = illegal_size(g, kLeading);
    const int stride = s.a < 0 ? 9 : s.b < 0 ? 12 : s.c < 0 ? 16 : s.batch < 0 ? 17 : 0;
    return size == 0 ? stride : stride == 0 ? size : std::min(size, stride);
}

template <class T>
void run(const char* name, const ColumnGemm<T>& g, const Strides& s) {
    if (g.returns_quickly() || s.batch == 0) return;
    guarded(name, [&] { kernels::gemm_batched(g.product(), s.batch, s.b, s.a, s.c); });
}

template <class T>
void batch(const char* name, const char* trans_a, const char* trans_b, ColumnGemm<T> g,
           const Strides& s) {
    if (!accept_flags(name, trans_a, trans_b, g)) return;
    if (const int position = illegal(g, s)) return report(name, position);
    run(name, g, s);
}

template <class T>
void batch(const char* name, int layout, int trans_a, int trans_b, ColumnGemm<T> g, Strides s) {
    if (!accept_flags(name, layout, trans_a, trans_b, g)) return;
    if (layout == kRowMajor) std::swap(s.a, s.b);
    if (const int position = illegal(g, s)) return report_cblas(name, layout, position);
    run(name, g, s);
}

constexpr const char* kSingle = "SGEMM_BATCH_STRIDED";
constexpr const char* kDouble = "DGEMM_BATCH_STRIDED";

}  // namespace
}  // namespace soma::capi

extern "C" {

void sgemm_batch_strided_(const char* transa, const char* transb, const int* m, const int* n,
                          const int* k, const float* alpha, const float* a, const int* lda,
                          const int* stridea, const float* b, const int* ldb, const int* strideb,
                          const float* beta, float* c, const int* ldc, const int* stridec,
                          const int* batch_size) {
    soma::capi::batch<float>(soma::capi::kSingle, transa, transb,
                             {*m, *n, *k, *alpha, a, *lda, b, *ldb, *beta, c, *ldc},
                             {*stridea, *strideb, *stridec, *batch_size});
}

void dgemm_batch_strided_(const char* transa, const char* transb, const int* m, const int* n,
                          const int* k, const double* alpha, const double* a, const int* lda,
                          const int* stridea, const double* b, const int* ldb, const int* strideb,
                          const double* beta, double* c, const int* ldc, const int* stridec,
                          const int* batch_size) {
    soma::capi::batch<double>(soma::capi::kDouble, transa, transb,
                              {*m, *n, *k, *alpha, a, *lda, b, *ldb, *beta, c, *ldc},
                              {*stridea, *strideb, *stridec, *batch_size});
}

void cblas_sgemm_batch_strided(int layout, int transa, int transb, int m, int n, int k, float alpha,
                               const float* a, int lda, int stridea, const float* b, int ldb,
                               int strideb, float beta, float* c, int ldc, int stridec,
                               int batch_size) {
    soma::capi::batch<float>(soma::capi::kSingle, layout, transa, transb,
                             {m, n, k, alpha, a, lda, b, ldb, beta, c, ldc},
                             {stridea, strideb, stridec, batch_size});
}

void cblas_dgemm_batch_strided(int layout, int transa, int transb, int m, int n, int k,
                               double alpha, const double* a, int lda, int stridea, const double* b,
                               int ldb, int strideb, double beta, double* c, int ldc, int stridec,
                               int batch_size) {
    soma::capi::batch<double>(soma::capi::kDouble, layout, transa, transb,
                              {m, n, k, alpha, a, lda, b, ldb, beta, c, ldc},
                              {stridea, strideb, stridec, batch_size});
}

}  // extern "C"
