// Rung 14: a convolution is a matrix product whose rows of A overlap.
//
//     x [H, W, C], one row of an image          A tile of C = 6 neighbouring output pixels x 64
//     | p0 | p1 | p2 | p3 | p4 | ...            output channels. Row i of its A begins C stride
//      \___ pixel 0 ___/                        floats after row i - 1: a_row = C stride, and A is
//           \___ pixel 1 ___/                   the image itself. Nothing is copied.
//
//     k runs over (kh, kw, c). For one kh the kw C floats of x are neighbours: a SEGMENT. The next
//     kh is one image row further. So the sum of a tile is KH segments of KW C, and the tile of
//     rung 7 has the two numbers for it: a_segment (a row of x) and b_segment (KW C rows of
//     weights).
//
// The classic way, im2col, writes A out: KH KW times the image, 9 times for 3 x 3, then multiplies.
// Segments read the image where it is: 0 bytes of copies, and L1 sees each float KW times.
//
// Weights [KH, KW, C, OC] are a matrix [KH KW C, OC] as they stand, packed as B in rung 8.
// Count: as rung 9: 10 loads for 24 FMAs; the panel, 4 NV W KH KW C bytes, streams from L2.
// Prediction: 98 %.
// Limit: tiles may not cross an output row: a 7 x 7 image has blocks of 4 + 3 pixels. All weights
// are packed at once: above L2 the product cuts output channels, as NC in rung 9.

#include "../gemm/07_tile.h"
#include "../gemm/08_pack.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

void conv(const Conv& s, const float* x, const float* weights, float* y) {
    const Index klen = s.kw * s.c, K = s.kh * klen;
    float* panels = scratch(0, panel_floats(K, s.oc));
    pack(K, s.oc, weights, s.oc, panels);
    const Strips strips = strips_of(s.oc);
    const Cut blocks = cut(s.ow, kMR);
    for (Index row = 0; row < s.n * s.oh; ++row) {  // of y: image row / oh, line row % oh
        const float* from = x + (row / s.oh * s.h + row % s.oh * s.stride) * s.w * s.c;
        for (Index r = 0; r < blocks.parts; ++r) {
            for (Index p = 0; p < strips.parts; ++p) {
                const Index column = strips[p] * W, width = strips.size(p) * W;
                run_tile({.a = from + blocks[r] * s.stride * s.c,
                          .b = panels + column * K,
                          .c = y + (row * s.ow + blocks[r]) * s.oc + column,
                          .a_row = s.stride * s.c,
                          .a_k = 1,
                          .b_k = width,
                          .ldc = s.oc,
                          .k = klen,
                          .tail = strips.tail(p),
                          .segments = s.kh,
                          .a_segment = s.w * s.c,
                          .b_segment = klen * width},
                         blocks.size(r), strips.size(p));
            }
        }
    }
}

}  // namespace

Rung conv_14() {
    return {.file = "conv/14_segments",
            .idea = "convolution as segments, no im2col",
            .turn = full_tile(kPackCycles),
            .conv = conv};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
