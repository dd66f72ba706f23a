#pragma once
// Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3).

#include "soma/autograd/tape.h"

namespace soma {

// The paper's numbers. Its alpha multiplies the sum of squares; torch's and Caffe's multiplies
// their mean over `size` channels, so pass theirs divided by size.
struct LocalResponseNormOptions {
    Index size = 5;
    double alpha = 1e-4, beta = 0.75, k = 2;
};

// y_i = x_i / (k + alpha sum over j of x_j^2)^beta over channels j in [i - size / 2,
// i + (size - 1) / 2] that exist; the window is the paper's for odd sizes, torch's for all.
//   x [..., C] -> y [..., C]
// Backward: kernels/table/lrn.h; nothing but x is kept, the sums are made again.
// Cost: 2 size + 4 flop an element forward, twice that backward.
// Error(usage) when x has no channels, size < 1, alpha < 0, k <= 0 or a number is not finite.
Var local_response_norm(Var x, const LocalResponseNormOptions& options = {});

}  // namespace soma
