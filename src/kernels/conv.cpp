// Convolution: geometry checks and the forward pass. Threads live here, arithmetic in
// conv_block.inl; the backward passes are in conv_data.cpp and conv_weights.cpp.
//
// Weights that stay in L2: all are copied into panels once; work item = (block of output channels,
// image, band of output rows), channel blocks outermost. Wider ones: work item = chunk of bands,
// for which each thread packs slice after slice (conv_plan.h). An item makes its input band
// contiguous with the padding around it, or reads x in place; one kernel call per group computes a
// band.

#include "soma/kernels/conv.h"

#include "kernels/conv_epilogue.h"
#include "kernels/conv_plan.h"
#include "kernels/conv_planes.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/poll.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {

void check_geometry(const char* op, const ConvGeometry& g) {
    const auto pair = [](Index a, Index b) { return concat("[", a, ", ", b, "]"); };
    SOMA_CHECK(g.n >= 0 && g.h >= 1 && g.w >= 1 && g.c >= 1, op, ": x is [", g.n, ", ", g.h, ", ",
               g.w, ", ", g.c, "]; need at least one pixel and one channel");
    SOMA_CHECK(g.kh >= 1 && g.kw >= 1 && g.oc >= 1, op, ": kernel is ", pair(g.kh, g.kw), " with ",
               g.oc, " outputs; need at least 1");
    SOMA_CHECK(g.stride_h >= 1 && g.stride_w >= 1, op, ": stride is ", pair(g.stride_h, g.stride_w),
               "; need at least 1");
    SOMA_CHECK(g.dilation_h >= 1 && g.dilation_w >= 1, op, ": dilation is ",
               pair(g.dilation_h, g.dilation_w), "; need at least 1");
    SOMA_CHECK(g.pad_top >= 0 && g.pad_bottom >= 0 && g.pad_left >= 0 && g.pad_right >= 0, op,
               ": padding is [", g.pad_top, ", ", g.pad_bottom, ", ", g.pad_left, ", ", g.pad_right,
               "]; need at least 0");
    SOMA_CHECK(g.groups >= 1 && g.c % g.groups == 0 && g.oc % g.groups == 0, op, ": ", g.groups,
               " groups, ", g.c, " input and ", g.oc, " output channels; groups must divide both");
    const Index span_h = g.dilation_h * (g.kh - 1) + 1, span_w = g.dilation_w * (g.kw - 1) + 1;
    const Index full_h = g.h + g.pad_top + g.pad_bottom, full_w = g.w + g.pad_left + g.pad_right;
    SOMA_CHECK(span_h <= full_h && span_w <= full_w, op, ": kernel spans ", pair(span_h, span_w),
               " pixels, the padded image is ", pair(full_h, full_w), "; need a kernel that fits");
}

namespace {

template <class T>
struct Forward {
    const ConvGeometry& g;
    const T* x;
    const T* w;
    const ConvEpilogue<T>& epilogue;
    T* y;
    Frame frame;
    ConvSegments segments;
    bool depthwise, packed;
    Index panel, block_channels;

