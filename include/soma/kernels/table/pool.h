#pragma once
// The pooling entries of the kernel table: output rows of one image, vectors along C.

#include "soma/core/types.h"

namespace soma::kernels {

// One image's pooling: sizes as in PoolGeometry, with the output size spelt out.
struct PoolWindow {
    Index h, w, c, oh, ow, kh, kw, stride_h, stride_w, pad_top, pad_left;
    bool count_padding;
};

template <class T>
struct PoolTable {
    // y rows [begin, end) of one image; argmax may be nullptr.
    void (*max_rows)(const PoolWindow& p, Index begin, Index end, const T* x, T* y,
                     std::uint8_t* argmax) noexcept;
    void (*avg_rows)(const PoolWindow& p, Index begin, Index end, const T* x, T* y) noexcept;
    // dx of one image += dy / count^power over its windows in ascending order.
    void (*avg_backward)(const PoolWindow& p, int power, const T* dy, T* dx) noexcept;
};

}  // namespace soma::kernels
