#pragma once
// Matrix products on the tape: the dense layer and the general product.

#include "soma/autograd/tape.h"
#include "soma/kernels/activation.h"

namespace soma {

// Dense layer: y = f(x w + b), one fused GEMM.
//   x [..., in]   w [in, out]   b [out] or absent   y [..., out]      rows R = product of `...`
// slope belongs to Activation::leaky_relu.
// Backward, with a = dy f'(y):  dx += a w^T (CHAIN over out),  dw += x^T a and db += sum_r a (TREE
// over rows): dx has the same bits under any batch split, dw and db under splits at shard borders
// (kernels.md 6.1). f' is taken from y, or from the saved pre-activation where y does not give it.
// Curvature: h_a = f'^2 h_y, h_x = h_a (w^2)^T, h_w = (x^2)^T h_a, h_b = sum_r h_a.
// Cost: 2 R in out flop forward, twice that backward. Error(usage) when shapes or dtypes disagree.
Var linear(Var x, Var w, Var b = {}, Activation activation = Activation::none, double slope = 0.01);

struct MatmulOptions {
    bool transpose_a = false;  // of the last two dimensions
    bool transpose_b = false;
};

// y = op(a) op(b) over the last two dimensions; the leading ones must be equal (a stack of
// matrices, each multiplied as if alone).
//   op(a) [..., M, K]   op(b) [..., K, N]   y [..., M, N]
// Backward: da = dy op(b)^T (CHAIN over N), db = op(a)^T dy (TREE over M), transposed back. A
// weight belongs on the right, where its gradient is a sum over rows as in linear. Curvature: the
// same with squared operands. Error(usage) when shapes or dtypes disagree.
Var matmul(Var a, Var b, const MatmulOptions& options = {});

}  // namespace soma
