#pragma once
// The register tile of rungs 7 to 16: rung 5's, for any number of rows and columns. There is an
// instance for every height 1 .. kMR and width 1 .. kNV; the last vector of a TAIL tile has `tail`
// lanes, and a mask keeps loads and stores inside them. What later rungs turn: strides of A (10),
// adding to C (9), finish (11), segments (14).

#include "isa.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

struct Tile {
    const float *a, *b;
    float* c;
    Index a_row, a_k, b_k, ldc;  // A[i, k] = a[i a_row + k a_k]; row k of B at b + k b_k
    Index k;                     // length of the sum, or of each of its segments
    Index column = 0;            // of C, for finish
    int tail = W;                // lanes of the last vector
    bool add = false;            // C += A B instead of C = A B
    Index segments = 1, a_segment = 0, b_segment = 0;  // segment s starts at a + s a_segment, ...
};

struct Keep {  // the finish that changes nothing
    Reg operator()(Reg r, Index) const { return r; }
};

template <int MR, int NV, bool TAIL, class Finish>
void tile(const Tile& t, Finish finish) {
    const V::Mask mask = V::first(t.tail);
    const auto masked = [](int v) { return TAIL && v == NV - 1; };
    Reg c[MR][NV];
#pragma GCC unroll 8
    for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) c[i][v] = V::zero();
    for (Index s = 0; s < t.segments; ++s) {
        const float *a = t.a + s * t.a_segment, *b = t.b + s * t.b_segment;
        for (Index k = t.k; k > 0; --k, a += t.a_k, b += t.b_k) {
            Reg row[NV];
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v)
                row[v] = masked(v) ? V::load_masked(b + v * W, mask) : V::load(b + v * W);
#pragma GCC unroll 8
            for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
                for (int v = 0; v < NV; ++v)
                    c[i][v] = V::fma(V::broadcast(a[i * t.a_row]), row[v], c[i][v]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) {
            float* p = t.c + i * t.ldc + v * W;
            if (t.add) c[i][v] = V::add(masked(v) ? V::load_masked(p, mask) : V::load(p), c[i][v]);
            const Reg r = finish(c[i][v], t.column + v * W);
            masked(v) ? V::store_masked(p, mask, r) : V::store(p, r);
        }
}

// Of a full tile with its panel in L2, in a product with M = K = 192: MR NV stores at its end, and
// `more` cycles a turn.
consteval Turn full_tile(double more = 0, double far_bytes = 0) {
    const double fmas = kMR * kNV, bytes = 4 * kNV * W + far_bytes, loads = kMR + kNV;
    return {W, fmas, fmas, loads, 0, fmas, bytes, more + fmas / 192};
}
constexpr double kPackCycles = kNV * kMR / 192.0;  // rung 8

// The instance for `rows` <= MR and `vectors` <= NV.
template <int MR = kMR, int NV = kNV, class Finish = Keep>
void run_tile(const Tile& t, Index rows, Index vectors, Finish finish = {}) {
    if constexpr (NV > 1)
        if (vectors < NV) return run_tile<MR, NV - 1>(t, rows, vectors, finish);
    if constexpr (MR > 1)
        if (rows < MR) return run_tile<MR - 1, NV>(t, rows, vectors, finish);
    t.tail == W ? tile<MR, NV, false>(t, finish) : tile<MR, NV, true>(t, finish);
}

}  // namespace
}  // namespace soma::ladder::SOMA_LADDER_ISA
