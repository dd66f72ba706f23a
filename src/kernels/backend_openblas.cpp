// GEMM by OpenBLAS: the only file that includes cblas.h. soma splits C over its own threads and
// calls this per cell, so the library is told to use one thread.

#include <cblas.h>

#include <algorithm>
#include <limits>

#include "kernels/backend_openblas.h"
#include "soma/core/error.h"
#include "soma/kernels/gemm.h"

namespace soma::kernels {
namespace {

blasint narrow(Index n) {
    SOMA_CHECK(n <= std::numeric_limits<blasint>::max(), "gemm: ", n,
               " does not fit the integers of OpenBLAS; use SOMA_GEMM=native");
    return static_cast<blasint>(n);
}

// A stored leading dimension; BLAS wants at least 1 and at least the row length even when it reads
// nothing.
blasint leading(Index ld, Index row) { return narrow(std::max<Index>({ld, row, 1})); }

CBLAS_TRANSPOSE flag(Op op) { return op == Op::N ? CblasNoTrans : CblasTrans; }

template <class T, class F>
void call(F&& cblas_gemm, const Gemm<T>& g) {
    cblas_gemm(CblasRowMajor, flag(g.op_a), flag(g.op_b), narrow(g.m), narrow(g.n), narrow(g.k),
               g.alpha, g.a, leading(g.lda, g.op_a == Op::N ? g.k : g.m), g.b,
               leading(g.ldb, g.op_b == Op::N ? g.n : g.k), g.beta, g.c, leading(g.ldc, g.n));
}

void sgemm(const Gemm<float>& g) { call(cblas_sgemm, g); }
void dgemm(const Gemm<double>& g) { call(cblas_dgemm, g); }

constexpr GemmBackend kOpenblas{"openblas", &sgemm, &dgemm};

}  // namespace

// Error(internal) when the library keeps its own threads: two pools would fight for the cores.
const GemmBackend* openblas_backend() {
    static const bool single = [] {
        openblas_set_num_threads(1);
        return openblas_get_num_threads() == 1;
    }();
    if (!single) fail(ErrorCode::internal, "openblas: cannot be set to one thread");
    return &kOpenblas;
}

}  // namespace soma::kernels
