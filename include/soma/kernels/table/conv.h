#pragma once
// The convolution entries of the kernel table: plain data, shared by drivers and ISA units.
//
// Each kernel works on one block on one thread; all loops over images, bands, phases, groups and
// leaves are in conv.cpp. A reduction is described once per call by segments and then walked for
// every tile:
//
//     x:  [. . A A A A A . . B B B B B . .]       segment = (offset in x, offset in w, length)
//     w:  [a a a a a][b b b b b]                  slices of 256 flattened k are cut at borders

#include "soma/kernels/table/gemm.h"

namespace soma::kernels {

// The whole reduction: slice p is list[first[p]] .. list[first[p + 1] - 1], at most kGemmSlice
// long.
struct ConvSegments {
    const GemmSegment* list;
    const Index* first;
    Index slices;
};

// A band of output rows: for r < rows, q < pixels, j < channels, with at = r y_row + q y_pixel + j
//     t     = CHAIN over segments of x[r x_row + q x_pixel + a + i] * w[b + i ldw + j]
//     y[at] = relu(t + bias[j])       (each only when asked for)
// accumulate: the first slice is added to what y holds. Depthwise: klen is 1 and x advances with j.
// w may be cut into panels of columns, so that the rows of a strip are adjacent in memory: column j
// is then column j % panel of the panel at w + j / panel * panel_step.
template <class T>
struct ConvRows {
    ConvSegments segments;
    const T* x;
    Index x_row, x_pixel;
    const T* w;
    Index ldw;
    Index panel, panel_step;  // panel == channels: w is one piece
    T* y;
    Index y_row, y_pixel;
    Index rows, pixels, channels;
    bool accumulate = false;
    const T* bias = nullptr;
    bool relu = false;
};

// One leaf of backward-weights: for field rows f in [row_begin, row_end), f = (tap, c),
//     dw[(f - row_begin) ldw + j] (+)= chain over segments and their pixels q of
//         x[tap_offset[tap] + c + a + q x_pixel] * dy[b + q ldy + j]
// with c < tap_rows. Depthwise: tap_rows is 1 and x advances with j.
template <class T>
struct ConvLeaf {
    const GemmSegment* segments;  // runs of pixels; klen pixels each, kGemmSlice in all
    Index segment_count;
    const T* x;
    Index x_pixel;
    const T* dy;
    Index ldy;
    const Index* tap_offset;
    Index tap_rows;
    Index row_begin, row_end;
    Index channels;
    T* dw;
    Index ldw;
    bool accumulate;
};

template <class T>
struct ConvTable {
    // Columns of a panel that `rows` takes as one strip, for rows of that many pixels.
    Index (*panel)(Index channels, Index pixels) noexcept;
    void (*rows)(const ConvRows<T>& task) noexcept;
    void (*depthwise_rows)(const ConvRows<T>& task) noexcept;
    void (*leaf)(const ConvLeaf<T>& task) noexcept;
    void (*depthwise_leaf)(const ConvLeaf<T>& task) noexcept;
    // y[q channels + j] = relu(planes[j ldp + q] + bias[j]) for q < pixels, j < channels <= width;
    // bias and relu when asked for. Reads whole vectors of `width` planes: pixels round_up to
    // width.
    void (*interleave)(Index pixels, Index channels, const T* planes, Index ldp, const T* bias,
                       bool relu, T* y) noexcept;
};

}  // namespace soma::kernels
