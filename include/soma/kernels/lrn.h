#pragma once
// Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3), over threads.
//
//     y_i = x_i / (k + scale sum over j of x_j^2)^beta      j in [i - size / 2, i + (size - 1) / 2]
//
// over the rows (pixels) of a contiguous [rows, cols] matrix, cols the channels. The formula of the
// gradient and the order of the sum stand in table/lrn.h. The window is the paper's for odd sizes
// and torch's for all; scale is the paper's alpha and torch's alpha / size.
// T is float or double. The same bits for any thread count, ISA and split of the rows.
//
// Error of y, relative, with n = size and u the unit roundoff:
//     beta = 0.75   (0.75 (n + 1) + 5.5) u
//     otherwise     (beta (n + 1) + 3 beta |log d| + 3) u
// Traffic: reads x (backward: and dy) once, writes the result once; the sums of the forward pass
// are recomputed, not saved. Scratch: blocks of rows of about 16 KB for each array.

#include "soma/kernels/table/lrn.h"

namespace soma::kernels {

struct LrnShape {
    Index rows, cols;
    Index size = 5;
    double scale = 1e-4, beta = 0.75, k = 2;  // the paper's
};

// Error(usage) starting with `op` unless size >= 1, scale >= 0 and k > 0, all finite.
void check_lrn(const char* op, const LrnShape& shape);

// y may be x.
template <class T>
void lrn(const LrnShape& shape, const T* x, T* y);

// dx (+)= the gradient at x of sum dy y. accumulate: false writes dx, true adds.
template <class T>
void lrn_backward(const LrnShape& shape, const T* x, const T* dy, bool accumulate, T* dx);

}  // namespace soma::kernels
