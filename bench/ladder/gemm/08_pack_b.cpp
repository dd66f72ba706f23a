// Rung 8: B is copied into panels before it is used (code: 08_pack.h).
//
//     In place, N = 1024:                        Packed:
//       k = 0   page 0  [256 bytes ....]           one page holds 16 values of k,
//       k = 1   page 1  [256 bytes ....]           one after the other; the prefetcher
//       k = 2   page 2  [256 bytes ....]           follows, and the sets of caches fill evenly
//
// Rows of B that are 4096 bytes apart may cost three things. TLB: each k needs another page, and
// the first level knows 96. Sets of L1: it finds a line by bits 6 .. 11 of its address, the same in
// every row, so that a strip of 4 vectors may use 4 of 64 sets, 12 lines each: 48 values of k. Sets
// of L2: bits 6 .. 16, 128 of 2048 sets, 16 lines each: 512 values of k. README.md finds the
// culprit.
//
// Count: the tile as in rung 6. New: a panel takes one store a cycle to write, 4 cycles for each k;
// it serves the M / MR = 32 tiles of the small product, 12 cycles each: 1 %.
// Prediction: 98 % small. At N = 1024 what rung 7 loses comes back.
// Limit: the panel of a whole column of B: 256 K bytes; from K = 8192 on it leaves L2. And
// all of A passes for every strip: rung 9.

#include "07_tile.h"
#include "08_pack.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    float* panels = scratch(0, panel_floats(K, N));
    pack(K, N, B, N, panels);
    const Strips strips = strips_of(N);
    const Cut blocks = cut(M, kMR);
    for (Index s = 0; s < strips.parts; ++s) {
        const Index column = strips[s] * W;
        for (Index r = 0; r < blocks.parts; ++r) {
            const Index row = blocks[r];
            run_tile({.a = A + row * K,
                      .b = panels + column * K,
                      .c = C + row * N + column,
                      .a_row = K,
                      .a_k = 1,
                      .b_k = strips.size(s) * W,
                      .ldc = N,
                      .k = K,
                      .tail = strips.tail(s)},
                     blocks.size(r), strips.size(s));
        }
    }
}

}  // namespace

Rung gemm_08() {
    return {.file = "gemm/08_pack_b",
            .idea = "B packed into panels",
            .turn = full_tile(kPackCycles),
            .headers = {"gemm/08_pack.h"},
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
