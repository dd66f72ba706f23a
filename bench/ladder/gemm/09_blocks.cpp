// Rung 9: blocks whose sizes follow from the caches (code: 09_blocks.h).
//
//     for columns by NC          B[KC, NC] packed: 60 % of L2        +----------+---
//       for k by KC                                               KC |  panels  |
//         for rows by MR         A[MR, KC]: a quarter of L1          +----------+---
//           for strips           B's panel streams from L2                NC
//             tile               C += A B, once for each block of k
//
//     KC = L1 / 4 / (4 MR)          48 KB / 4 / 24     = 512
//     NC = 0.6 L2 / (4 KC)          1.2 MB / 2048      = 614, in whole strips 576
//
// No size was searched for: each loop is cut where its operand leaves the cache that has to hold
// it. The quarter leaves room for the panel that passes; the 60 % for A and C, which pass through
// L2.
//
// Count: 24 FMAs in 12 cycles, 256 bytes of panel from L2 = 5.3 cycles: hidden. New: C is loaded
// and added once for every KC values of k, 24 loads, adds and stores against 512 x 12 cycles.
// Prediction: 98 %, for any K and N.
// Limit: one core; and the compulsory traffic: A passes from L3 for every NC columns.

#include "09_blocks.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    blocked(
        {.M = M, .N = N, .K = K, .A = A, .a_row = K, .a_k = 1, .B = B, .ldb = N, .C = C, .ldc = N},
        blocks_for(K));
}

}  // namespace

Rung gemm_09() {
    return {.file = "gemm/09_blocks",
            .idea = "KC and NC from the cache sizes",
            .turn = full_tile(kPackCycles),
            .headers = {"gemm/09_blocks.h"},
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
