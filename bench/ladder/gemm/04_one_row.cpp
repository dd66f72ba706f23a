// Rung 4: C stays in registers. One row of C, 8 vectors wide, for all k.
//
//       k ->                8 vectors                       registers
//     +------+        +--+--+--+--+- -+              +--+--+--+--+- -+
//   i |======|      k |->|->|->|->|   |       =    i |c0|c1|c2|c3|   |   stored once, at the end
//     +------+        |  |  |  |  |   |              +--+--+--+--+- -+
//   broadcast a         loaded, used once
//
// From here on instructions are written by hand, through the vector types of the product
// (src/kernels/vec/<isa>.h): Reg is a register of W floats, and on AVX-512
//     V::load(p)        _mm512_loadu_ps       16 neighbours
//     V::broadcast(x)   _mm512_set1_ps        16 copies of one float
//     V::fma(a, b, c)   _mm512_fmadd_ps       a b + c, rounded once
//
// Why 8 vectors: an FMA takes 4 cycles and two can start every cycle, so 8 independent sums must be
// under way. With fewer the ports wait.
// Count, for one k: 9 loads (8 of B, 1 broadcast) for 8 FMAs, no store: 1.13 loads per FMA.
// Two loads a cycle allow 89 %. But each vector of B serves one row only: 64 bytes an FMA from L2.
// Prediction: 8 x 64 / 48 = 10.7 cycles for 8 FMAs that need 4: 38 %.
// Limit: bytes. Whoever loads a vector of B must use it more often than once.

#include "isa.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

template <int NV>
void strip(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    for (Index i = 0; i < M; ++i) {
        Reg c[NV];
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) c[v] = V::zero();
        for (Index k = 0; k < K; ++k) {
            const Reg a = V::broadcast(A[i * K + k]);
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v) c[v] = V::fma(a, V::load(&B[k * N + v * W]), c[v]);
        }
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) V::store(&C[i * N + v * W], c[v]);
    }
}

void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    Index j = 0;
    for (; j + 8 * W <= N; j += 8 * W) strip<8>(M, N, K, A, B + j, C + j);
    for (; j < N; j += 4 * W) strip<4>(M, N, K, A, B + j, C + j);
}

}  // namespace

Rung gemm_04() {
    return {.file = "gemm/04_one_row",
            .idea = "C in registers: one row of 8 vectors",
            .turn = {.lanes = W,
                     .fmas = 8,
                     .arithmetic = 8,
                     .loads = 9,
                     .stores = 0,
                     .chains = 8,
                     .far_bytes = 4 * 8 * W},
            .rule = "N: whole strips of 4 vectors",
            .n_multiple = 4 * W,
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