    Index k() const { return g.kh * g.kw * g.group_c(); }
    Index width() const { return depthwise ? g.oc : g.group_oc(); }  // channels of a group
    Index groups() const { return depthwise ? 1 : g.groups; }
    const T* input(ScratchScope& scratch, Index image, Index first_row, Index rows) const;
    ConvRows<T> task() const;
    void band(Index block, Index image, Index first_row, Index rows) const;
    void chunk(Index first, Index last, Index band_rows, Index column, Index columns) const;
};

// The input under output rows [first_row, first_row + rows).
template <class T>
const T* Forward<T>::input(ScratchScope& scratch, Index image, Index first_row, Index rows) const {
    return band_of(scratch, frame, x + image * g.h * g.w * g.c, first_row * g.stride_h - g.pad_top,
                   (rows - 1) * g.stride_h + g.dilation_h * (g.kh - 1) + 1,
                   static_cast<T>(g.pad_value));
}

// What all work items have in common.
template <class T>
ConvRows<T> Forward<T>::task() const {
    ConvRows<T> task{};
    task.segments = segments;
    task.x_row = g.stride_h * frame.row_elements();
    task.x_pixel = g.stride_w * g.c;
    task.y_pixel = g.oc;
    task.y_row = g.ow() * g.oc;
    task.ldw = packed ? panel : g.oc;
    task.pixels = g.ow();
    task.relu = fused_relu(epilogue);
    return task;
}

template <class T>
void Forward<T>::band(Index block, Index image, Index first_row, Index rows) const {
    ScratchScope scratch;
    const ConvTable<T>& kernels = table<T>().conv;
    const T* in = input(scratch, image, first_row, rows);
    ConvRows<T> task = this->task();
    task.rows = rows;
    const Index first_channel = block * block_channels, group_panels = round_up(width(), panel);
    task.channels = std::min(block_channels, width() - first_channel);
    task.panel = packed ? panel : task.channels;
    task.panel_step = k() * panel;
    for (Index group = 0; group < groups(); ++group) {
        const Index channel = group * width() + first_channel;
        const Index in_image = first_row * task.y_row + channel;
        task.x = in + (depthwise ? channel : group * g.group_c());
        task.w = w + (packed ? (group * group_panels + first_channel) * k() : channel);
        task.y = y + image * g.oh() * task.y_row + in_image;
        if (epilogue.bias != nullptr) task.bias = epilogue.bias + channel;
        (depthwise ? kernels.depthwise_rows : kernels.rows)(task);
        finish(epilogue, task, in_image);
    }
}

// Bands [first, last) of the whole batch, band_rows rows each, as one chunk of a wide reduction;
// `columns` channels of every group from `column`.
template <class T>
void Forward<T>::chunk(Index first, Index last, Index band_rows, Index column,
                       Index columns) const {
    ScratchScope scratch;
    T* panels = scratch.array<T>(kGemmSlice * round_up(kChunkColumns, panel));
    auto* pieces = scratch.array<ConvPiece<T>>(last - first);
    const T** inputs = scratch.array<const T*>(last - first);
    T** outputs = scratch.array<T*>(last - first);
    ConvRows<T> task = this->task();
    const Index bands = ceil_div(g.oh(), band_rows);
    for (Index i = first; i < last; ++i) {
        const Index row = i % bands * band_rows, rows = std::min(band_rows, g.oh() - row);
        inputs[i - first] = input(scratch, i / bands, row, rows);
        outputs[i - first] = y + (i / bands * g.oh() + row) * task.y_row;
        pieces[i - first].rows = rows;
    }
    task.panel = panel;
    task.panel_step = kGemmSlice * panel;
    for (Index group = 0; group < g.groups; ++group) {
        const Index channel = group * width() + column;
        const auto pack = [&](Index slice, Index begin, Index count, T* to) {
            const Index k0 = slice * kGemmSlice, rows = std::min(kGemmSlice, k() - k0);
            pack_panels(rows, count, w + k0 * g.oc + channel + begin, g.oc, panel, task.panel_step,
                        to);
        };
        for (Index i = 0; i < last - first; ++i) {
            pieces[i].x = inputs[i] + group * g.group_c();
            pieces[i].y = outputs[i] + channel;
        }
        if (epilogue.bias != nullptr) task.bias = epilogue.bias + channel;
        run_wide(task, pieces, last - first, columns, panels, pack);
        ConvRows<T> done = task;
        done.channels = columns;
        for (Index i = 0; i < last - first; ++i) {
            done.y = pieces[i].y;
            done.rows = pieces[i].rows;
            finish(epilogue, done, (done.y - y) % (g.oh() * task.y_row));
        }
    }
}

template <class T>
void run_bands(const Forward<T>& plan) {
    const ConvGeometry& g = plan.g;
    const Index row_bytes = g.stride_h * plan.frame.row_elements() * Index{sizeof(T)};
    const Index oh = g.oh(), band_rows = rows_of_band(oh, row_bytes);
    const Index bands = ceil_div(oh, band_rows);
    const Index items = ceil_div(plan.width(), plan.block_channels) * g.n * bands;
    if (items == 0) return;
    parallel_for(
        items, grain_of(g.flop() / static_cast<double>(items)), [&](Index begin, Index end) {
            for (Index i = begin; i < end; ++i) {
                poll();
                const Index row = i % bands * band_rows;
                plan.band(i / bands / g.n, i / bands % g.n, row, std::min(band_rows, oh - row));
            }
        });
}

template <class T>
void run_chunks(const Forward<T>& plan) {
    const ChunkPlan cut = cut_chunks(plan.g.n, plan.g.oh(), plan.g.ow());
    for_chunks(cut, plan.width(), plan.panel,
               [&](Index first, Index last, Index column, Index columns) {
                   plan.chunk(first, last, cut.band_rows, column, columns);
               });
}

template <class T>
void forward(const ConvGeometry& g, const T* x, const T* w, const ConvEpilogue<T>& epilogue, T* y) {
    ScratchScope scratch;
    const Index taps = g.kh * g.kw, k = taps * g.group_c(), pixels = g.n * g.oh() * g.ow();
    const Index span_w = (g.ow() - 1) * g.stride_w + g.dilation_w * (g.kw - 1) + 1;
    const Frame frame{g.h, g.w, g.c, g.pad_left, std::max<Index>(0, span_w - g.pad_left - g.w)};
    const bool depthwise = is_depthwise(g);
    const Index width = depthwise ? g.oc : g.group_oc();
    const bool wide = !depthwise && is_wide(pixels, k, width, sizeof(T));
    const bool packed = wide || (!depthwise && pixels >= kPanelPixels);
    const Index panel = table<T>().conv.panel(width, row_of_tiles(g, frame));
    const Index ldw = packed ? panel : g.oc;
    SegmentBuilder builder(scratch, taps, g.group_c());
    for (Index tap = 0; tap < taps; ++tap) {
        builder.append(
            tap / g.kw * g.dilation_h * frame.row_elements() + tap % g.kw * g.dilation_w * g.c,
            tap * g.group_c() * ldw, g.group_c(), ldw);
    }
    Forward<T> plan{g,
                    x,
                    w,
                    epilogue,
                    y,
                    frame,
                    builder.finish(wide ? kGemmSlice * panel : 0),
                    depthwise,
                    packed,
                    panel,
                    columns_of_block(width, k, sizeof(T), panel)};
    if (wide) return run_chunks(plan);
    if (packed) {
        T* panels = scratch.array<T>(k * round_up(width, panel) * g.groups);
        for (Index group = 0; group < g.groups; ++group) {
            pack_panels(k, width, w + group * width, g.oc, panel, k * panel,
                        panels + group * k * round_up(width, panel));
        }
        plan.w = panels;
    }
    run_bands(plan);
}

}  // namespace

