// Rung 13: the same bits on every machine.
//
//     slice p:  s_p = FMA chain from +0 over k = 256 p .. 256 p + 255, ascending
//     C[i, j] = (((s_0 + s_1) + s_2) + ...)
//
// Floating-point addition is not associative: another order is another result. Which choices of the
// rungs below could change a bit?
//     vectors, tiles, strips, masks, packing, cells   no: each element keeps its own chain over k
//     FMA against multiply and add                    yes: so every ISA fuses, by hand, everywhere
//     KC of rung 9                                    YES: where a chain ends and is added to C
// KC came from the size of L1. A machine with another cache would train another net. So the block
// of k becomes part of the numerics: 256, for everyone, and each block of k is one slice.
//
// Why slices at all, and not one chain? The error of a chain grows with its length, that of slices
// with 256 + K / 256: at K = 4096 the worst element is 6 times closer to the truth (README.md).
// Why 256? Shorter slices touch C more often, longer ones err more.
//
// Count: as rung 9 with KC = 256 instead of 512: 24 more loads, adds and stores of C every 256 x 12
// cycles: less than 1 %.
// Prediction: within 1 % of rung 12.
// Limit: nothing more to gain from order. The product adds what a library needs: rung 99.

#include "09_blocks.h"
#include "soma/core/parallel.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

constexpr Index kSlice = 256;

void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    const Blocks size = {kSlice, 2 * blocks_for(2 * kSlice).nc};
    const Cut cells = {(N + W - 1) / W, num_threads()};  // columns only: rung 12 has the grid
    parallel_for(cells.parts, 1, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            const Index left = cells[i] * W, right = cells[i + 1] * W;
            if (left == right) continue;
            blocked({.M = M,
                     .N = (right < N ? right : N) - left,
                     .K = K,
                     .A = A,
                     .a_row = K,
                     .a_k = 1,
                     .B = B + left,
                     .ldb = N,
                     .C = C + left,
                     .ldc = N},
                    size);
        }
    });
}

}  // namespace

Rung gemm_13() {
    return {.file = "gemm/13_canonical_order",
            .idea = "canonical order: same bits everywhere",
            .turn = full_tile(kPackCycles),
            .threads = true,
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
