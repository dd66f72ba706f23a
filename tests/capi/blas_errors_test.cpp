// Argument errors of libsoma_blas.so: netlib's positions and order, reported to the handlers of the
// program, which take the place of the library's own.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdarg>
#include <cstdio>
#include <string>
#include <vector>

#include "capi/blas_api.h"
#include "soma/core/error.h"

namespace {

// What the handlers were told, in order.
std::vector<std::string> reports;
bool pass_on = false;  // xerbla_ calls the library's own afterwards

}  // namespace

extern "C" {

void xerbla_(const char* name, const int* position, std::size_t length) {
    const char* caller = CBLAS_CallFromC == 0 ? "" : RowMajorStrg != 0 ? " row" : " column";
    reports.push_back(soma::concat("'", std::string(name, length), "' ", *position, caller));
    if (!pass_on) return;
    using Handler = void (*)(const char*, const int*, std::size_t);
    reinterpret_cast<Handler>(dlsym(RTLD_NEXT, "xerbla_"))(name, position, length);
}

void cblas_xerbla(int position, const char* routine, const char* form, ...) {
    char text[100];
    std::va_list values;
    va_start(values, form);
    std::vsnprintf(text, sizeof text, form, values);
    va_end(values);
    const char* layout = RowMajorStrg != 0 ? " row" : " column";
    reports.push_back(soma::concat(routine, " ", position, layout, text[0] != 0 ? ": " : "", text));
}

}  // extern "C"

namespace soma::test {
namespace {

class BlasErrors : public ::testing::Test {
protected:
    void SetUp() override {
        reports.clear();
        pass_on = false;
    }
    void TearDown() override {
        EXPECT_EQ(CBLAS_CallFromC, 0);
        EXPECT_EQ(RowMajorStrg, 0);
        for (const float x : c) EXPECT_EQ(x, 7) << "a wrong call must not touch C";
    }
    // What was reported since the last time.
    static std::string said() {
        std::string all;
        for (const std::string& report : reports) all += (all.empty() ? "" : "; ") + report;
        reports.clear();
        return all;
    }

    struct Sizes {
        int m = 3, n = 2, k = 4, lda = 3, ldb = 4, ldc = 3;
        int stride_a = 0, stride_b = 0, stride_c = 8, batch = 2;
    };
    std::string gemm(const Sizes& s, const char* ta = "N", const char* tb = "N") {
        sgemm_(ta, tb, &s.m, &s.n, &s.k, &one, a.data(), &s.lda, a.data(), &s.ldb, &one, c.data(),
               &s.ldc);
        return said();
    }
    std::string cblas(int layout, const Sizes& s, int ta = kNoTrans, int tb = kNoTrans) {
        cblas_sgemm(layout, ta, tb, s.m, s.n, s.k, 1, a.data(), s.lda, a.data(), s.ldb, 1, c.data(),
                    s.ldc);
        return said();
    }
    std::string batch(const Sizes& s, const char* ta = "N", const char* tb = "N") {
        sgemm_batch_strided_(ta, tb, &s.m, &s.n, &s.k, &one, a.data(), &s.lda, &s.stride_a,
                             a.data(), &s.ldb, &s.stride_b, &one, c.data(), &s.ldc, &s.stride_c,
                             &s.batch);
        return said();
    }
    std::string cblas_batch(int layout, const Sizes& s, int ta = kNoTrans, int tb = kNoTrans) {
        cblas_sgemm_batch_strided(layout, ta, tb, s.m, s.n, s.k, 1, a.data(), s.lda, s.stride_a,
                                  a.data(), s.ldb, s.stride_b, 1, c.data(), s.ldc, s.stride_c,
                                  s.batch);
        return said();
    }

    struct VectorSizes {
        int m = 3, n = 2, lda = 3, incx = 1, incy = 1;
    };
    std::string gemv(const VectorSizes& s, const char* trans = "N") {
        sgemv_(trans, &s.m, &s.n, &one, a.data(), &s.lda, a.data(), &s.incx, &one, c.data(),
               &s.incy);
        return said();
    }
    std::string cblas_mv(int layout, const VectorSizes& s, int trans = kNoTrans) {
        cblas_sgemv(layout, trans, s.m, s.n, 1, a.data(), s.lda, a.data(), s.incx, 1, c.data(),
                    s.incy);
        return said();
    }

