#pragma once
// The time of a product on one thread, predicted from its plan and from measured rates.
//
//     t = t_call + t_ends + t_pack + max(t_fma, t_L1, t_L2, t_far)
//
// Legend: C is M x N, reduction K; W elements of s bytes a vector; tiles of MR rows x NV vectors;
// N' = N rounded up to W; R = ceil(M / MR) row blocks; J = ceil(N / NC) blocks of columns,
// P = ceil(K / KC) of k (both 1 where nothing is packed); S = ceil(K / 256) slices.
//
//     t_fma   2 M N' K / peak                     padded lanes cost what full ones do
//     t_L1    M N' K (1/MR + 1/NV) s              loads: a vector of B serves MR rows; a broadcast
//                                                 of A, as dear as a vector, serves NV vectors
//     t_L2    B: R K N' s, once a row block, or K N' s while the block of B fits L1
//             A: J M K s, J = strips where B is packed strip by strip;  C: 2 S M N s
//     t_far   0 while A, B and C fit L2; else A: J M K s;  B: K N s, R times where it is not packed
//             and does not fit L2;  C: 2 P M N s.  L3 where they fit half of it, else RAM
//     t_pack  B read once from where it is, panels written and read through L2: 3 K N' s in all;
//             0 where the first tile of a strip packs it
//     t_ends  a tile's last results: MR NV stores, the latency of an FMA and of a load
//     t_call  measured: a 1 x 1 x 1 product
//
// Transfers and arithmetic overlap, hence the maximum; calls, packing and ends of tiles do not. The
// model knows nothing of conflicts in caches and TLBs: a product much slower than predicted has
// met one.

#include "soma/core/types.h"

namespace soma::bench {

// What a plan amounts to.
struct ProductPlan {
    Index m = 0, n = 0, k = 0;
    Index width = 1, element = 4;           // W, s
    Index tile_rows = 1, tile_vectors = 1;  // MR, NV
    bool packed = false;                    // panels of B, in blocks of kc x nc,
    bool by_strips = false;                 // or one strip at a time,
    bool in_passing = false;                // by the tile that reads it first
    Index kc = 0, nc = 0;

    Index row_blocks() const { return ceil_div(m, tile_rows); }
    Index strips() const { return ceil_div(ceil_div(n, width), tile_vectors); }
    Index slices() const;
    Index column_blocks() const { return by_strips ? strips() : packed ? ceil_div(n, nc) : 1; }
    Index k_blocks() const { return packed ? ceil_div(k, kc) : 1; }
};

struct MachineRates {
    double flop = 0;                         // per second
    double l1 = 0, l2 = 0, l3 = 0, ram = 0;  // bytes per second; l3 0: absent
    Index l1_bytes = 0, l2_bytes = 0, l3_bytes = 0;
    double call_seconds = 0;
};

// Bytes moved, and the seconds they take.
struct Transfer {
    double bytes = 0, seconds = 0;
};

struct Prediction {
    double flop = 0, fma_seconds = 0;
    Transfer l1, l2, far, pack;
    bool far_is_ram = false;
    double ends_seconds = 0, call_seconds = 0;

    double seconds() const;
    const char* bound() const;  // what the maximum is: "FMA", "L1", "L2", "L3" or "RAM"
};

Prediction predict(const ProductPlan& plan, const MachineRates& rates);

}  // namespace soma::bench
