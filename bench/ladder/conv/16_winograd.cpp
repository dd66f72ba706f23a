// Rung 16: Winograd's F(4x4, 3x3): 36 multiplications instead of 144 (16_transforms.h).
//
//     x: 6 x 6 pixels          w: 3 x 3            y: 4 x 4 pixels = A^T [ U (.) V ] A
//     every 4 pixels           U = G w G^T
//     V = B^T x B              [36, C, OC]            for each of the 36 positions e:
//     [36, tiles, C]                                  M_e [tiles, OC] = V_e [tiles, C] U_e [C, OC]
//
// A tile of 4 x 4 outputs takes 16 x 9 multiply-adds for each pair of channels directly. A
// transform of both sides turns the convolution into a product position by position, 36 of them;
// the sum over channels stays, so each position is a matrix product, which we have.
//
// Count, for one tile, C = 128 and OC = 256 on AVX-512: 36 C OC / W FMAs of products (direct: 144),
// 264 for each vector of C to transform x, 180 for each vector of OC to transform back: + 7 %.
// Prediction: 144 / 36 / 1.07 = 370 % of peak, counting the work of the direct way.
// Limit: bytes. U is 4 times the weights, V 2.25 times the image, M alike, and all come and go
// through L2. And rounding: coefficients up to 8 and 1 / 24 enlarge it (README.md has the
// figure), which is why it is an option of the product, never a default.

#include "../gemm/07_tile.h"
#include "16_transforms.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

constexpr Index kTiles = 48;  // transformed at a time: V and a strip of M stay in L2

void conv(const Conv& s, const float* x, const float* weights, float* y) {
    const Index C = s.c, OC = s.oc, tiles = s.n * (s.oh / 4) * (s.ow / 4);
    float* U = scratch(0, 36 * C * OC);
    float* v = scratch(1, 36 * kTiles * (C + kNV * W));
    float* m = v + 36 * kTiles * C;
    transform_weights(s, weights, U);
    const Strips strips = strips_of(OC);
    const Cut groups = cut(tiles, kTiles);
    for (Index g = 0; g < groups.parts; ++g) {
        const Index first = groups[g], count = groups.size(g);
        const Cut blocks = cut(count, kMR);
        transform_input(s, x, first, count, v);
        for (Index p = 0; p < strips.parts; ++p) {
            const Index width = strips.size(p) * W;
            for (Index e = 0; e < 36; ++e) {
                for (Index r = 0; r < blocks.parts; ++r) {
                    run_tile({.a = v + (e * count + blocks[r]) * C,
                              .b = U + (e * OC + strips[p] * W) * C,
                              .c = m + (e * count + blocks[r]) * width,
                              .a_row = C,
                              .a_k = 1,
                              .b_k = width,
                              .ldc = width,
                              .k = C},
                             blocks.size(r), strips.size(p));
                }
            }
            transform_back(s, m, first, count, strips[p] * W, width, y);
        }
    }
}

}  // namespace

Rung conv_16() {
    constexpr double c = 128.0 / W, oc = 256.0 / W, products = 36 * c * oc * W;
    return {.file = "conv/16_winograd",
            .idea = "Winograd F(4x4, 3x3): a quarter of the products",
            .turn = {.lanes = W,
                     .fmas = 4 * products,
                     .arithmetic = products + 264 * c + 180 * oc,
                     .loads = products * (kMR + kNV) / (kMR * kNV) + 36 * (c + oc),
                     .stores = 36 * c + (36 + 16) * oc,
                     .chains = 16 * products},
            .rule = "3 x 3, stride 1; OH, OW in fours; C, OC in vectors",
            .n_multiple = W,
            .c_multiple = W,
            .pixel_multiple = 4,
            .fixed_kernel = 3,
            .headers = {"conv/16_sandwich.h", "conv/16_transforms.h"},
            .conv = conv};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
