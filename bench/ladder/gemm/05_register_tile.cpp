// Rung 5: a tile of C in registers, MR rows x NV vectors (code: 05_tile.h).
//
//                     NV vectors of B, loaded once, used MR times
//                    +----+----+
//       MR floats    | b0 | b1 |        for one k:   MR + NV loads
//       of A, each   +----+----+                     MR NV FMAs
//       broadcast  a0| 00 | 01 |
//       once and   a1| 10 | 11 |        loads per FMA = (MR + NV) / (MR NV) = 1 / NV + 1 / MR
//       used NV    a2| 20 | 21 |
//       times      a3| 30 | 31 |        the law of this course: the border of a tile against its
//                    +----+----+        area. Larger and squarer tiles load less.
//
// Count for 4 x 2: 6 loads for 8 FMAs = 0.75; two load ports need 3 cycles where the FMAs need 4.
// Strips of B are outermost: K x 32 floats (24 KB in the small product) stay in L1 while all rows
// of A pass.
// Prediction: 99 %: nothing but the stores at the end of each tile is left to lose.
// Limit: 4 x 2 = 8 sums are exactly the 2 ports x 4 cycles that have to be under way. A load that
// comes a cycle late is a loss that no other sum can fill. More sums need more registers: rung 6.
//
// The sweep in README.md runs the same template in all sizes that the registers hold.

#include "05_tile.h"

namespace soma::ladder::SOMA_LADDER_ISA {

Rung gemm_05() {
    return {.file = "gemm/05_register_tile",
            .idea = "register tile of 4 rows x 2 vectors",
            .turn = tile_turn<4, 2>(),
            .rule = "N: whole strips",
            .n_multiple = 2 * W,
            .headers = {"gemm/05_tile.h"},
            .gemm = multiply<4, 2>};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
