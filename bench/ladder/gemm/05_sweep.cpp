// The sweep of rung 5: one template, all tile sizes that the registers hold.
//
// A panel of B that stays in L1 is read over and over, so that nothing but the k loop is measured:
// loads per FMA, sums under way, and what the compiler needs to find the rows of A.
//     in place   rows of A lie lda apart: one address for each row
//     packed     the MR floats of one k are neighbours: one address for all rows

#include "05_tile.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

template <int MR, int NV>
void in_place(Index passes, Index K, const float* A, Index lda, const float* B, float* C) {
    tile<MR, NV>(passes, K, A, lda, 1, B, NV * W, C, NV * W);
}

template <int MR, int NV>
void packed(Index passes, Index K, const float* A, Index, const float* B, float* C) {
    tile<MR, NV>(passes, K, A, 1, MR, B, NV * W, C, NV * W);
}

template <int MR, int NV>
constexpr SweepTile sweep_tile() {
    return {MR, NV, in_place<MR, NV>, packed<MR, NV>};
}

// Few sums, then 12 (all of AVX2's registers), then 24 to 28 (all of AVX-512's). Whoever has fewer
// registers sees the last ones spill.
constexpr SweepTile kSweep[] = {
    sweep_tile<1, 1>(),  sweep_tile<2, 1>(),  sweep_tile<2, 2>(),  sweep_tile<4, 1>(),
    sweep_tile<8, 1>(),  sweep_tile<1, 8>(),  sweep_tile<2, 4>(),  sweep_tile<4, 2>(),
    sweep_tile<12, 1>(), sweep_tile<6, 2>(),  sweep_tile<4, 3>(),  sweep_tile<4, 4>(),
    sweep_tile<24, 1>(), sweep_tile<28, 1>(), sweep_tile<12, 2>(), sweep_tile<14, 2>(),
    sweep_tile<8, 3>(),  sweep_tile<9, 3>(),  sweep_tile<6, 4>(),  sweep_tile<5, 5>()};

}  // namespace

Sweep sweep() { return {kSweep, sizeof(kSweep) / sizeof(kSweep[0])}; }

}  // namespace soma::ladder::SOMA_LADDER_ISA
