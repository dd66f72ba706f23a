// Rung 2: let the compiler use vectors, and promise that C overlaps nothing (__restrict).
//
//     C[i, j .. j + 15] += A[i, k] * B[k, j .. j + 15]        16 floats an instruction (AVX-512)
//
// Without the promise the compiler has to fear that a store to C changes B or A[i, k]; it then
// tests for overlap at run time, or loads everything anew. The inner loop below is the one of
// rung 1; -O3 and one keyword make it 16 lanes wide.
//
// Count, for 16 j: 2 loads (B, C), 1 multiplication, 1 addition, 1 store. It is not one FMA: an FMA
// rounds once where the source rounds twice, and soma forbids the compiler to decide about bits
// (-ffp-contract=off). From rung 4 on we write FMAs ourselves.
// Bytes: every vector of B is used once for each row of C. B of the small product is 147 KB: it
// comes from L2, 64 bytes for each multiply-add.
// Prediction: 64 bytes at 48 a cycle are 1.33 cycles, where 2 FMAs a cycle are possible: 37 %.
// Limit: bytes from L2, and right behind it the store and the two loads for each multiply-add.

#include "isa.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

void gemm(Index M, Index N, Index K, const float* __restrict A, const float* __restrict B,
          float* __restrict C) {
    for (Index i = 0; i < M; ++i) {
        for (Index j = 0; j < N; ++j) C[i * N + j] = 0;
        for (Index k = 0; k < K; ++k) {
            const float a = A[i * K + k];
            for (Index j = 0; j < N; ++j) C[i * N + j] += a * B[k * N + j];
        }
    }
}

}  // namespace

Rung gemm_02() {
    return {.file = "gemm/02_restrict",
            .idea = "vectors by the compiler, __restrict",
            .turn = {.lanes = W,
                     .fmas = 1,
                     .arithmetic = 2,
                     .loads = 2,
                     .stores = 1,
                     .chains = 64,
                     .far_bytes = 4 * W},
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
