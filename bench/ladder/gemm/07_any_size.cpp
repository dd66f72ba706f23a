// Rung 7: any M, N and K, without copies: balanced strips and a mask (code: 07_cut.h, 07_tile.h).
//
//     N = 65 is 5 vectors, the last of them with 1 of 16 lanes:
//
//       | 64 columns            |1|        |  32   | 33: 3 vectors, masked |
//       +-----------------------+-+        +-------+-----------------------+
//       a strip of 4 and a strip of 1      strips of 2 and 3 vectors
//
//     The lone vector of the first cut loads 1.17 times per FMA (6 rows) and has 6 sums under way;
//     the balanced one never falls below 2 vectors. Rows likewise: 7 rows are 4 + 3, not 6 + 1.
//
// A mask makes the hardware skip lanes: nothing outside the matrix is read or written, and no copy
// with zeros around it is needed. Full vectors do not pay for it: TAIL is a template parameter.
//
// Count: as rung 6 inside a tile. New: 24 x 2 small template instances instead of one, and a few
// compares to pick one, for each tile.
// Prediction: 99 %, whatever the size; strips of 2 and 3 vectors need 0.67 and 0.5 loads per FMA.
// Limit: B in place. A strip of B is 256 bytes of every row, and rows are 4 N bytes apart: at
// N = 1024 a page, the worst distance there is: rung 8.

#include "07_cut.h"
#include "07_tile.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    const Strips strips = strips_of(N);
    const Cut blocks = cut(M, kMR);
    for (Index s = 0; s < strips.parts; ++s) {
        const Index column = strips[s] * W;
        for (Index r = 0; r < blocks.parts; ++r) {
            const Index row = blocks[r];
            run_tile({.a = A + row * K,
                      .b = B + column,
                      .c = C + row * N + column,
                      .a_row = K,
                      .a_k = 1,
                      .b_k = N,
                      .ldc = N,
                      .k = K,
                      .tail = strips.tail(s)},
                     blocks.size(r), strips.size(s));
        }
    }
}

}  // namespace

Rung gemm_07() {
    return {.file = "gemm/07_any_size",
            .idea = "any size: masks, balanced strips",
            .turn = full_tile(),
            .headers = {"gemm/07_cut.h", "gemm/07_tile.h"},
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
