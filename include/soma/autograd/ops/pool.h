#pragma once
// Pooling on the tape, NHWC: maximum and average over windows. Arithmetic: soma/kernels/pool.h.

#include "soma/autograd/ops/window.h"
#include "soma/autograd/tape.h"

namespace soma {

struct Pool2dOptions {
    Size2 window = 2;
    Size2 stride = 0;  // 0: as the window
    Padding2 padding = 0;
    bool count_padding = false;  // average only: padding counts as zeros
};

// y = max over each window; padding never wins.
//   x [N, H, W, C] -> y [N, OH, OW, C]     OH = floor((H + top + bottom - window) / stride) + 1
// Backward: dx += dy at the first maximum of each window. Curvature: the same.
// Error(usage) when x is not an image, the window does not fit, or it has more than 256 elements.
Var max_pool2d(Var x, const Pool2dOptions& options = {});

// y = mean over the pixels of each window that lie inside the image, or sum / window size with
// count_padding. Shapes as max_pool2d.
// Backward: dx += dy / count. Curvature: h_x += h_y / count^2.
Var avg_pool2d(Var x, const Pool2dOptions& options = {});

// y = mean over all pixels.  x [N, H, W, C] -> y [N, C]
Var global_avg_pool(Var x);

}  // namespace soma
