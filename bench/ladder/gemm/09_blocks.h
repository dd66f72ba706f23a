#pragma once
// The loops of a large product (drawn in 09_blocks.cpp).

#include "07_tile.h"
#include "08_pack.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

struct Product {
    Index M, N, K;
    const float* A;
    Index a_row, a_k;  // A[i, k] = A[i a_row + k a_k]
    const float* B;
    Index ldb;
    float* C;
    Index ldc;
};

struct Blocks {
    Index kc, nc;  // nc: a multiple of W
};

// KC: kMR rows of A, KC deep, take a quarter of L1; blocks of equal depth.
// NC: a block of B, KC x NC, takes 60 % of L2; whole strips.
inline Blocks blocks_for(Index K) {
    const Caches c = caches();
    const Index depth = cut(K, c.l1_bytes / 4 / (4 * kMR)).parts;
    const Index kc = (K + depth - 1) / depth;
    const Index strips = c.l2_bytes * 6 / 10 / (4 * kc * kNV * W);
    return {kc, (strips > 0 ? strips : 1) * kNV * W};
}

// `finish` is applied to each element once, when its sum is complete.
template <class Finish = Keep>
void blocked(const Product& p, Blocks size, Finish finish = {}) {
    float* panels = scratch(0, size.kc * size.nc);
    const Cut rows = cut(p.M, kMR);
    for (Index j = 0; j < p.N; j += size.nc) {
        const Strips strips = strips_of(p.N - j < size.nc ? p.N - j : size.nc);
        for (Index k = 0; k < p.K; k += size.kc) {
            const bool last = p.K - k <= size.kc;
            const Index depth = last ? p.K - k : size.kc;
            pack(depth, strips.N, p.B + k * p.ldb + j, p.ldb, panels);
            for (Index r = 0; r < rows.parts; ++r) {
                for (Index s = 0; s < strips.parts; ++s) {
                    const Index column = j + strips[s] * W;
                    const Tile t = {.a = p.A + rows[r] * p.a_row + k * p.a_k,
                                    .b = panels + strips[s] * W * depth,
                                    .c = p.C + rows[r] * p.ldc + column,
                                    .a_row = p.a_row,
                                    .a_k = p.a_k,
                                    .b_k = strips.size(s) * W,
                                    .ldc = p.ldc,
                                    .k = depth,
                                    .column = column,
                                    .tail = strips.tail(s),
                                    .add = k > 0};
                    last ? run_tile(t, rows.size(r), strips.size(s), finish)
                         : run_tile(t, rows.size(r), strips.size(s));
                }
            }
        }
    }
}

}  // namespace
}  // namespace soma::ladder::SOMA_LADDER_ISA
