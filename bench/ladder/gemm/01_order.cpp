// Rung 1: the same three loops in the order i k j.
//
//     for each i:  for each k:   C[i, :] += A[i, k] B[k, :]
//
//           k               j ->              j ->
//        +--|-----+      +-----+           +-----+
//      i |  o     |    k |====>|    =    i |====>|      a row of B, scaled, is added to a row of C
//        +--------+      +-----+           +-----+
//
// Nothing is computed that rung 0 did not compute, and no sum has another order. But the inner loop
// now walks along rows: 16 neighbours share a cache line, the hardware prefetcher runs ahead, and
// the N sums of a row of C grow side by side, so that no addition waits for the one before it.
//
// Count, for one j: 2 loads (B, C), 1 multiplication, 1 addition, 1 store, each of ONE float.
// Prediction: 1 multiply-add a cycle (one store a cycle, one operation on each of two ports) of the
// 32 that are possible: 3.1 % of an AVX-512 core.
// Limit: one float per instruction. This file is compiled without the compiler's vectoriser, so
// that the table shows what the order alone is worth.

#include "isa.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    for (Index i = 0; i < M; ++i) {
        for (Index j = 0; j < N; ++j) C[i * N + j] = 0;
        for (Index k = 0; k < K; ++k) {
            const float a = A[i * K + k];
            for (Index j = 0; j < N; ++j) C[i * N + j] += a * B[k * N + j];
        }
    }
}

}  // namespace

Rung gemm_01() {
    return {.file = "gemm/01_order",
            .idea = "loop order i k j: walk along rows",
            .turn = {.lanes = 1, .fmas = 1, .arithmetic = 2, .loads = 2, .stores = 1, .chains = 64},
            .by_rows = true,
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