template <class T>
void conv2d(const ConvGeometry& g, const T* x, const T* w, const ConvEpilogue<T>& epilogue, T* y) {
    const ConvGeometry joined = epilogue.unit_bias == nullptr ? join_images(g) : g;
    if (by_planes(joined, table<T>().width)) {
        forward_by_planes(joined, x, w, epilogue, y);
    } else {
        forward(joined, x, w, epilogue, y);
    }
}

template <class T>
void mask_weights(Index taps, Index c, Index oc, const std::uint8_t* connected, const T* src,
                  bool accumulate, T* dst) {
    const Index field = c * oc;
    ScratchScope scratch;
    T* keep = scratch.array<T>(field);
    for (Index i = 0; i < field; ++i) keep[i] = static_cast<T>(connected[i]);
    const auto add_kept = table<T>().elementwise.where_backward;
    for (Index tap = 0; tap < taps; ++tap, src += field, dst += field) {
        add_kept(0, field, keep, src, accumulate, dst);
    }
}

#define SOMA_INSTANTIATE(T)                                                                    \
    template void conv2d(const ConvGeometry&, const T*, const T*, const ConvEpilogue<T>&, T*); \
    template void mask_weights(Index, Index, Index, const std::uint8_t*, const T*, bool, T*);
SOMA_INSTANTIATE(float)
SOMA_INSTANTIATE(double)
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
