// Convolution, backward-data. Threads live here, arithmetic in conv_block.inl.
//
// C > 12, phases: with i = (ih + pad_top) / SH and r = (ih + pad_top) mod SH, the taps that reach
// dx row ih are those with kh DH = r (mod SH), and they read dy row i - e, e = (kh DH - r) / SH. So
// the dx pixels of one phase (rh, rw) are a stride-1 convolution of dy, zero outside, with the taps
// of that phase:
//
//     SH = 2, KH = 5, DH = 1:   phase 0: kh = 4 2 0 reads oh = i-2 i-1 i     dx rows 0 2 4 ...
//                               phase 1: kh =   3 1 reads oh =     i-1 i     dx rows 1 3 5 ...
//
// Taps descend so that (oh, ow) ascends: neighbours in (kw, o) are then contiguous in dy. Their
// weights are transposed to [tap, o, c]: once per call, or, when they are large and pixels few,
// slice by slice in L2. A phase without taps is an empty sum: zero.
//
// C <= 12, columns: vectors along C would be rather empty, so a row of dy is multiplied to
// columns [OW, KH KW C], which are added to dx in ascending (oh, ow).
//
// Work item = (image, band of dx rows): no two items write the same row.

#include "kernels/conv_plan.h"
#include "soma/core/parallel.h"
#include "soma/core/poll.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {
namespace {

// ---- phases -------------------------------------------------------------------------------------

// One spatial axis of the backward pass.
struct Axis {
    Index size, out, taps, stride, dilation, pad;

    Index reach() const { return dilation * (taps - 1) / stride; }  // largest e of any phase
    // Positions i of phase r whose pixel i * stride + r - pad lies inside the image.
    Index begin(Index r) const { return ceil_div(pad - r, stride); }
    Index end(Index r) const { return (size - 1 + pad - r + stride) / stride; }
    Index first() const { return pad / stride; }
    Index last() const { return (size - 1 + pad) / stride; }
    bool meets(Index tap, Index r) const { return tap * dilation % stride == r; }
    Index shift(Index tap) const { return reach() - tap * dilation / stride; }
};

struct Phase {
    Index rh, rw;
    const Index* taps;  // in the order of the reduction
    ConvSegments segments;
};

template <class T>
struct Phases {
    const ConvGeometry& g;
    Axis vertical, horizontal;
    Frame frame;
    bool depthwise, wide;
    Phase* list;
    // Panels of [tap in the order of the phases, OC, panel] for the C / G channels of each group;
    // the weights as stored when depthwise or wide.
    const T* w;
    Index panel, panel_step;
    Index block_channels;
    const T* dy;
    bool accumulate;
    T* dx;

