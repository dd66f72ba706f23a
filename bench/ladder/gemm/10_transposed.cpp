// Rung 10: A stored transposed, by swapping two numbers.
//
//     A[i, k] = A[i a_row + k a_k]
//
//       as stored [M, K]:   a_row = K, a_k = 1         as stored [K, M]:   a_row = 1, a_k = M
//            k ->                                           i ->
//         i |a b c d|    one row of a tile:              k |a e i|    one k of a tile:
//         | |e f g h|    neighbours along k              | |b f j|    neighbours along i
//         v |i j k l|                                    v |c g k|
//
// The tile broadcasts single floats of A. It never loads a vector of A, so it does not care in
// which direction they lie: the gradient of a layer's weights, X^T dY, needs no transposition and
// no second kernel. (B transposed is another matter: its vectors would run along k. The product
// transposes while it packs.)
//
// Count: as rung 9, instruction for instruction. Bytes: each k of a tile touches a line of its own,
// 24 of its 64 bytes, where rung 9 reads 16 values of k from each of 6 lines: up to 2.7 times the
// traffic of A, 64 bytes in 12 cycles.
// Prediction: 98 %: 256 + 64 bytes a turn are 6.7 of 12 cycles.
// Limit: M = 1024: the KC values of k lie on KC pages and in few sets of L1 and L2 (rung 8). So
// "free" ends where rows of A are pages apart; there the product copies blocks of A (README.md).

#include "09_blocks.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

// A is [K, M].
void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    blocked(
        {.M = M, .N = N, .K = K, .A = A, .a_row = 1, .a_k = M, .B = B, .ldb = N, .C = C, .ldc = N},
        blocks_for(K));
}

}  // namespace

Rung gemm_10() {
    return {.file = "gemm/10_transposed",
            .idea = "A transposed: two strides swapped",
            .turn = full_tile(kPackCycles, 64),
            .a_transposed = true,
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