    const float one = 1;
    std::vector<float> a = std::vector<float>(64, 1), c = std::vector<float>(64, 7);
};

TEST_F(BlasErrors, FortranGemmNamesThePosition) {
    EXPECT_EQ(gemm({}, "X"), "'SGEMM ' 1");
    EXPECT_EQ(gemm({}, "N", "X"), "'SGEMM ' 2");
    EXPECT_EQ(gemm({.m = -1}), "'SGEMM ' 3");
    EXPECT_EQ(gemm({.n = -1}), "'SGEMM ' 4");
    EXPECT_EQ(gemm({.k = -1}), "'SGEMM ' 5");
    EXPECT_EQ(gemm({.lda = 2}), "'SGEMM ' 8");
    EXPECT_EQ(gemm({.lda = 3}, "T"), "'SGEMM ' 8");
    EXPECT_EQ(gemm({.ldb = 3}), "'SGEMM ' 10");
    EXPECT_EQ(gemm({.ldb = 1}, "N", "C"), "'SGEMM ' 10");
    EXPECT_EQ(gemm({.ldc = 2}), "'SGEMM ' 13");
}

TEST_F(BlasErrors, OnlyTheFirstErrorIsReported) {
    EXPECT_EQ(gemm({.m = -1, .lda = 0}, "X", "X"), "'SGEMM ' 1");
    EXPECT_EQ(gemm({.m = -1, .n = -1, .ldc = 0}), "'SGEMM ' 3");
    EXPECT_EQ(gemm({.lda = 0, .ldb = 0, .ldc = 0}), "'SGEMM ' 8");
    EXPECT_EQ(gemm({.ldb = 0, .ldc = 0}), "'SGEMM ' 10");
    EXPECT_EQ(gemv({.m = -1, .n = -1, .lda = 0, .incx = 0, .incy = 0}), "'SGEMV ' 2");
    EXPECT_EQ(gemv({.incx = 0, .incy = 0}), "'SGEMV ' 8");
    EXPECT_EQ(batch({.lda = 0, .stride_a = -1}), "'SGEMM_BATCH_STRIDED' 8");
    EXPECT_EQ(batch({.ldb = 0, .stride_a = -1}), "'SGEMM_BATCH_STRIDED' 9");
}

TEST_F(BlasErrors, ZeroSizesStillNeedALeadingDimensionOfOne) {
    EXPECT_EQ(gemm({.m = 0, .lda = 0, .ldc = 1}), "'SGEMM ' 8");
    EXPECT_EQ(gemm({.k = 0, .ldb = 0}), "'SGEMM ' 10");
    EXPECT_EQ(gemm({.m = 0, .ldc = 0}), "'SGEMM ' 13");
    EXPECT_EQ(gemm({.m = 0, .n = 0, .k = 0, .lda = 1, .ldb = 1, .ldc = 1}), "");
    EXPECT_EQ(gemv({.m = 0, .lda = 0}), "'SGEMV ' 6");
}

TEST_F(BlasErrors, DoublePrecisionHasItsOwnName) {
    const int m = -1, n = 1;
    const double x = 1;
    double y = 7;
    dgemm_("N", "N", &m, &n, &n, &x, &x, &n, &x, &n, &x, &y, &n);
    EXPECT_EQ(said(), "'DGEMM ' 3");
    dgemv_("N", &m, &n, &x, &x, &n, &x, &n, &x, &y, &n);
    EXPECT_EQ(said(), "'DGEMV ' 2");
    cblas_dgemm(kRow, 9, kNoTrans, 1, 1, 1, 1, &x, 1, &x, 1, 1, &y, 1);
    EXPECT_EQ(said(), "cblas_dgemm 2 row: Illegal TransA setting, 9\n");
    EXPECT_EQ(y, 7);
}

TEST_F(BlasErrors, CblasFlagsAreReportedInTheOrderOfTheCall) {
    EXPECT_EQ(cblas(99, {.m = -1}, 9, 9), "cblas_sgemm 1 column: Illegal layout setting, 99\n");
    for (const int layout : {kRow, kColumn}) {
        const std::string name = layout == kRow ? " row: " : " column: ";
        EXPECT_EQ(cblas(layout, {.m = -1}, 9, 8),
                  "cblas_sgemm 2" + name + "Illegal TransA setting, 9\n");
        EXPECT_EQ(cblas(layout, {.m = -1}, kTrans, 8),
                  "cblas_sgemm 3" + name + "Illegal TransB setting, 8\n");
        EXPECT_EQ(cblas_mv(layout, {.m = -1}, 9),
                  "cblas_sgemv 2" + name + "Illegal TransA setting, 9\n");
    }
    EXPECT_EQ(cblas_mv(99, {}), "cblas_sgemv 1 column: Illegal layout setting, 99\n");
}

// Positions of the column-major call that is made; a row-major one has A and B, M and N swapped.
TEST_F(BlasErrors, CblasSizesReachTheFortranHandler) {
    EXPECT_EQ(cblas(kColumn, {.m = -1}), "'SGEMM ' 3 column");
    EXPECT_EQ(cblas(kColumn, {.n = -1}), "'SGEMM ' 4 column");
    EXPECT_EQ(cblas(kColumn, {.k = -1}), "'SGEMM ' 5 column");
    EXPECT_EQ(cblas(kColumn, {.lda = 2}), "'SGEMM ' 8 column");
    EXPECT_EQ(cblas(kColumn, {.ldb = 3}), "'SGEMM ' 10 column");
    EXPECT_EQ(cblas(kColumn, {.ldc = 2}), "'SGEMM ' 13 column");
    const int lda = 4, ldb = 2, ldc = 2;  // the least that [3, 4] [4, 2] needs
    EXPECT_EQ(cblas(kRow, {.lda = lda, .ldb = ldb, .ldc = ldc, .batch = 0}, kNoTrans, 9),
              "cblas_sgemm 3 row: Illegal TransB setting, 9\n");
    EXPECT_EQ(cblas(kRow, {.m = -1, .lda = lda, .ldb = ldb, .ldc = ldc}), "'SGEMM ' 4 row");
    EXPECT_EQ(cblas(kRow, {.n = -1, .lda = lda, .ldb = ldb, .ldc = ldc}), "'SGEMM ' 3 row");
    EXPECT_EQ(cblas(kRow, {.k = -1, .lda = lda, .ldb = ldb, .ldc = ldc}), "'SGEMM ' 5 row");
    EXPECT_EQ(cblas(kRow, {.lda = 3, .ldb = ldb, .ldc = ldc}), "'SGEMM ' 10 row");
    EXPECT_EQ(cblas(kRow, {.lda = lda, .ldb = 1, .ldc = ldc}), "'SGEMM ' 8 row");
    EXPECT_EQ(cblas(kRow, {.lda = lda, .ldb = ldb, .ldc = 1}), "'SGEMM ' 13 row");
}

TEST_F(BlasErrors, TheFortranHandlerOfTheLibraryPassesCblasCallsOn) {
    pass_on = true;
    EXPECT_EQ(cblas(kColumn, {.lda = 2}), "'SGEMM ' 8 column; cblas_sgemm 9 column");
    EXPECT_EQ(cblas(kRow, {.lda = 3, .ldb = 2, .ldc = 2}), "'SGEMM ' 10 row; cblas_sgemm 11 row");
    EXPECT_EQ(cblas_mv(kRow, {.lda = 1}), "'SGEMV ' 6 row; cblas_sgemv 7 row");
    EXPECT_EQ(cblas_batch(kColumn, {.batch = -1}),
              "'SGEMM_BATCH_STRIDED' 17 column; cblas_sgemm_batch_strided 18 column");
}

TEST_F(BlasErrors, GemvNamesThePosition) {
    EXPECT_EQ(gemv({}, "X"), "'SGEMV ' 1");
    EXPECT_EQ(gemv({.m = -1}), "'SGEMV ' 2");
    EXPECT_EQ(gemv({.n = -1}), "'SGEMV ' 3");
    EXPECT_EQ(gemv({.lda = 2}), "'SGEMV ' 6");
    EXPECT_EQ(gemv({.lda = 2}, "T"), "'SGEMV ' 6");
    EXPECT_EQ(gemv({.incx = 0}), "'SGEMV ' 8");
    EXPECT_EQ(gemv({.incy = 0}), "'SGEMV ' 11");
    EXPECT_EQ(cblas_mv(kColumn, {.n = -1}), "'SGEMV ' 3 column");
    EXPECT_EQ(cblas_mv(kRow, {.n = -1}), "'SGEMV ' 2 row");
    EXPECT_EQ(cblas_mv(kRow, {.lda = 1}), "'SGEMV ' 6 row");
    EXPECT_EQ(cblas_mv(kRow, {.incy = 0}), "'SGEMV ' 11 row");
}

TEST_F(BlasErrors, BatchNamesThePosition) {
    const std::string name = "'SGEMM_BATCH_STRIDED' ";
    EXPECT_EQ(batch({}, "X"), name + "1");
    EXPECT_EQ(batch({}, "N", "X"), name + "2");
    EXPECT_EQ(batch({.m = -1}), name + "3");
    EXPECT_EQ(batch({.n = -1}), name + "4");
    EXPECT_EQ(batch({.k = -1}), name + "5");
    EXPECT_EQ(batch({.lda = 2}), name + "8");
    EXPECT_EQ(batch({.stride_a = -1}), name + "9");
    EXPECT_EQ(batch({.ldb = 3}), name + "11");
    EXPECT_EQ(batch({.stride_b = -1}), name + "12");
    EXPECT_EQ(batch({.ldc = 2}), name + "15");
    EXPECT_EQ(batch({.stride_c = -1}), name + "16");
    EXPECT_EQ(batch({.batch = -1}), name + "17");
    // Row-major: A and B with their strides have changed places.
    EXPECT_EQ(cblas_batch(kRow, {.lda = 4, .ldb = 2, .ldc = 2, .stride_a = -1}), name + "12 row");
    EXPECT_EQ(cblas_batch(kRow, {.lda = 4, .ldb = 2, .ldc = 2, .stride_b = -1}), name + "9 row");
    EXPECT_EQ(cblas_batch(99, {}),
              "cblas_sgemm_batch_strided 1 column: Illegal layout setting, 99\n");
}

}  // namespace
}  // namespace soma::test
