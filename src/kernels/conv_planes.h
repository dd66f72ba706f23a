#pragma once
// Forward convolution of few output channels: vectors along the pixels (conv_planes.cpp).

#include <algorithm>

#include "soma/kernels/conv.h"

namespace soma::kernels {

inline constexpr Index kPlaneChannels = 4;      // most input channels: planes are made one by one
inline constexpr Index kPlanePixels = 512;      // fewest pixels
inline constexpr Index kPlanePositions = 1024;  // of a band, or one row: 4 KB a channel

// Few channels in and out: half of a vector of output channels would be empty.
inline bool by_planes(const ConvGeometry& g, Index width) {
    return g.groups == 1 && g.c <= kPlaneChannels && g.kh * g.kw > 1 && 2 * g.oc <= width &&
           g.n * g.oh() * g.ow() >= kPlanePixels;
}

// A band of output rows as the kernel sees it: x is cut into planes, one for each channel and phase
// of the stride, whose rows are `row` values. Output (r, q) is position r row + q in all of them.
struct PlaneBand {
    Index rows;         // of output
    Index height, row;  // of a plane
    Index planes;       // (vertical phase, horizontal phase, channel)
    Index positions() const { return rows * row; }
    Index plane() const { return height * row; }
    // Sums of one output channel, and room for the vector that `interleave` begins at the last.
    Index sums_step(Index width) const { return round_up(positions(), width) + width; }
};

inline PlaneBand plane_band(const ConvGeometry& g) {
    const Index span_h = g.dilation_h * (g.kh - 1), span_w = g.dilation_w * (g.kw - 1);
    const Index row = std::max(g.ow() + span_w / g.stride_w, ceil_div(g.w, g.stride_w));
    const Index rows = std::clamp<Index>(kPlanePositions / row, 1, g.oh());
    return {rows, rows + span_h / g.stride_h, row, g.stride_h * g.stride_w * g.c};
}

// The image is its only plane.
inline bool is_plane(const ConvGeometry& g) {
    const bool padded = g.pad_top + g.pad_bottom + g.pad_left + g.pad_right > 0;
    return !padded && g.c == 1 && g.stride_h == 1 && g.stride_w == 1;
}

template <class T>
void forward_by_planes(const ConvGeometry& g, const T* x, const T* w,
                       const ConvEpilogue<T>& epilogue, T* y);

}  // namespace soma::kernels
