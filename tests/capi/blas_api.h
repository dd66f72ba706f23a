#pragma once
// The routines of libsoma_blas.so as a program declares them, and one name for both precisions.

extern "C" {
extern int CBLAS_CallFromC, RowMajorStrg;

#define SOMA_DECLARE_BLAS(T, p)                                                                   \
    void p##gemm_(const char*, const char*, const int*, const int*, const int*, const T*,         \
                  const T*, const int*, const T*, const int*, const T*, T*, const int*);          \
    void p##gemm_batch_strided_(const char*, const char*, const int*, const int*, const int*,     \
                                const T*, const T*, const int*, const int*, const T*, const int*, \
                                const int*, const T*, T*, const int*, const int*, const int*);    \
    void p##gemv_(const char*, const int*, const int*, const T*, const T*, const int*, const T*,  \
                  const int*, const T*, T*, const int*);                                          \
    void cblas_##p##gemm(int, int, int, int, int, int, T, const T*, int, const T*, int, T, T*,    \
                         int);                                                                    \
    void cblas_##p##gemm_batch_strided(int, int, int, int, int, int, T, const T*, int, int,       \
                                       const T*, int, int, T, T*, int, int, int);                 \
    void cblas_##p##gemv(int, int, int, int, T, const T*, int, const T*, int, T, T*, int);
SOMA_DECLARE_BLAS(float, s)
SOMA_DECLARE_BLAS(double, d)
#undef SOMA_DECLARE_BLAS
}

namespace soma::test {

inline constexpr int kRow = 101, kColumn = 102, kNoTrans = 111, kTrans = 112, kConjTrans = 113;

template <class T>
struct Blas;
template <>
struct Blas<float> {
    static constexpr auto gemm = &sgemm_;
    static constexpr auto gemv = &sgemv_;
    static constexpr auto gemm_batch = &sgemm_batch_strided_;
    static constexpr auto cblas_gemm = &cblas_sgemm;
    static constexpr auto cblas_gemv = &cblas_sgemv;
    static constexpr auto cblas_gemm_batch = &cblas_sgemm_batch_strided;
};
template <>
struct Blas<double> {
    static constexpr auto gemm = &dgemm_;
    static constexpr auto gemv = &dgemv_;
    static constexpr auto gemm_batch = &dgemm_batch_strided_;
    static constexpr auto cblas_gemm = &cblas_dgemm;
    static constexpr auto cblas_gemv = &cblas_dgemv;
    static constexpr auto cblas_gemm_batch = &cblas_dgemm_batch_strided;
};

}  // namespace soma::test
