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

blasint narrow(Index n) { return static_cast<blasint>(n); }  // gemm() has checked `largest`

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

// Two pools of threads would fight for the cores.
void use_one_thread() {
    openblas_set_num_threads(1);
    const int threads = openblas_get_num_threads();
    if (threads != 1) {
        fail(ErrorCode::internal, "openblas: runs ", threads, " threads; need a library that can ",
             "be set to one");
    }
}

constexpr GemmBackend kOpenblas{"openblas", &sgemm, &dgemm, std::numeric_limits<blasint>::max(),
                                &use_one_thread};

}  // namespace

const GemmBackend* openblas_backend() { return &kOpenblas; }

}  // namespace soma::kernels
