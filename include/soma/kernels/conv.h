#pragma once
// Two-dimensional convolution (cross-correlation) of NHWC images, forward and both backward passes.
//
//   x [N, H, W, C]     w [KH, KW, C/G, OC]     y [N, OH, OW, OC]     G groups
//   OH = floor((H + pad_top + pad_bottom - DH (KH - 1) - 1) / SH) + 1, OW alike
//
//   y[n, oh, ow, o]    = sum over (kh, kw, c) of x[n, oh SH + kh DH - pad_top, ...] w[kh, kw, c, o]
//   dx[n, ih, iw, c]   = sum over the taps that read it of dy w
//   dw[kh, kw, c, o]   = sum over (n, oh, ow) of x dy
//
// Outside the image the input is pad_value, an ordinary number: it takes part in y and in dw; the
// gradient that falls on it is dropped.
//
// Method (kernels.md 8): no im2col. A tile is the GEMM micro-kernel with a row of output pixels as
// its rows; (kw, c) is contiguous in x, so the reduction is one segment per kh. Padding is made
// real in a band of rows small enough for L2; without padding x is read in place. With C <= 4 and
// OC of half a vector the roles change: vectors of pixels, rows of output channels. Backward-data
// is the same code on dy with flipped weights, once per phase of the stride; with C <= 12 it is a
// product to a band of columns and their ordered sum. Backward-weights reduces pixels in leaves.
//
// Order of summation (kernels.md 6): y is CHAIN over the flattened (kh, kw, c) with slices of 256;
// dw, db are TREE over leaves of 256 flattened pixels (n, oh, ow). So y and dw equal im2col
// followed by gemm, bit for bit. dx is CHAIN over ascending (oh, ow, o) with slices of 256 for
// C > 12, G > 1 or one tap; otherwise it is a sum over ascending (oh, ow) of terms that are CHAIN
// over o. Without padding, dilation and groups a kernel as large as the image counts as 1x1, C = KH
// KW C. The same bits for any thread count, ISA and, for y and dx, any batch split. Rounding: |y -
// y*| <= gamma_d (|x| * |w|), d = min(K, 256) + ceil(K / 256) - 1, K = KH KW C / G.
//
// All arrays are contiguous and do not overlap. The functions expect a geometry that
// check_geometry accepts. Scratch comes from the threads' arenas, which keep what they grew to:
//     y       weights up to 1 MB a group: one copy of them, columns of a group rounded up to 80;
//             for each thread a band of rows, the larger of 512 KB and 4 SH rows, with the
//             DH (KH - 1) + 1 rows it overlaps. Larger weights: for each thread 256 rows of them
//             by 320 columns, and the input rows of 512 output pixels. With few channels: for each
//             thread a band of 1024 pixels, once as x and once for each of `width` channels of y
//     dx      as y, but a copy of large weights for more than 512 pixels of a phase
//     dw      for each thread the rows that 256 pixels read and the partial sums of a block of dw,
//             the larger of 1 MB and 24 rows of OC a level of the tree; when one block is all of dw
//             and leaves are split, 4 more copies of it for each thread
// Cost: 2 N OH OW OC KH KW C / G flop for each of the three.

#include "soma/core/types.h"
#include "soma/kernels/activation.h"

namespace soma::kernels {

struct ConvGeometry {
    Index n = 1, h = 0, w = 0, c = 0;
    Index kh = 0, kw = 0, oc = 0;
    Index stride_h = 1, stride_w = 1;
    Index dilation_h = 1, dilation_w = 1;
    Index pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
    Index groups = 1;
    double pad_value = 0;

    Index oh() const {
        return (h + pad_top + pad_bottom - dilation_h * (kh - 1) - 1) / stride_h + 1;
    }
    Index ow() const {
        return (w + pad_left + pad_right - dilation_w * (kw - 1) - 1) / stride_w + 1;
    }
    Index group_c() const { return c / groups; }
    Index group_oc() const { return oc / groups; }
    Index x_count() const { return n * h * w * c; }
    Index y_count() const { return n * oh() * ow() * oc; }
    Index weight_count() const { return kh * kw * group_c() * oc; }
    // Floating point operations of one pass, an FMA counting 2.
    double flop() const {
        return 2.0 * static_cast<double>(y_count()) * static_cast<double>(kh * kw * group_c());
    }
};

// Throws Error(usage) starting with `op` unless all sizes, strides, dilations are positive, padding
// is not negative, the groups divide C and OC, and OH and OW are at least 1.
void check_geometry(const char* op, const ConvGeometry& g);

// What follows the sum, in this order: t = t + bias[o]; t = t + unit_bias[oh, ow, o];
// activation(t).
template <class T>
struct ConvEpilogue {
    const T* bias = nullptr;       // [OC]
    const T* unit_bias = nullptr;  // [OH, OW, OC], shared over the batch
    Activation activation = Activation::none;
    T slope = 0;  // of leaky ReLU
};

template <class T>
void conv2d(const ConvGeometry& g, const T* x, const T* w, const ConvEpilogue<T>& epilogue, T* y);

// dx (+)= the convolution of dy with the flipped weights. accumulate: add to what dx holds.
template <class T>
void conv2d_backward_data(const ConvGeometry& g, const T* dy, const T* w, bool accumulate, T* dx);

// dw (+)= the sum over pixels, one further rounding when accumulating. The gradient of a bias is
// column_sums_tree of dy (reduce.h): same leaves, same tree.
template <class T>
void conv2d_backward_weights(const ConvGeometry& g, const T* x, const T* dy, bool accumulate,
                             T* dw);

// dst[tap, c, o] (+)= connected[c, o] != 0 ? src[tap, c, o] : 0: the weights under a connection
// table [C, OC], and the gradient with respect to them. In place allowed unless accumulating.
template <class T>
void mask_weights(Index taps, Index c, Index oc, const std::uint8_t* connected, const T* src,
                  bool accumulate, T* dst);

// columns[n OH OW, KH KW C/G] of one group, whose product with its weights is y. For tests and
// backends; nothing in the product builds it.
template <class T>
void im2col(const ConvGeometry& g, Index group, const T* x, T* columns);

}  // namespace soma::kernels
