#pragma once
// The ladder: a course on fast matrix products and convolutions, one idea a rung (README.md).
//
// A rung is a file below gemm/ or conv/, at most 80 lines, read from top to bottom. It holds a
// plain function and a description of itself. All matrices are dense, row-major f32:
//
//     C[M, N] = A[M, K] B[K, N]          2 M N K flop, an FMA counting 2
//
// The same rungs are compiled once for every instruction set (isa/<isa>/isa.h; the build picks it),
// each in a namespace of its own. Nothing but list() leaves such a namespace, and this header holds
// no code that two of them could share: the linker keeps one copy of shared code, and it could be
// the one that needs AVX-512.

#include "soma/core/types.h"

namespace soma::ladder {

// A convolution without padding: x[n, h, w, c] * weights[kh, kw, c, oc] -> y[n, oh, ow, oc], with
// h = (oh - 1) stride + kh and w alike.
struct Conv {
    Index n, h, w, c, kh, kw, oc, oh, ow, stride;
};

using Gemm = void (*)(Index M, Index N, Index K, const float* A, const float* B, float* C);
using GemmBias = void (*)(Index M, Index N, Index K, const float* A, const float* B,
                          const float* bias, float* C);
using ConvForward = void (*)(const Conv& s, const float* x, const float* weights, float* y);
using ConvWeights = void (*)(const Conv& s, const float* x, const float* dy, float* dw);

// One register tile of the sweep of rung 5: C[MR, NV vectors] over a panel of B that stays in L1,
// read `passes` times. A is read in place (rows lda apart) or packed (MR neighbours for each k).
struct SweepTile {
    int rows, vectors;
    void (*in_place)(Index passes, Index K, const float* A, Index lda, const float* B, float* C);
    void (*packed)(Index passes, Index K, const float* A, Index lda, const float* B, float* C);
};

// One turn of a rung's innermost loop, counted by hand, in instructions on `lanes` elements.
struct Turn {
    double lanes = 0;              // elements of an instruction: 1, or the width of a vector
    double fmas = 0;               // multiply-add pairs
    double arithmetic = 0;         // instructions they take: fmas, or twice as many without FMA
    double loads = 0, stores = 0;  // vector loads, broadcasts among them
    double chains = 0;     // sums that grow independently: each waits 4 cycles for its last step
    double far_bytes = 0;  // that come from L2 instead of L1
    double idle = 0;       // cycles of a tile's start and end, spread over its turns
};

// What a rung says about itself. Exactly one of the function pointers is set.
struct Rung {
    const char* file;  // "gemm/00_naive": below bench/ladder/, without suffix
    const char* idea;
    Turn turn = {};             // of the product: none, it chooses a tile itself
    const char* rule = "";      // the shapes it takes, when not all
    Index n_multiple = 1;       // of N, or of output channels
    Index c_multiple = 1;       // of input channels
    Index pixel_multiple = 1;   // of OH and OW
    Index fixed_kernel = 0;     // the only KH = KW it takes, with stride 1; 0: any
    bool a_transposed = false;  // A is stored [K, M]
    bool threads = false;
    bool by_rows = false;         // row after row: time is proportional to M
    const char* headers[2] = {};  // that this rung introduces
    Gemm gemm = nullptr;
    GemmBias gemm_bias = nullptr;
    ConvForward conv = nullptr;
    ConvWeights conv_weights = nullptr;
};

struct Sweep {
    const SweepTile* tiles;
    Index count;
};

// The rungs of one instruction set, in order.
struct Ladder {
    const char* isa;
    int width;  // floats in a vector
    Rung rungs[24];
    Index count;
    Rung tall;  // rung 6 with the popular tile
    Sweep sweep;
};

// ---- services of plain code to the rungs ----

// `count` floats of the calling thread, 64-byte aligned, not initialised; valid until the next call
// of the same thread with the same slot. Slots: 0 and 1.
float* scratch(int slot, Index count) noexcept;

struct Caches {
    Index l1_bytes, l2_bytes;
};
Caches caches() noexcept;

}  // namespace soma::ladder
