#pragma once
// Pieces of a convolution's plan that forward and both backward passes share: the segments of a
// reduction, the band of rows in which padding is made real, and the size of work units.
//
// Everything here is a pure function of the shape; arrays live in the caller's scratch.

#include <algorithm>
#include <cstring>

#include "soma/core/arena.h"
#include "soma/kernels/conv.h"
#include "soma/kernels/table/conv.h"

namespace soma::kernels {

inline constexpr Index kBandBytes = Index{512} << 10;    // a padded band stays in L2,
inline constexpr Index kBlockBytes = Index{1280} << 10;  // and so do the weights of a column block
inline constexpr Index kPanel = 64;       // columns of a weight panel: the widest strip of any ISA
inline constexpr double kUnitFlop = 1e6;  // about 20 us: least work worth a thread

inline bool is_depthwise(const ConvGeometry& g) {
    return g.groups > 1 && g.groups == g.c && g.groups == g.oc && g.kh * g.kw <= kGemmSlice;
}

// A 1x1 convolution without padding does not see where one image ends: all rows are one image. An
// empty batch stays one: an image has at least one row.
inline ConvGeometry join_images(ConvGeometry g) {
    const bool pointwise = g.kh == 1 && g.kw == 1 && g.stride_h == 1 && g.stride_w == 1 &&
                           g.pad_top + g.pad_bottom + g.pad_left + g.pad_right == 0;
    if (pointwise && g.n > 0) {
        g.h *= g.n;
        g.n = 1;
    }
    return g;
}

// Rows of a band of at most kBandBytes, but at least 4: a shorter one would be mostly halo.
inline Index rows_of_band(Index rows, Index bytes_per_row) {
    return std::min(rows, std::max<Index>(4, kBandBytes / std::max<Index>(1, bytes_per_row)));
}

// Columns of a weight block [k, columns] that stays in L2 while many bands pass; whole panels.
inline Index columns_of_block(Index columns, Index k, Index element_bytes) {
    const Index fit = kBlockBytes / (k * element_bytes) / kPanel * kPanel;
    return std::min(columns, std::max(kPanel, fit));
}

// Work items a thread takes at once.
inline Index grain_of(double flop_per_item) {
    return std::max<Index>(1, static_cast<Index>(kUnitFlop / std::max(1.0, flop_per_item)));
}

// Appends runs of the flattened reduction; joins runs that are contiguous in x and w, and cuts at
// slice borders.
class SegmentBuilder {
public:
    // For at most `runs` runs of `klen` values each.
    SegmentBuilder(ScratchScope& scratch, Index runs, Index klen)
        : list_(scratch.array<GemmSegment>(runs + runs * klen / kGemmSlice + 1)),
          first_(scratch.array<Index>(runs * klen / kGemmSlice + 2)) {
        first_[0] = 0;
    }

    // klen values: x from offset a, w rows from offset b with row stride ldw.
    void append(Index a, Index b, Index klen, Index ldw) {
        while (klen > 0) {
            const Index room = kGemmSlice - filled_ % kGemmSlice;
            const Index take = std::min(klen, room);
            const bool new_slice = room == kGemmSlice;
            if (new_slice) first_[filled_ / kGemmSlice] = count_;
            GemmSegment* last = list_ + count_ - 1;
            if (!new_slice && last->a + last->klen == a && last->b + last->klen * ldw == b) {
                last->klen += take;
            } else {
                list_[count_++] = {a, b, take};
            }
            filled_ += take;
            a += take;
            b += take * ldw;
            klen -= take;
        }
    }

    // At least one slice: an empty reduction is zero.
    ConvSegments finish() {
        const Index slices = std::max<Index>(1, ceil_div(filled_, kGemmSlice));
        first_[slices] = count_;
        return {list_, first_, slices};
    }

private:
    GemmSegment* list_;
    Index* first_;
    Index count_ = 0, filled_ = 0;
};

// An image and the margins its band adds on the left and right.
struct Frame {
    Index h, w, c;
    Index left = 0, right = 0;

    Index row_elements() const { return (left + w + right) * c; }
    // Rows [begin, begin + rows) can be read in place: no pixel of the band is padding.
    bool in_place(Index begin, Index rows) const {
        return left == 0 && right == 0 && begin >= 0 && begin + rows <= h;
    }
};

// Copies image rows [begin, begin + rows) into a band of row_elements() each; what lies outside the
// image is `value`.
template <class T>
void copy_band(const Frame& frame, const T* image, Index begin, Index rows, T value, T* band) {
    const Index inner = frame.w * frame.c, row_elements = frame.row_elements();
    for (Index r = begin; r < begin + rows; ++r, band += row_elements) {
        if (r < 0 || r >= frame.h) {
            std::fill_n(band, row_elements, value);
            continue;
        }
        T* body = band + frame.left * frame.c;
        std::fill(band, body, value);
        std::memcpy(body, image + r * inner, static_cast<std::size_t>(inner) * sizeof(T));
        std::fill(body + inner, band + row_elements, value);
    }
}

// The band itself when it can be read in place, else its copy in scratch.
template <class T>
const T* band_of(ScratchScope& scratch, const Frame& frame, const T* image, Index begin, Index rows,
                 T value) {
    if (frame.in_place(begin, rows)) return image + begin * frame.w * frame.c;
    T* band = scratch.array<T>(rows * frame.row_elements());
    copy_band(frame, image, begin, rows, value, band);
    return band;
}

}  // namespace soma::kernels
