// GEMM backends: a library's process-wide settings change when it is chosen and not before, and
// sizes beyond its integers are refused before C is touched.

#include "soma/kernels/backend.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "soma/core/error.h"
#include "soma/kernels/gemm.h"
#include "support/kernel_settings.h"

// Present where the library is built in.
extern "C" {
[[gnu::weak]] int openblas_get_num_threads(void);
[[gnu::weak]] void openblas_set_num_threads(int threads);
}

namespace soma::kernels {
namespace {

bool has_openblas() {
    return std::ranges::any_of(
        gemm_backends(), [](const GemmBackend* b) { return std::string(b->name) == "openblas"; });
}

TEST(Backend, ListingAndRunningNativeLeavesTheThreadsOfOpenBlasAlone) {
    if (openblas_set_num_threads == nullptr) GTEST_SKIP() << "built without OpenBLAS";
    openblas_set_num_threads(2);  // first: the settings list the backends
    const int threads = openblas_get_num_threads();
    const test::KernelSettings settings;

    use_gemm_backend("native");
    gemm_backends();

    EXPECT_EQ(openblas_get_num_threads(), threads);
}

TEST(Backend, ChoosingOpenBlasSetsItToOneThread) {
    if (!has_openblas()) GTEST_SKIP() << "built without OpenBLAS";
    const test::KernelSettings settings;
    openblas_set_num_threads(2);

    use_gemm_backend("openblas");

    EXPECT_EQ(openblas_get_num_threads(), 1);
}

TEST(Backend, OpenBlasRefusesSizesBeyondItsIntegersBeforeItWrites) {
    if (!has_openblas()) GTEST_SKIP() << "built without OpenBLAS";
    const test::KernelSettings settings;
    use_gemm_backend("openblas");
    const float a = 2, b = 3;
    float c = 5;

    try {
        gemm<float>({.m = 1,
                     .n = 1,
                     .k = 1,
                     .a = &a,
                     .lda = Index{1} << 40,
                     .b = &b,
                     .ldb = 1,
                     .c = &c,
                     .ldc = 1});
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::usage);
        EXPECT_NE(std::string(e.what()).find("openblas"), std::string::npos) << e.what();
    }
    EXPECT_EQ(c, 5);
}

}  // namespace
}  // namespace soma::kernels
