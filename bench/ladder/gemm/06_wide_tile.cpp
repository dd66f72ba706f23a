// Rung 6: the tile that fills the registers, wide rather than tall.
//
//     AVX-512 has 32 registers:   accumulators + vectors of B + one broadcast of A
//
//       6 x 4  ("6x64")   24 + 4 + 1 = 29     10 loads for 24 FMAs   0.42 loads per FMA
//      14 x 2  ("14x32")  28 + 2 + 1 = 31     16 loads for 28 FMAs   0.57, the popular tile
//
//      wide   +--+--+--+--+        tall  +--+--+     Both have far more than 8 sums under way, so
//             |  |  |  |  | 6            |  |  |     that a late load hurts nobody.
//             +--+--+--+--+              |  |  |
//                                        |  |  | 14  The tall one has to find 14 rows of A: x86
//                                        |  |  |     has 15 usable address registers. GCC runs out
//                                        |  |  |     and in every turn loads 2 row offsets and the
//                                        +--+--+     loop counter from the stack.
//
// Count for 6 x 4: 10 loads need 5 cycles where the FMAs need 12; a vector of B read from L2
// instead costs 256 bytes = 5 cycles a turn: also hidden.
// Prediction: 99 %, and by this count 98 % for 14 x 2: loads per FMA below 1 are free.
// README.md shows both measured, and what is proven about the difference.
// Limit: sizes. N must be a multiple of 64; the rows that are left run one by one. Then the strip
// of B: its rows are N floats apart.

#include "05_tile.h"

namespace soma::ladder::SOMA_LADDER_ISA {

Rung gemm_06() {
    return {.file = "gemm/06_wide_tile",
            .idea = "wide tile that fills the registers",
            .turn = tile_turn<kMR, kNV>(4.0 * kNV * W),
            .rule = "N: whole strips",
            .n_multiple = kNV * W,
            .gemm = multiply<kMR, kNV>};
}

// The tall tile under the same loops, for the comparison.
Rung gemm_06_tall() {
    return {.file = "gemm/06_wide_tile",
            .idea = "the tall tile instead",
            .turn = tile_turn<kTallMR, kTallNV>(4.0 * kTallNV * W),
            .rule = "N: whole strips",
            .n_multiple = kTallNV * W,
            .gemm = multiply<kTallMR, kTallNV>};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
