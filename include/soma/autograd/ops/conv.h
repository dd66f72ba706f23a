#pragma once
// Convolution on the tape, fused with bias and activation.
//
// Legend: N images, H W C input height, width, channels; KH KW kernel; G groups; OC output
// channels. The arithmetic, its order and its error bound stand in soma/kernels/conv.h.

#include <optional>
#include <span>

#include "soma/autograd/ops/window.h"
#include "soma/autograd/tape.h"
#include "soma/kernels/activation.h"
#include "soma/kernels/winograd.h"

namespace soma {

struct Conv2dOptions {
    Size2 stride = 1;
    Padding2 padding = 0;
    double pad_value = 0;  // what the input is outside the image
    Size2 dilation = 1;
    Index groups = 1;
    // Connection table [C, OC], groups == 1: where it is 0 the weight counts as 0, whatever it
    // holds, and its gradient is 0. Empty: all are connected. The bytes must outlive the sweeps.
    // A NaN or Inf in an unconnected channel still propagates.
    std::span<const std::uint8_t> table = {};
    Activation activation = Activation::none;
    double slope = 0.01;  // of leaky ReLU
    // Forward and dx by Winograd's minimal filtering: up to 3 times as fast, but other bits and a
    // weaker, norm-wise error bound (kernels/winograd.h). 3x3 kernel, stride 1, dilation 1, one
    // group, else Error(usage): there is no silent fall back. dw and the curvature stay direct.
    std::optional<kernels::WinogradTile> winograd = {};
};

// y = f(x * w + b), cross-correlation of NHWC images.
//   x [N, H, W, C]   w [KH, KW, C/G, OC]   y [N, OH, OW, OC]
//   b [OC], or [OH, OW, OC]: one bias per unit, shared over the batch; or absent
//   OH = floor((H + top + bottom - DH (KH - 1) - 1) / SH) + 1, OW alike
// Backward, with a = dy f'(y): dx, dw as in kernels/conv.h, db = sum of a over what b is shared by.
// Gradient that falls on padding is dropped.
// Curvature: h_a = f'^2 h_y, then the same passes with w^2, x^2 and pad_value^2; h_b = sum h_a.
// Cost: 2 N OH OW OC KH KW C/G flop forward, the same again for each of dx and dw; counted so with
// Winograd too, whose products are fewer.
// Error(usage) when shapes, dtypes, table or options disagree.
Var conv2d(Var x, Var w, Var b = {}, const Conv2dOptions& options = {});

struct ConvTranspose2dOptions {
    Size2 stride = 1;
    Padding2 padding = 0;      // cut from the output
    Size2 output_padding = 0;  // rows and columns added at the bottom and right, < stride
    Size2 dilation = 1;
    Index groups = 1;
    Activation activation = Activation::none;
    double slope = 0.01;
};

// y = f(transpose of a convolution applied to x, + b): x * y of the mirrored conv2d change places.
//   x [N, H, W, C]   w [KH, KW, OC/G, C]   b [OC] or absent   y [N, OH, OW, OC]
//   OH = (H - 1) SH - top - bottom + DH (KH - 1) + 1 + output_padding, OW alike
// w is the weight of the convolution that maps y's shape to x's.
// Forward is that convolution's backward-data, dx its forward, dw its backward-weights.
// Cost: 2 N H W C KH KW OC/G flop forward, the same again for each of dx and dw.
// Error(usage) when shapes, dtypes or options disagree.
Var conv_transpose2d(Var x, Var w, Var b = {}, const ConvTranspose2dOptions& options = {});

}  // namespace soma
