// Convolution, backward-weights. Threads live here, arithmetic in conv_backward.inl.
//
// dw is a field of rows (tap, c) by columns o, and the reduction runs over pixels (n, oh, ow):
//
//                 leaf 0 (256 pixels)   leaf 1   leaf 2   ...   last leaf (the rest)
//     block 0     partial               partial  partial        partial      -> TREE -> dw rows
//     block 1     partial               partial  partial        partial      -> TREE -> dw rows
//
// A block of rows is so small that its partials, one for each level of the tree, stay in L2. Within
// a block, leaves are folded by a binary counter: two parts of equal size merge at once, the rest
// from the right; the odd leaf of a pair is added straight into its partner by the kernel. When
// blocks are too few for the threads, leaves are split as well, in chunks of a power of two: a
// chunk's result is a node of the same tree.

#include <bit>

#include "kernels/conv_plan.h"
#include "soma/core/parallel.h"
#include "soma/core/poll.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/reduce.h"

namespace soma::kernels {
namespace {

constexpr Index kLevelBytes = Index{1} << 20;  // all levels of a block: half of an L2
constexpr Index kItemsPerThread = 4;

// b = a + b, element by element: one merge of the tree (addition commutes).
template <class T>
void merge(Index n, const T* a, T* b) {
    table<T>().gemm.combine(1, n, T{1}, a, n, T{1}, b, n);
}

// The pixels of one leaf as the kernel wants them; segments' b counts from the start of dy.
template <class T>
struct LeafPixels {
    const T* x;
    GemmSegment* segments;
    Index count;
};

template <class T>
struct Weights {
    const ConvGeometry& g;
    const T* x;
    const T* dy;
    Frame frame;
    bool depthwise;
    Index* tap_offset;
    Index taps, tap_rows;
    Index block_rows;

    bool padded;

