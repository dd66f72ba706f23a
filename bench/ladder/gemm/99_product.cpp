// The top: the product that soma ships, soma::kernels::gemm.
//
// It is built of the rungs, and of what a library needs besides (src/kernels/README.md):
//
//     rungs 5-7    more tiles: 8 x 3, 12 x 2, 5 x 5, and some for M = 1 .. 4, chosen by shape
//     rungs 7-9    paths: tiny, in place, packed, few rows, few columns; a pure function of shape
//     rung 8       small products pack a strip of B when the first tile reads it, not before
//     rung 10      A transposed is copied by blocks when its rows are far apart; B transposed is
//                  turned round in registers while it is packed
//     rung 11      biases, residuals, all activations
//     rung 12      threads only where the work is worth a fork
//     rung 13      this order, bit for bit: a test compares the two
//
// The count is that of the tile it chooses. This file ties the lesson to the product: when the
// product changes, the last row of the table moves.

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