    Index phases() const { return g.stride_h * g.stride_w; }
    void build(ScratchScope& scratch, const T* weights);
    Phase phase(ScratchScope& scratch, Index rh, Index rw, const T* weights, T*& flipped);
    void flip(const T* field, T* flipped) const;
    const T* input(ScratchScope& scratch, Index image, Index first, Index last) const;
    ConvRows<T> task(const Phase& phase, const T* band, Index first, Index last, T* image) const;
    void band(Index block, Index image, Index first, Index last) const;
    void rows_of(const Phase& phase, Index channel, const T* band, Index first, Index last,
                 T* image) const;
    void pack(const Phase& phase, Index group, Index slice, Index column, Index columns,
              T* panels) const;
    void chunk(const ChunkPlan& cut, Index first, Index last, Index column, Index columns) const;
};

// One tap's field [C / G, OC], transposed into its place in every panel.
template <class T>
void Phases<T>::flip(const T* field, T* flipped) const {
    for (Index c = 0; c < g.group_c(); c += panel, flipped += panel_step) {
        table<T>().gemm.transpose(std::min(panel, g.group_c() - c), g.oc, field + c * g.oc, g.oc,
                                  flipped, panel);
    }
}

template <class T>
Phase Phases<T>::phase(ScratchScope& scratch, Index rh, Index rw, const T* weights, T*& flipped) {
    const Index field = g.group_c() * g.oc, group_oc = depthwise ? 1 : g.group_oc();
    Index* taps = scratch.array<Index>(g.kh * g.kw);
    Index count = 0;
    SegmentBuilder builder(scratch, g.kh * g.kw, group_oc);
    for (Index kh = g.kh - 1; kh >= 0; --kh) {
        for (Index kw = g.kw - 1; kw >= 0; --kw) {
            if (!vertical.meets(kh, rh) || !horizontal.meets(kw, rw)) continue;
            const Index tap = kh * g.kw + kw;
            const Index at =
                vertical.shift(kh) * frame.row_elements() + horizontal.shift(kw) * g.oc;
            if (depthwise) {
                builder.append(at, tap * field, 1, g.oc);
            } else if (wide) {
                builder.append(at, count * group_oc * panel, group_oc, panel);
            } else {
                flip(weights + tap * field, flipped);
                builder.append(at, flipped - w, group_oc, panel);
                flipped += g.oc * panel;
            }
            taps[count++] = tap;
        }
    }
    return {rh, rw, taps, builder.finish(wide ? kGemmSlice * panel : 0)};
}

template <class T>
void Phases<T>::build(ScratchScope& scratch, const T* weights) {
    const Index width = depthwise ? g.c : g.group_c(), taps = g.kh * g.kw;
    const bool as_stored = depthwise || wide;
    panel = depthwise ? width : table<T>().conv.panel(width, ceil_div(g.w, g.stride_w));
    panel_step = taps * g.oc * panel;
    block_channels = columns_of_block(width, taps * g.group_oc(), sizeof(T), panel);
    T* flipped = as_stored ? nullptr : scratch.array<T>(ceil_div(width, panel) * panel_step);
    w = as_stored ? weights : flipped;
    list = scratch.array<Phase>(phases());
    for (Index p = 0; p < phases(); ++p) {
        list[p] = phase(scratch, p / g.stride_w, p % g.stride_w, weights, flipped);
    }
}

// The dy rows that positions [first, last) read.
template <class T>
const T* Phases<T>::input(ScratchScope& scratch, Index image, Index first, Index last) const {
    const Index reach = vertical.reach();
    return band_of(scratch, frame, dy + image * vertical.out * horizontal.out * g.oc, first - reach,
                   last - first + reach, T{0});
}

// The dx rows of one phase at positions [first, last), first channel of the first group; `band`
// begins at dy row first - reach. There may be no rows or no pixels.
template <class T>
ConvRows<T> Phases<T>::task(const Phase& phase, const T* band, Index first, Index last,
                            T* image) const {
    const Index i0 = std::max(first, vertical.begin(phase.rh));
    const Index i1 = std::min(last, vertical.end(phase.rh));
    const Index j0 = horizontal.begin(phase.rw), j1 = horizontal.end(phase.rw);
    ConvRows<T> task{};
    task.segments = phase.segments;
    task.x_row = frame.row_elements();
    task.x_pixel = g.oc;
    task.x = band + (i0 - first) * task.x_row + j0 * g.oc;
    task.ldw = panel;
    task.y_row = g.stride_h * g.w * g.c;
    task.y_pixel = g.stride_w * g.c;
    task.y = image + (i0 * g.stride_h + phase.rh - g.pad_top) * g.w * g.c +
             (j0 * g.stride_w + phase.rw - g.pad_left) * g.c;
    task.rows = std::max<Index>(0, i1 - i0);
    task.pixels = std::max<Index>(0, j1 - j0);
    task.accumulate = accumulate;
    return task;
}

template <class T>
void Phases<T>::rows_of(const Phase& phase, Index channel, const T* band, Index first, Index last,
                        T* image) const {
    const ConvRows<T> all = task(phase, band, first, last, image);
    if (all.rows == 0 || all.pixels == 0) return;
    ConvRows<T> task = all;
    const Index width = depthwise ? g.c : g.group_c();
    task.channels = std::min(block_channels, width - channel);
    task.panel = std::min(panel, task.channels);
    task.panel_step = panel_step;
    const ConvTable<T>& kernels = table<T>().conv;
    for (Index group = 0; group < (depthwise ? 1 : g.groups); ++group) {
        task.x = all.x + (depthwise ? channel : group * g.group_oc());
        task.w = w + group * g.group_oc() * panel + channel / panel * panel_step;
        task.y = all.y + group * width + channel;
        (depthwise ? kernels.depthwise_rows : kernels.rows)(task);
    }
}

template <class T>
void Phases<T>::band(Index block, Index image, Index first, Index last) const {
    ScratchScope scratch;
    const T* rows = input(scratch, image, first, last);
    for (Index p = 0; p < phases(); ++p) {
        rows_of(list[p], block * block_channels, rows, first, last, dx + image * g.h * g.w * g.c);
    }
}

// One slice of a phase, transposed; `columns` input channels of a group from `column`.
template <class T>
void Phases<T>::pack(const Phase& phase, Index group, Index slice, Index column, Index columns,
                     T* panels) const {
    const ConvSegments& all = phase.segments;
    Index k = slice * kGemmSlice, left = 0;
    for (Index s = all.first[slice]; s < all.first[slice + 1]; ++s) left += all.list[s].klen;
    while (left > 0) {
        const Index tap = phase.taps[k / g.group_oc()], o = k % g.group_oc();
        const Index rows = std::min(g.group_oc() - o, left);
        const T* from = w + (tap * g.group_c() + column) * g.oc + group * g.group_oc() + o;
        T* to = panels;
        for (Index c = 0; c < columns; c += panel, to += kGemmSlice * panel) {
            table<T>().gemm.transpose(std::min(panel, columns - c), rows, from + c * g.oc, g.oc, to,
                                      panel);
        }
        panels += rows * panel;
        k += rows;
        left -= rows;
    }
}

// Bands [first, last) of the whole batch, phase by phase, as one chunk of a wide reduction;
// `columns` channels of every group from `column`.
template <class T>
void Phases<T>::chunk(const ChunkPlan& cut, Index first, Index last, Index column,
                      Index columns) const {
    ScratchScope scratch;
    const Index begin = vertical.first(), end = vertical.last() + 1;
    const Index bands = cut.all_bands / g.n;
    T* panels = scratch.array<T>(kGemmSlice * round_up(kChunkColumns, panel));
    auto* pieces = scratch.array<ConvPiece<T>>(last - first);
    const T** inputs = scratch.array<const T*>(last - first);
    const auto from = [&](Index i) { return begin + i % bands * cut.band_rows; };
    const auto to = [&](Index i) { return std::min(from(i) + cut.band_rows, end); };
    for (Index i = first; i < last; ++i) {
        inputs[i - first] = input(scratch, i / bands, from(i), to(i));
    }
    for (Index p = 0; p < phases() * g.groups; ++p) {
        const Phase& phase = list[p / g.groups];
        const Index group = p % g.groups;
        ConvRows<T> task{};
        Index count = 0;
        for (Index i = first; i < last; ++i) {
            T* image = dx + i / bands * g.h * g.w * g.c;
            const auto rows = this->task(phase, inputs[i - first], from(i), to(i), image);
            if (rows.rows == 0 || rows.pixels == 0) continue;
            pieces[count++] = {rows.x + group * g.group_oc(), rows.y + group * g.group_c() + column,
                               rows.rows};
            task = rows;
        }
        if (count == 0) continue;
        task.panel = panel;
        task.panel_step = kGemmSlice * panel;
        run_wide(task, pieces, count, columns, panels,
                 [&](Index slice, Index at, Index width, T* packed) {
                     pack(phase, group, slice, column + at, width, packed);
                 });
    }
}

template <class T>
void backward_by_phases(const ConvGeometry& g, const T* dy, const T* w, bool accumulate, T* dx) {
    ScratchScope scratch;
    const Axis vertical{g.h, g.oh(), g.kh, g.stride_h, g.dilation_h, g.pad_top};
    const Axis horizontal{g.w, g.ow(), g.kw, g.stride_w, g.dilation_w, g.pad_left};
    const Frame frame{vertical.out, horizontal.out, g.oc, horizontal.reach(),
                      std::max<Index>(0, horizontal.last() + 1 - horizontal.out)};
    Phases<T> plan{g,
                   vertical,
                   horizontal,
                   frame,
                   is_depthwise(g),
                   is_wide_backward(g),
                   nullptr,
                   nullptr,
                   0,
                   0,
                   0,
                   dy,
                   accumulate,
                   dx};
    plan.build(scratch, w);

    const Index first = vertical.first(), positions = vertical.last() + 1 - first;
    if (plan.wide) {
        const ChunkPlan cut = cut_chunks(g.n, positions, ceil_div(g.w, g.stride_w));
        return for_chunks(cut, g.group_c(), plan.panel,
                          [&](Index begin, Index end, Index column, Index columns) {
                              plan.chunk(cut, begin, end, column, columns);
                          });
    }
    const Index band_rows =
        rows_of_band(positions, frame.row_elements() * static_cast<Index>(sizeof(T)));
    const Index bands = ceil_div(positions, band_rows);
    const Index blocks = ceil_div(plan.depthwise ? g.c : g.group_c(), plan.block_channels);
    const Index items = blocks * g.n * bands;
    if (items == 0) return;
    parallel_for(items, grain_of(g.flop() / static_cast<double>(items)),
                 [&](Index begin, Index end) {
                     for (Index i = begin; i < end; ++i) {
                         poll();
                         const Index from = first + i % bands * band_rows;
                         plan.band(i / bands / g.n, i / bands % g.n, from,
                                   std::min(from + band_rows, first + positions));
                     }
                 });
}

// ---- columns ------------------------------------------------------------------------------------

// dx row range [begin, end) of one image gets the column row of dy row oh added. Without dilation
// the values of a kernel row are one run in both. Kernel rows are innermost: neighbouring columns
// overlap in dx, and a load waits for a store that it only partly covers.
template <class T>
void add_columns(const ConvGeometry& g, const T* columns, Index oh, Index begin, Index end, T* dx) {
    const Index ow = g.ow(), row0 = oh * g.stride_h - g.pad_top, dh = g.dilation_h;
    const Index kh0 = std::max<Index>(0, ceil_div(begin - row0, dh));
    const Index kh1 = std::min(g.kh, ceil_div(end - row0, dh));
    const Index in_run = g.dilation_w == 1 ? g.kw : 1;
    for (Index o = 0; o < ow; ++o) {
        for (Index kh = kh0; kh < kh1; ++kh) {
            const T* column = columns + (o * g.kh + kh) * g.kw * g.c;
            for (Index kw = 0; kw < g.kw; kw += in_run) {
                const Index iw = o * g.stride_w + kw * g.dilation_w - g.pad_left;
                const Index first = std::max<Index>(0, -iw), last = std::min(in_run, g.w - iw);
                const T* __restrict from = column + (kw + first) * g.c;
                T* __restrict to = dx + ((row0 + kh * dh) * g.w + iw + first) * g.c;
                for (Index i = 0; i < (last - first) * g.c; ++i) to[i] += from[i];
            }
        }
    }
}

template <class T>
void columns_band(const ConvGeometry& g, const ConvRows<T>& product, const T* dy, Index begin,
                  Index end, T* dx) {
    const Index span = g.dilation_h * (g.kh - 1);
    const Index first = std::max<Index>(0, ceil_div(begin + g.pad_top - span, g.stride_h));
    const Index last = std::min(g.oh() - 1, (end - 1 + g.pad_top) / g.stride_h);
    ScratchScope scratch;
    ConvRows<T> task = product;
    task.y = scratch.array<T>(task.y_row);
    for (Index oh = first; oh <= last; ++oh) {
        task.x = dy + oh * task.x_row;
        table<T>().conv.rows(task);
        add_columns(g, task.y, oh, begin, end, dx);
    }
}

template <class T>
void backward_by_columns(const ConvGeometry& g, const T* dy, const T* w, bool accumulate, T* dx) {
    ScratchScope scratch;
    const Index k = g.kh * g.kw * g.c, ldw = round_up(k, table<T>().width);
    T* flipped = scratch.array<T>(ldw * g.oc);
    table<T>().gemm.transpose(k, g.oc, w, g.oc, flipped, ldw);
    SegmentBuilder builder(scratch, 1, g.oc);
    builder.append(0, 0, g.oc, ldw);
    ConvRows<T> product{};
    product.segments = builder.finish();
    product.x_pixel = g.oc;
    product.x_row = g.ow() * g.oc;
    product.w = flipped;
    product.ldw = ldw;
    product.panel = product.channels = product.y_pixel = k;
    product.y_row = g.ow() * k;
    product.rows = 1;
    product.pixels = g.ow();

    const Index band_rows = rows_of_band(g.h, g.w * g.c * static_cast<Index>(sizeof(T)));
    const Index bands = ceil_div(g.h, band_rows), items = g.n * bands;
    if (items == 0) return;
    parallel_for(
        items, grain_of(g.flop() / static_cast<double>(items)), [&](Index begin, Index end) {
            for (Index i = begin; i < end; ++i) {
                poll();
                T* image = dx + i / bands * g.h * g.w * g.c;
                const Index row = i % bands * band_rows, stop = std::min(row + band_rows, g.h);
                if (!accumulate) std::fill(image + row * g.w * g.c, image + stop * g.w * g.c, T{0});
                columns_band(g, product, dy + i / bands * g.oh() * product.x_row, row, stop, image);
            }
        });
}

}  // namespace

template <class T>
void conv2d_backward_data(const ConvGeometry& g, const T* dy, const T* w, bool accumulate, T* dx) {
    const ConvGeometry joined = join_images(g);
    if (by_columns(joined)) {
        backward_by_columns(joined, dy, w, accumulate, dx);
    } else {
        backward_by_phases(joined, dy, w, accumulate, dx);
    }
}

template void conv2d_backward_data(const ConvGeometry&, const float*, const float*, bool, float*);
template void conv2d_backward_data(const ConvGeometry&, const double*, const double*, bool,
                                   double*);

}  // namespace soma::kernels
