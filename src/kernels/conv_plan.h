#pragma once
// Pieces of a convolution's plan that forward and both backward passes share: the segments of a
// reduction, the band of rows in which padding is made real, the size of work units, and the loop
// over reductions whose weights do not fit in L2.
//
// Everything here is a pure function of the shape; arrays live in the caller's scratch.

#include <algorithm>
#include <cstring>

#include "soma/core/arena.h"
#include "soma/core/parallel.h"
#include "soma/core/poll.h"
#include "soma/kernels/conv.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/table/conv.h"

namespace soma::kernels {

inline constexpr Index kBandBytes = Index{512} << 10;    // a padded band stays in L2,
inline constexpr Index kBlockBytes = Index{1280} << 10;  // and so do the weights of a column block
// Weights are copied into panels when enough pixels use them: in place, the rows of a strip are OC
// apart, one page or less holds few of them, and the TLB is the limit.
inline constexpr Index kPanelPixels = 128;
inline constexpr Index kColumnChannels = 12;
inline constexpr double kUnitFlop = 1e6;  // about 20 us: least work worth a thread

inline bool is_depthwise(const ConvGeometry& g) {
    return g.groups > 1 && g.groups == g.c && g.groups == g.oc && g.kh * g.kw <= kGemmSlice;
}

// Two kinds of convolution do not see where one image ends, and become one image of 1x1: those that
// are 1x1 already, whose rows follow each other, and those whose kernel covers the image, which is
// then one pixel of KH KW C channels. An empty batch stays one: an image has at least one row.
inline ConvGeometry join_images(ConvGeometry g) {
    const bool padded = g.pad_top + g.pad_bottom + g.pad_left + g.pad_right > 0;
    if (padded || g.n == 0) return g;
    const bool dense = g.groups == 1 && g.dilation_h == 1 && g.dilation_w == 1;
    if (dense && g.kh == g.h && g.kw == g.w) {
        g.c *= g.kh * g.kw;
        g.h = g.w = g.kh = g.kw = g.stride_h = g.stride_w = 1;
    }
    if (g.kh == 1 && g.kw == 1 && g.stride_h == 1 && g.stride_w == 1) {
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
inline Index columns_of_block(Index columns, Index k, Index element_bytes, Index panel) {
    const Index fit = kBlockBytes / (k * element_bytes) / panel * panel;
    return std::min(columns, std::max(panel, fit));
}

// Does backward-data go through columns? With few channels phases leave most lanes empty.
inline bool by_columns(const ConvGeometry& g) {
    return g.groups == 1 && g.c <= kColumnChannels && g.kh * g.kw > 1;
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

    // At least one slice: an empty reduction is zero. slice_step: what b of every slice but the
    // first is too large by, times the number of the slice.
    ConvSegments finish(Index slice_step = 0) {
        const Index slices = std::max<Index>(1, ceil_div(filled_, kGemmSlice));
        first_[slices] = count_;
        for (Index p = 1; p < slices; ++p)
            for (Index s = first_[p]; s < first_[p + 1]; ++s) list_[s].b -= p * slice_step;
        return {list_, first_, slices};
    }

private:
    GemmSegment* list_;
    Index* first_;
    Index count_ = 0, filled_ = 0;
};

// ---- wide reductions ----------------------------------------------------------------------------
//
// Weights that do not stay in L2 are brought there slice by slice, as panels, and each slice serves
// a chunk of pixels whose partial sums stay in L2 with it:
//
//     for chunk of pixels, block of columns, slice:  panels = w[slice, block];  y += x panels

inline constexpr Index kChunkPixels = 512;
inline constexpr Index kChunkColumns = 256;
inline constexpr Index kWideBytes = Index{1} << 20;    // weights above this do not stay in L2
inline constexpr Index kOnceBytes = Index{128} << 10;  // above this, one chunk needs no other copy
inline constexpr Index kFewPixels = 32;                // with fewer, w is read in place

inline bool is_wide(Index pixels, Index k, Index columns, Index element_bytes) {
    const Index bytes = k * columns * element_bytes;
    return pixels >= kFewPixels &&
           (bytes > kWideBytes || (bytes > kOnceBytes && pixels <= kChunkPixels));
}

// Bands of rows, and chunks of bands: about kChunkPixels each.
struct ChunkPlan {
    Index band_rows, all_bands, bands, chunks;  // bands of a chunk
};
inline ChunkPlan cut_chunks(Index images, Index rows, Index pixels) {
    const Index most = std::max<Index>(1, kChunkPixels / pixels);
    const Index per_image = ceil_div(rows, most), band_rows = ceil_div(rows, per_image);
    const Index all = images * per_image;
    const Index bands = std::max<Index>(1, kChunkPixels / (band_rows * pixels));
    return {band_rows, all, bands, ceil_div(all, bands)};
}

// Calls f(first band, end band, first column, columns) for all chunks, in parallel; fewer chunks
// than threads are split by columns, too.
template <class F>
void for_chunks(const ChunkPlan& cut, Index width, Index panel, F&& f) {
    const Index threads = in_parallel() ? 1 : num_threads();
    const Index least = cut.chunks >= threads ? width : ceil_div(width, threads);
    const Index columns = round_up(least, panel), parts = ceil_div(width, columns);
    parallel_for(cut.chunks * parts, 1, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            poll();
            const Index first = i / parts * cut.bands, column = i % parts * columns;
            f(first, std::min(first + cut.bands, cut.all_bands), column,
              std::min(columns, width - column));
        }
    });
}

// Backward-data needs its weights transposed. Large ones leave L2 in between: when one chunk is all
// pixels, they are transposed slice by slice.
inline bool is_wide_backward(const ConvGeometry& g) {
    const Index bytes = g.kh * g.kw * g.group_c() * g.group_oc() * Index{sizeof(float)};
    const Index pixels = g.n * g.h * g.w / (g.stride_h * g.stride_w);
    return !is_depthwise(g) && g.n > 0 && bytes > kOnceBytes && pixels <= kChunkPixels;
}

// A copy of m[k, columns], rows ld apart, in panels, panel_step apart; lanes past the last column
// are not written. Blocks of rows, so that both sides are read and written in runs.
template <class T>
void pack_panels(Index k, Index columns, const T* m, Index ld, Index panel, Index panel_step,
                 T* panels) {
    constexpr Index kRows = 16;
    for (Index first = 0; first < k; first += kRows) {
        const Index rows = std::min(kRows, k - first);
        T* to = panels + first * panel;
        for (Index begin = 0; begin < columns; begin += panel, to += panel_step) {
            const auto bytes =
                sizeof(T) * static_cast<std::size_t>(std::min(panel, columns - begin));
            for (Index i = 0; i < rows; ++i) {
                std::memcpy(to + i * panel, m + (first + i) * ld + begin, bytes);
            }
        }
    }
}

// The rows of one image in a chunk.
template <class T>
struct ConvPiece {
    const T* x;
    T* y;
    Index rows;
};

// All slices of `columns` columns; pack(slice, first column, columns, panels) writes panels of
// task.panel columns, task.panel_step apart.
template <class T, class Pack>
void run_wide(ConvRows<T> task, const ConvPiece<T>* pieces, Index count, Index columns, T* panels,
              Pack&& pack) {
    const ConvSegments all = task.segments;
    const bool accumulate = task.accumulate, relu = task.relu;
    const T* bias = task.bias;
    const Index block = round_up(kChunkColumns, task.panel);
    task.w = panels;
    for (Index begin = 0; begin < columns; begin += block) {
        task.channels = std::min(block, columns - begin);
        for (Index p = 0; p < all.slices; ++p) {
            const Index bounds[2] = {0, all.first[p + 1] - all.first[p]};
            const bool last = p == all.slices - 1;
            pack(p, begin, task.channels, panels);
            task.segments = {all.list + all.first[p], bounds, 1};
            task.accumulate = p > 0 || accumulate;
            task.bias = last && bias != nullptr ? bias + begin : nullptr;
            task.relu = last && relu;
            for (Index i = 0; i < count; ++i) {
                task.x = pieces[i].x;
                task.y = pieces[i].y + begin;
                task.rows = pieces[i].rows;
                table<T>().conv.rows(task);
            }
        }
    }
}

// ---- leaves of backward-weights -----------------------------------------------------------------
//
// With many channels the pixels of a tap are far apart: a tile's column of x has a line for each
// pixel, and many of these lines share a set of L1. A leaf of x is then transposed, so that its
// rows follow the reduction. That pays when enough output channels use it; taps that overlap are
// transposed again, and need more.

inline constexpr Index kTransposedRows = 240;          // at most at once: 256 KB
inline constexpr Index kLeafStride = kGemmSlice + 16;  // rows of a transposed leaf, an odd line

inline bool transposes_leaves(const ConvGeometry& g) {
    const Index enough = g.kh * g.kw == 1 ? 128 : 256;
    return !is_depthwise(g) && g.group_c() >= 16 && g.group_oc() >= enough;
}

// Rows that are transposed at once, of a block of `rows`.
inline Index transposed_rows(Index rows) { return ceil_div(rows, ceil_div(rows, kTransposedRows)); }

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

// Pixels that tiles see in a row: output rows whose pixels follow each other are one.
inline Index row_of_tiles(const ConvGeometry& g, const Frame& frame) {
    const bool joined = g.stride_h * frame.row_elements() == g.ow() * g.stride_w * g.c;
    return joined ? g.oh() * g.ow() : g.ow();
}

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
