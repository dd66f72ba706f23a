#pragma once
// Pooling of NHWC images: maximum and average over windows, forward and backward.
//
//   x [N, H, W, C] -> y [N, OH, OW, C]      OH = floor((H + pad_top + pad_bottom - KH) / SH) + 1
//
// Windows may overlap. Padding never enters a result: it is skipped by the maximum, and the average
// counts it as a zero only when asked to. Vectors run along C.
//
// Order of summation: the taps of a window ascending in (kh, kw), CHAIN with slices of 256 taps;
// backward visits the windows that contain a pixel in ascending (oh, ow). The bits depend neither
// on threads nor on the ISA. An average has at most 256 + taps / 256 roundings.
// Pointers: contiguous, no overlap between input and output.

#include "soma/core/types.h"

namespace soma::kernels {

struct PoolGeometry {
    Index n = 1, h = 0, w = 0, c = 0;
    Index kh = 0, kw = 0;
    Index stride_h = 1, stride_w = 1;
    Index pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;

    Index oh() const { return (h + pad_top + pad_bottom - kh) / stride_h + 1; }
    Index ow() const { return (w + pad_left + pad_right - kw) / stride_w + 1; }
    Index x_count() const { return n * h * w * c; }
    Index y_count() const { return n * oh() * ow() * c; }
};

// Throws Error(usage) starting with `op` unless the window is at least 1 x 1, the strides are
// positive, every side of the padding is smaller than the window, and OH and OW are at least 1.
void check_geometry(const char* op, const PoolGeometry& g);

// A window of max_pool2d has at most this many taps: the position of the maximum fits a byte.
inline constexpr Index kMaxPoolTaps = 256;

// y = max over the window; argmax (nullptr: not wanted) = kh * KW + kw of it, as y. The first of
// equal maxima wins; NaN wins over everything.
template <class T>
void max_pool2d(const PoolGeometry& g, const T* x, T* y, std::uint8_t* argmax);

// dx[position of the maximum] += dy. accumulate == false: dx starts at zero.
template <class T>
void max_pool2d_backward(const PoolGeometry& g, const T* dy, const std::uint8_t* argmax,
                         bool accumulate, T* dx);

// y = (sum over the taps inside the image) / count; count = taps inside, or KH * KW with
// count_padding.
template <class T>
void avg_pool2d(const PoolGeometry& g, bool count_padding, const T* x, T* y);

// dx[tap] += dy / count^power for every tap inside the image: power 1 is the gradient, power 2 the
// diagonal curvature. accumulate == false: dx starts at zero.
template <class T>
void avg_pool2d_backward(const PoolGeometry& g, bool count_padding, int power, const T* dy,
                         bool accumulate, T* dx);

}  // namespace soma::kernels
