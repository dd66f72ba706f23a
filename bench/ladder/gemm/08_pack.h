#pragma once
// Panels: B copied so that what a tile reads one after the other lies one after the other.
//
//     B [K, N]      | strip 0: 4 vectors | strip 1: 4 vectors | strip 2: 3 |
//     panels        0000 0000 0000 ..      1111 1111 1111 ..    222 222 222 ..      (k = 0, 1, 2
//     ..)
//
// The strip that begins at vector v is at panels + v W K. Lanes past the last column are zero.

#include "07_cut.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

inline Index panel_floats(Index K, Index N) { return K * strips_of(N).total * W; }

inline void pack(Index K, Index N, const float* B, Index ldb, float* panels) {
    const Strips strips = strips_of(N);
    for (Index s = 0; s < strips.parts; ++s) {
        const Index end = strips[s + 1];
        const V::Mask mask = V::first(strips.tail(s));
        for (Index k = 0; k < K; ++k) {
            for (Index v = strips[s]; v < end; ++v, panels += W) {
                const float* p = B + k * ldb + v * W;
                V::store(panels, v == end - 1 ? V::load_masked(p, mask) : V::load(p));
            }
        }
    }
}

}  // namespace
}  // namespace soma::ladder::SOMA_LADDER_ISA
