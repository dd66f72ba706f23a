#pragma once
// The register tile of rungs 5 and 6 (drawn in 05_register_tile.cpp), and the loops around it.

#include "isa.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

// C[MR, NV W] = the sum over k of A[i a_row + k a_k] B[k b_k + j], `passes` times over the same k.
// Every loop over MR and NV is unrolled: an array of registers cannot be indexed at run time.
template <int MR, int NV>
inline __attribute__((always_inline)) void tile(Index passes, Index K, const float* A, Index a_row,
                                                Index a_k, const float* B, Index b_k, float* C,
                                                Index ldc) {
    Reg c[MR][NV];
#pragma GCC unroll 32
    for (int i = 0; i < MR; ++i)
#pragma GCC unroll 32
        for (int v = 0; v < NV; ++v) c[i][v] = V::zero();
    for (; passes > 0; --passes) {
        const float *a = A, *b = B;
        for (Index k = K; k > 0; --k, a += a_k, b += b_k) {
            Reg row[NV];
#pragma GCC unroll 32
            for (int v = 0; v < NV; ++v) row[v] = V::load(b + v * W);
#pragma GCC unroll 32
            for (int i = 0; i < MR; ++i) {
                const Reg x = V::broadcast(a[i * a_row]);
#pragma GCC unroll 32
                for (int v = 0; v < NV; ++v) c[i][v] = V::fma(x, row[v], c[i][v]);
            }
        }
    }
#pragma GCC unroll 32
    for (int i = 0; i < MR; ++i)
#pragma GCC unroll 32
        for (int v = 0; v < NV; ++v) V::store(C + i * ldc + v * W, c[i][v]);
}

// C[M, N] = A[M, K] B[K, N], N a multiple of NV W. What is left below the last whole tile is done
// row by row.
template <int MR, int NV>
void multiply(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    for (Index j = 0; j < N; j += NV * W) {
        Index i = 0;
        for (; i + MR <= M; i += MR)
            tile<MR, NV>(1, K, A + i * K, K, 1, B + j, N, C + i * N + j, N);
        for (; i < M; ++i) tile<1, NV>(1, K, A + i * K, K, 1, B + j, N, C + i * N + j, N);
    }
}

// Of a tile whose B is in L1 but for far_bytes. It ends with MR NV stores, one a cycle; with K =
// 192 they are spread over 192 turns.
template <int MR, int NV>
consteval Turn tile_turn(double far_bytes = 0) {
    const double fmas = MR * NV;
    return {.lanes = W,
            .fmas = fmas,
            .arithmetic = fmas,
            .loads = MR + NV,
            .stores = 0,
            .chains = fmas,
            .far_bytes = far_bytes,
            .idle = fmas / 192};
}

}  // namespace
}  // namespace soma::ladder::SOMA_LADDER_ISA
