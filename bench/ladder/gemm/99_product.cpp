// The top: the product that soma ships, soma::kernels::gemm.
//
// It is built of the rungs and of what a library needs besides (src/kernels/README.md):
//     more tiles     8 x 3, 12 x 2, 5 x 5 and tiles for M = 1 .. 4, chosen by shape      (rungs
//     5-7) paths          tiny, in place, packed, few rows, few columns: a pure function (rungs
//     7-9) A transposed   copied by blocks when its rows are far apart                        (rung
//     10) B transposed   transposed in registers while it is packed epilogues      bias, residual,
//     all activations                                     (rung 11) threads        only when the
//     work is worth a fork                                  (rung 12) order          rung 13's, bit
//     for bit; a test compares them
// The count is that of the tile it chooses; this file keeps the lesson and the product together:
// when the product changes, the last row of the table moves.

#include "bench/ladder/product.h"
#include "soma/kernels/gemm.h"

namespace soma::ladder {
namespace {

void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    kernels::gemm<float>(
        {.m = M, .n = N, .k = K, .a = A, .lda = K, .b = B, .ldb = N, .c = C, .ldc = N});
}

}  // namespace

Rung gemm_product() {
    return {
        .file = "gemm/99_product", .idea = "soma::kernels::gemm", .threads = true, .gemm = gemm};
}

}  // namespace soma::ladder
