// The top: the convolution that soma ships, soma::kernels::conv2d.
//
// Rungs 14 and 15 with padding of any value (made real in a band of rows that fits L2), strides,
// dilation, groups, biases and activations, weights larger than L2, threads, and the canonical
// order of rung 13: the result equals im2col followed by gemm, bit for bit (soma/kernels/conv.h).

#include "bench/ladder/ladders.h"
#include "bench/ladder/product.h"

namespace soma::ladder {
namespace {

void forward(const Conv& s, const float* x, const float* weights, float* y) {
    kernels::conv2d<float>(geometry(s), x, weights, {}, y);
}

void backward_weights(const Conv& s, const float* x, const float* dy, float* dw) {
    kernels::conv2d_backward_weights<float>(geometry(s), x, dy, false, dw);
}

}  // namespace

Rung conv_product() {
    return {.file = "conv/99_product",
            .idea = "soma::kernels::conv2d",
            .threads = true,
            .conv = forward};
}

Rung conv_weights_product() {
    return {.file = "conv/99_product",
            .idea = "soma::kernels::conv2d_backward_weights",
            .threads = true,
            .conv_weights = backward_weights};
}

}  // namespace soma::ladder