    Index field_rows() const { return taps * tap_rows; }
    Index pixels() const { return g.n * g.oh() * g.ow(); }
    Index leaves() const { return ceil_div(pixels(), kGemmSlice); }
    // Input rows under `rows` output rows.
    Index band_rows(Index rows) const {
        return (rows - 1) * g.stride_h + g.dilation_h * (g.kh - 1) + 1;
    }
    // At most the elements of all bands of output pixels [begin, end).
    Index band_elements(Index begin, Index end) const {
        const Index rows = (end - 1) / g.ow() - begin / g.ow() + 1;
        const Index images = (end - 1) / (g.oh() * g.ow()) - begin / (g.oh() * g.ow()) + 1;
        return (rows * g.stride_h + images * band_rows(1)) * frame.row_elements();
    }
    LeafPixels<T> pixels_of(ScratchScope& scratch, Index leaf) const;
    void transpose(const LeafPixels<T>& in, Index group, Index row, Index rows, T* to) const;
    void products(const LeafPixels<T>& in, Index leaf, Index row_begin, Index row_end,
                  bool accumulate, T* dw) const;
    void leaf(Index leaf, Index row_begin, Index row_end, bool accumulate, T* dw) const;
    void tree(Index row_begin, Index row_end, Index first, Index last, bool accumulate,
              T* dw) const;
};

// Cuts a leaf into runs of pixels that are equally spaced in x. With padding, the rows that each
// image contributes are copied into one scratch buffer first.
template <class T>
LeafPixels<T> Weights<T>::pixels_of(ScratchScope& scratch, Index leaf) const {
    const Index ow = g.ow(), image_pixels = g.oh() * ow, x_pixel = g.stride_w * g.c;
    const Index row_step = g.stride_h * frame.row_elements(), begin = leaf * kGemmSlice;
    const Index end = std::min(pixels(), begin + kGemmSlice);
    T* band = padded ? scratch.array<T>(band_elements(begin, end)) : nullptr;
    LeafPixels<T> result{padded ? band : x, scratch.array<GemmSegment>(end - begin), 0};
    Index used = 0;  // elements of the buffer
    for (Index p = begin; p < end;) {
        const Index image = p / image_pixels, stop = std::min(end, (image + 1) * image_pixels);
        const Index row0 = p % image_pixels / ow;
        const Index first_row = row0 * g.stride_h - g.pad_top;
        Index at = (image * g.h + first_row) * frame.row_elements();
        if (padded) {
            const Index rows = band_rows((stop - 1) % image_pixels / ow - row0 + 1);
            copy_band(frame, x + image * g.h * g.w * g.c, first_row, rows,
                      static_cast<T>(g.pad_value), band + used);
            at = used;
            used += rows * frame.row_elements();
        }
        for (; p < stop; at += row_step) {
            const Index column = p % ow, length = std::min(ow - column, stop - p);
            const Index a = at + column * x_pixel;
            GemmSegment* last = result.segments + result.count - 1;
            if (result.count > 0 && last->a + last->klen * x_pixel == a) {
                last->klen += length;
            } else {
                result.segments[result.count++] = {a, p * g.oc, length};
            }
            p += length;
        }
    }
    return result;
}

// `rows` rows of the field from `row`, one leaf of pixels each, kLeafStride apart.
template <class T>
void Weights<T>::transpose(const LeafPixels<T>& in, Index group, Index row, Index rows,
                           T* to) const {
    const T* x_of_group = in.x + group * g.group_c();
    for (const Index end = row + rows; row < end;) {
        const Index tap = row / tap_rows, c = row % tap_rows,
                    count = std::min(tap_rows - c, end - row);
        Index pixels = 0;
        for (Index s = 0; s < in.count; ++s) {
            const GemmSegment& run = in.segments[s];
            table<T>().gemm.transpose(run.klen, count, x_of_group + tap_offset[tap] + c + run.a,
                                      g.stride_w * g.c, to + pixels, kLeafStride);
            pixels += run.klen;
        }
        row += count;
        to += count * kLeafStride;
    }
}

// As leaf, as a product of the transposed leaf of x with the leaf of dy.
template <class T>
void Weights<T>::products(const LeafPixels<T>& in, Index leaf, Index row_begin, Index row_end,
                          bool accumulate, T* dw) const {
    ScratchScope scratch;
    const Index most = transposed_rows(row_end - row_begin);
    T* transposed = scratch.array<T>(most * kLeafStride);
    T* panel = scratch.array<T>(kGemmSlice * kPanelVectors * table<T>().width);
    GemmBlock<T> block{};
    block.n = g.group_oc();
    block.k = std::min(kGemmSlice, pixels() - leaf * kGemmSlice);
    block.alpha = 1;
    block.a = transposed;
    block.a_row = kLeafStride;
    block.a_k = 1;
    block.ldb = block.ldc = g.oc;
    block.beta = accumulate ? T{1} : T{0};
    for (Index group = 0; group < g.groups; ++group) {
        block.b = dy + leaf * kGemmSlice * g.oc + group * block.n;
        for (Index row = row_begin; row < row_end; row += most) {
            block.m = std::min(most, row_end - row);
            transpose(in, group, row, block.m, transposed);
            block.c = dw + (row - row_begin) * g.oc + group * block.n;
            block.panel = block.m >= kPackingRows ? panel : nullptr;
            table<T>().gemm.block(block);
        }
    }
}

// dw rows [row_begin, row_end) (+)= the sum over one leaf.
template <class T>
void Weights<T>::leaf(Index leaf, Index row_begin, Index row_end, bool accumulate, T* dw) const {
    ScratchScope scratch;
    poll();
    const LeafPixels<T> in = pixels_of(scratch, leaf);
    if (transposes_leaves(g)) return products(in, leaf, row_begin, row_end, accumulate, dw);
    ConvLeaf<T> task{};
    task.segments = in.segments;
    task.segment_count = in.count;
    task.x_pixel = g.stride_w * g.c;
    task.ldy = task.ldw = g.oc;
    task.tap_offset = tap_offset;
    task.tap_rows = tap_rows;
    task.row_begin = row_begin;
    task.row_end = row_end;
    task.channels = depthwise ? g.oc : g.group_oc();
    task.accumulate = accumulate;
    const ConvTable<T>& kernels = table<T>().conv;
    for (Index group = 0; group < (depthwise ? 1 : g.groups); ++group) {
        task.x = in.x + group * g.group_c();
        task.dy = dy + group * g.group_oc();
        task.dw = dw + group * g.group_oc();
        (depthwise ? kernels.depthwise_leaf : kernels.leaf)(task);
    }
}

// dw rows [row_begin, row_end) (+)= the tree over leaves [first, last).
template <class T>
void Weights<T>::tree(Index row_begin, Index row_end, Index first, Index last, bool accumulate,
                      T* dw) const {
    if (last - first == 1) return leaf(first, row_begin, row_end, accumulate, dw);
    ScratchScope scratch;
    const Index size = (row_end - row_begin) * g.oc;
    const int levels = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(last - first)));
    T* parts[64];
    Index leaves_in[64];
    for (int level = 0; level < levels; ++level) {
        const bool in_place = level == 0 && !accumulate;
        parts[level] = in_place ? dw : scratch.array<T>(size);
    }
    int top = 0;  // parts[0 .. top - 1] wait for a partner, sizes descending
    for (Index i = first; i < last; ++i) {
        const bool completes_pair = (i - first) % 2 == 1;
        if (!completes_pair) {
            leaf(i, row_begin, row_end, false, parts[top]);
            leaves_in[top++] = 1;
            continue;
        }
        leaf(i, row_begin, row_end, true, parts[top - 1]);
        leaves_in[top - 1] = 2;
        for (; top >= 2 && leaves_in[top - 2] == leaves_in[top - 1]; --top) {
            merge(size, parts[top - 1], parts[top - 2]);
            leaves_in[top - 2] *= 2;
        }
    }
    for (; top >= 2; --top) merge(size, parts[top - 1], parts[top - 2]);
    if (accumulate) merge(size, parts[0], dw);
}

