// Rung 15: the gradient of the weights, with nothing copied and nothing packed.
//
//     dw[kh, (kw, c), o] = sum over pixels (oh, ow) of x[oh + kh, ow + kw, c] dy[oh, ow, o]
//
//       k = ow ->                  o ->
//      +----------+             +---------+     A = a row of x, transposed: element (kw, c) of
//   kw |  x[kh]   |    k = ow   |   dy    |     pixel k lies at k C stride + (kw, c), so
//    c | of one   |      |      | of one  |     a_row = 1 and a_k = C stride (rung 10).
//      |   row    |      v      |   row   |     B = a row of dy as it lies: b_k = OC.
//      +----------+             +---------+
//
//     One segment for each output row, OH of them (rung 14), b_segment = OW OC. All KH KW C rows of
//     dw are tiles of this kind; images after the first add to C (rung 9).
//
// Channels last is what makes this free: both operands have the pixel as their outer index.
// Count: 10 loads for 24 FMAs. Bytes: 4 NV W of dy and one line of x, 320 a turn, from L2:
// 6.7 of 12 cycles.
// Prediction: 99 %: nothing is packed, and a tile ends once in OH OW turns.
// Limit: dy of an image does not fit L1 and is read again for each of KH KW C / MR tiles; once
// it leaves L2 this shows. The sum is one chain of OH OW terms per image: the product cuts it
// into leaves of 256 pixels (rung 13), which also bounds how much of dy is in use.

#include "../gemm/07_cut.h"
#include "../gemm/07_tile.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

void weights(const Conv& s, const float* x, const float* dy, float* dw) {
    const Strips strips = strips_of(s.oc);
    const Cut blocks = cut(s.kw * s.c, kMR);
    for (Index image = 0; image < s.n; ++image) {
        for (Index kh = 0; kh < s.kh; ++kh) {
            const float* from = x + (image * s.h + kh) * s.w * s.c;
            for (Index p = 0; p < strips.parts; ++p) {
                const Index column = strips[p] * W;
                for (Index r = 0; r < blocks.parts; ++r) {
                    run_tile({.a = from + blocks[r],
                              .b = dy + image * s.oh * s.ow * s.oc + column,
                              .c = dw + (kh * s.kw * s.c + blocks[r]) * s.oc + column,
                              .a_row = 1,
                              .a_k = s.stride * s.c,
                              .b_k = s.oc,
                              .ldc = s.oc,
                              .k = s.ow,
                              .tail = strips.tail(p),
                              .add = image > 0,
                              .segments = s.oh,
                              .a_segment = s.stride * s.w * s.c,
                              .b_segment = s.ow * s.oc},
                             blocks.size(r), strips.size(p));
                }
            }
        }
    }
}

}  // namespace

Rung conv_15() {
    return {.file = "conv/15_backward_weights",
            .idea = "backward-weights: pixels as k",
            .turn = full_tile(0, 64),
            .conv_weights = weights};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
