// Rung 0: the definition, as three loops.
//
//     C[i, j] = sum over k of A[i, k] B[k, j]
//
//           k ->            j                 j
//        +--------+      +--|--+           +-----+
//      i |========|    k |  |  |    =    i |  o  |      one dot product at a time:
//        +--------+      |  v  |           +-----+      a row of A against a column of B
//                        +--|--+
//
// Count, for one k: 2 loads, 1 multiplication, 1 addition, one sum. An addition has to wait for the
// one before it: 4 cycles, in which the core could have done 2 x 4 FMAs of 16 floats = 128
// multiply-adds. We do 1.
// Prediction: 1 / 128 = 0.8 % of an AVX-512 core, when every load hits L1.
// Limit: the chain of additions; and for large N the walk down a column of B, where every load
// touches another cache line and another page. The compiler may not split the sum into 16 partial
// sums, because that would change the rounding.

#include "isa.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    for (Index i = 0; i < M; ++i) {
        for (Index j = 0; j < N; ++j) {
            float sum = 0;
            for (Index k = 0; k < K; ++k) sum += A[i * K + k] * B[k * N + j];
            C[i * N + j] = sum;
        }
    }
}

}  // namespace

Rung gemm_00() {
    return {.file = "gemm/00_naive",
            .idea = "three loops, i j k",
            .turn = {.lanes = 1, .fmas = 1, .arithmetic = 2, .loads = 2, .stores = 0, .chains = 1},
            .by_rows = true,
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