// Leaves in a chunk: all of them, unless the blocks alone cannot occupy the threads.
Index chunk_leaves(Index blocks, Index leaves, double flop_per_leaf) {
    const Index threads = in_parallel() ? 1 : num_threads();
    if (threads == 1 || blocks >= 2 * threads) return leaves;
    const Index wanted = ceil_div(kItemsPerThread * threads, blocks);
    const Index least = std::max(ceil_div(leaves, wanted), grain_of(flop_per_leaf));
    const Index chunk = static_cast<Index>(std::bit_ceil(static_cast<std::uint64_t>(least)));
    return std::min(leaves, chunk);
}

template <class T>
void run(const Weights<T>& plan, bool accumulate, T* dw) {
    const Index rows = plan.field_rows(), leaves = plan.leaves(), oc = plan.g.oc;
    const Index blocks = ceil_div(rows, plan.block_rows);
    const double leaf_flop = plan.g.flop() / static_cast<double>(leaves);
    const Index chunk = chunk_leaves(blocks, leaves, leaf_flop);
    const Index chunks = ceil_div(leaves, chunk), size = rows * oc;
    ScratchScope scratch;
    T* parts = chunks > 1 ? scratch.array<T>(chunks * size) : nullptr;
    const Index items = blocks * chunks;
    parallel_for(
        items, grain_of(plan.g.flop() / static_cast<double>(items)), [&](Index begin, Index end) {
            for (Index i = begin; i < end; ++i) {
                const Index row = i / chunks * plan.block_rows, part = i % chunks;
                T* target = (chunks > 1 ? parts + part * size : dw) + row * oc;
                plan.tree(row, std::min(rows, row + plan.block_rows), part * chunk,
                          std::min(leaves, (part + 1) * chunk), accumulate && chunks == 1, target);
            }
        });
    if (chunks == 1) return;
    fold_tree(chunks, size, parts);
    if (accumulate) return merge(size, parts, dw);
    std::memcpy(dw, parts, static_cast<std::size_t>(size) * sizeof(T));
}

// Does any tap leave the image?
bool needs_copy(const ConvGeometry& g, const Frame& frame) {
    const Index last = (g.oh() - 1) * g.stride_h - g.pad_top + g.dilation_h * (g.kh - 1);
    return frame.left > 0 || frame.right > 0 || g.pad_top > 0 || last >= g.h;
}

template <class T>
void backward_weights(const ConvGeometry& g, const T* x, const T* dy, bool accumulate, T* dw) {
    if (g.n == 0) {
        if (!accumulate) std::fill_n(dw, g.weight_count(), T{0});
        return;
    }
    ScratchScope scratch;
    const Index span_w = (g.ow() - 1) * g.stride_w + g.dilation_w * (g.kw - 1) + 1;
    const Frame frame{g.h, g.w, g.c, g.pad_left, std::max<Index>(0, span_w - g.pad_left - g.w)};
    const bool depthwise = is_depthwise(g), row_taps = g.groups == 1 && g.dilation_w == 1;
    const Index taps = row_taps ? g.kh : g.kh * g.kw, per_row = row_taps ? 1 : g.kw;
    Weights<T> plan{g,         x,
                    dy,        frame,
                    depthwise, scratch.array<Index>(taps),
                    taps,      row_taps ? g.kw * g.c : g.group_c(),
                    0,         needs_copy(g, frame)};
    for (Index tap = 0; tap < taps; ++tap) {
        plan.tap_offset[tap] = tap / per_row * g.dilation_h * frame.row_elements() +
                               tap % per_row * g.dilation_w * g.c;
    }
    const Index levels = std::bit_width(static_cast<std::uint64_t>(plan.leaves()));
    const Index fit = kLevelBytes / (levels * g.oc * static_cast<Index>(sizeof(T)));
    const Index rows = plan.field_rows(), blocks = ceil_div(rows, std::max<Index>(24, fit));
    plan.block_rows = round_up(ceil_div(rows, blocks), 24);
    run(plan, accumulate, dw);
}

}  // namespace

template <class T>
void conv2d_backward_weights(const ConvGeometry& g, const T* x, const T* dy, bool accumulate,
                             T* dw) {
    backward_weights(join_images(g), x, dy, accumulate, dw);
}

template void conv2d_backward_weights(const ConvGeometry&, const float*, const float*, bool,
                                      float*);
template void conv2d_backward_weights(const ConvGeometry&, const double*, const double*, bool,
                                      double*);

}  // namespace soma::kernels
