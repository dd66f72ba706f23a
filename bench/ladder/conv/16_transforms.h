#pragma once
// Weights, input tiles and output tiles of rung 16 into and out of Winograd's domain.
//
//     e = 0 .. 35: position within a transformed tile;  t: tile, counted over images, rows, columns
//     U [36, panels of C x OC]     v [36, tiles, C]     m [36, tiles, width]

#include "../gemm/08_pack.h"
#include "16_sandwich.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

void transform_weights(const Conv& s, const float* weights, float* U) {
    const Strips strips = strips_of(s.oc);
    for (Index p = 0; p < strips.parts; ++p) {
        const Index left = strips[p] * W, width = strips.size(p) * W;
        for (Index c = 0; c < s.c; ++c) {
            for (Index o = 0; o < width; o += W) {
                Reg g[9], u[36];
                for (int i = 0; i < 9; ++i)
                    g[i] = V::load(weights + (i * s.c + c) * s.oc + left + o);
                sandwich(kG, g, u);
                for (int e = 0; e < 36; ++e)
                    V::store(U + (e * s.oc + left) * s.c + c * width + o, u[e]);
            }
        }
    }
}

// The pixel of a [n, h, w] image where tile t begins; tiles are 4 pixels apart.
Index tile_origin(const Conv& s, Index t, Index h, Index w) {
    const Index across = s.ow / 4, down = s.oh / 4, line = t / across;
    return (line / down * h + line % down * 4) * w + t % across * 4;
}

void transform_input(const Conv& s, const float* x, Index first, Index count, float* v) {
    for (Index t = 0; t < count; ++t) {
        const float* from = x + tile_origin(s, first + t, s.h, s.w) * s.c;
        for (Index c = 0; c < s.c; c += W) {
            Reg d[36], transformed[36];
            for (int i = 0; i < 36; ++i) d[i] = V::load(from + (i / 6 * s.w + i % 6) * s.c + c);
            sandwich(kBT, d, transformed);
            for (int e = 0; e < 36; ++e) V::store(v + (e * count + t) * s.c + c, transformed[e]);
        }
    }
}

// Columns [column, column + width) of y.
void transform_back(const Conv& s, const float* m, Index first, Index count, Index column,
                    Index width, float* y) {
    for (Index t = 0; t < count; ++t) {
        float* to = y + tile_origin(s, first + t, s.oh, s.ow) * s.oc + column;
        for (Index o = 0; o < width; o += W) {
            Reg sums[36], pixels[16];
            for (int e = 0; e < 36; ++e) sums[e] = V::load(m + (e * count + t) * width + o);
            sandwich(kAT, sums, pixels);
            for (int i = 0; i < 16; ++i)
                V::store(to + (i / 4 * s.ow + i % 4) * s.oc + o, pixels[i]);
        }
    }
}

}  // namespace
}  // namespace soma::ladder::SOMA_LADDER_ISA
