#pragma once
// Window options shared by convolution and pooling: sizes along height and width, and padding.

#include "soma/core/types.h"

namespace soma {

// A height and a width; one number stands for both: .stride = 2.
struct Size2 {
    Index h, w;
    constexpr Size2(Index both) : h(both), w(both) {}
    constexpr Size2(Index height, Index width) : h(height), w(width) {}
};

// Pixels added on each side; one number stands for all four: .padding = 1.
struct Padding2 {
    Index top, bottom, left, right;
    constexpr Padding2(Index all) : Padding2(all, all, all, all) {}
    constexpr Padding2(Index t, Index b, Index l, Index r) : top(t), bottom(b), left(l), right(r) {}
};

}  // namespace soma
