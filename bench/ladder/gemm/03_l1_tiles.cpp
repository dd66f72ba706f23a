// Rung 3: tiles, so that B comes from L1.
//
//     B [K, N]   +----+----+----+
//                |tile|    |    | KB     a tile of B, 64 x 128 floats = 32 KB, stays in L1 (48 KB)
//                +----+----+----+        while it meets all M rows of A: it is fetched once
//                |    |    |    |        instead of M times
//                +----+----+----+
//                  NB
//
// Count, for 16 j, as before: 2 loads, 1 multiplication, 1 addition, 1 store; but no longer 64
// bytes from L2.
// Prediction: 1 cycle (the store, or the two arithmetic instructions) for half of what it could
// hold: 50 %.
// Limit: C. Every multiply-add loads a vector of C and stores it back. Worse, the store of one k is
// loaded again by the next k a few cycles later: about 5 cycles of latency, of which only the
// NB / 16 = 8 vectors of a row run in parallel.

#include "isa.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

constexpr Index KB = 64, NB = 128;

Index smaller(Index a, Index b) { return a < b ? a : b; }

void gemm(Index M, Index N, Index K, const float* __restrict A, const float* __restrict B,
          float* __restrict C) {
    for (Index at = 0; at < M * N; ++at) C[at] = 0;
    for (Index j0 = 0; j0 < N; j0 += NB) {
        const Index j1 = smaller(j0 + NB, N);
        for (Index k0 = 0; k0 < K; k0 += KB) {
            const Index k1 = smaller(k0 + KB, K);
            for (Index i = 0; i < M; ++i) {
                for (Index k = k0; k < k1; ++k) {
                    const float a = A[i * K + k];
                    for (Index j = j0; j < j1; ++j) C[i * N + j] += a * B[k * N + j];
                }
            }
        }
    }
}

}  // namespace

Rung gemm_03() {
    return {.file = "gemm/03_l1_tiles",
            .idea = "tiles of B that stay in L1",
            .turn = {.lanes = W, .fmas = 1, .arithmetic = 2, .loads = 2, .stores = 1, .chains = 8},
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
