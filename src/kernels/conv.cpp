// Convolution: geometry checks and the forward pass. Threads live here, arithmetic in
// conv_block.inl; the backward passes are in conv_data.cpp and conv_weights.cpp.
//
// Work item = (block of output channels, image, band of output rows), channel blocks outermost so
// that their weights stay in L2. An item makes its input band contiguous with the padding around it
// (or reads x in place), then one kernel call per group computes all its rows.

#include "soma/kernels/conv.h"

#include "kernels/conv_plan.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
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

// ReLU is applied in registers unless a unit bias comes between.
template <class T>
bool fused_relu(const ConvEpilogue<T>& e) {
    return e.activation == Activation::relu && e.unit_bias == nullptr;
}

// The rest of the epilogue, while the rows just written are in cache.
template <class T>
void finish(const ConvEpilogue<T>& e, const ConvRows<T>& task, Index in_image) {
    const bool activate = e.activation != Activation::none && !fused_relu(e);
    if (e.unit_bias == nullptr && !activate) return;
    const ElementwiseTable<T>& kernels = table<T>().elementwise;
    const bool whole = task.channels == task.y_pixel;  // all pixels are one run
    const Index runs = whole ? 1 : task.rows * task.pixels;
    const Index run = whole ? task.rows * task.pixels * task.channels : task.channels;
    for (Index i = 0; i < runs; ++i) {
        T* y = task.y + i * task.y_pixel;
        if (e.unit_bias != nullptr) {
            kernels.binary(Binary::add, run, y, 1, e.unit_bias + in_image + i * task.y_pixel, 1, y);
        }
        if (activate) kernels.activation(e.activation, e.slope, run, y, y);
    }
}

template <class T>
struct Forward {
    const ConvGeometry& g;
    const T* x;
    const T* w;
    const ConvEpilogue<T>& epilogue;
    T* y;
    Frame frame;
    ConvSegments segments;
    bool depthwise;
    Index block_channels;
    Index panel_k;  // rows of w when it is in panels, else 0

    void band(Index block, Index image, Index first_row, Index rows) const;
};

template <class T>
void Forward<T>::band(Index block, Index image, Index first_row, Index rows) const {
    ScratchScope scratch;
    const ConvTable<T>& kernels = table<T>().conv;
    const T* in = band_of(
        scratch, frame, x + image * g.h * g.w * g.c, first_row * g.stride_h - g.pad_top,
        (rows - 1) * g.stride_h + g.dilation_h * (g.kh - 1) + 1, static_cast<T>(g.pad_value));
    ConvRows<T> task{};
    task.segments = segments;
    task.x_row = g.stride_h * frame.row_elements();
    task.x_pixel = g.stride_w * g.c;
    task.y_pixel = g.oc;
    task.ldw = panel_k > 0 ? kPanel : g.oc;
    task.y_row = g.ow() * g.oc;
    task.rows = rows;
    task.pixels = g.ow();
    task.relu = fused_relu(epilogue);
    const Index first_channel = block * block_channels;
    const Index width = depthwise ? g.oc : g.group_oc();
    task.channels = std::min(block_channels, width - first_channel);
    task.panel = panel_k > 0 ? kPanel : task.channels;
    task.panel_step = panel_k * kPanel;
    for (Index group = 0; group < (depthwise ? 1 : g.groups); ++group) {
        const Index channel = group * width + first_channel;
        const Index in_image = first_row * task.y_row + channel;
        task.x = in + (depthwise ? channel : group * g.group_c());
        task.w = w + (panel_k > 0 ? channel * panel_k : channel);
        task.y = y + image * g.oh() * task.y_row + in_image;
        if (epilogue.bias != nullptr) task.bias = epilogue.bias + channel;
        (depthwise ? kernels.depthwise_rows : kernels.rows)(task);
        finish(epilogue, task, in_image);
    }
}

// Weights wider than a strip are copied into panels when enough pixels use them: unpacked, the rows
// of a strip are OC apart, one page or less holds few of them, and the TLB is the limit.
bool panels_pay(const ConvGeometry& g) {
    return g.groups == 1 && g.oc > kPanel && g.n * g.oh() * g.ow() >= 128;
}

// A copy of m[k, columns] in panels of kPanel columns, one after the other; lanes past the last
// column are not written.
template <class T>
const T* pack_panels(ScratchScope& scratch, Index k, Index columns, const T* m) {
    T* panels = scratch.array<T>(k * round_up(columns, kPanel));
    T* row = panels;
    for (Index begin = 0; begin < columns; begin += kPanel) {
        const auto bytes = sizeof(T) * static_cast<std::size_t>(std::min(kPanel, columns - begin));
        for (Index i = 0; i < k; ++i, row += kPanel) {
            std::memcpy(row, m + i * columns + begin, bytes);
        }
    }
    return panels;
}

template <class T>
void forward(const ConvGeometry& g, const T* x, const T* w, const ConvEpilogue<T>& epilogue, T* y) {
    ScratchScope scratch;
    const Index oh = g.oh(), taps = g.kh * g.kw, k = taps * g.group_c();
    const Index span_w = (g.ow() - 1) * g.stride_w + g.dilation_w * (g.kw - 1) + 1;
    const Frame frame{g.h, g.w, g.c, g.pad_left, std::max<Index>(0, span_w - g.pad_left - g.w)};
    const bool packed = panels_pay(g);
    const Index ldw = packed ? kPanel : g.oc;
    SegmentBuilder builder(scratch, taps, g.group_c());
    for (Index tap = 0; tap < taps; ++tap) {
        builder.append(
            tap / g.kw * g.dilation_h * frame.row_elements() + tap % g.kw * g.dilation_w * g.c,
            tap * g.group_c() * ldw, g.group_c(), ldw);
    }
    const bool depthwise = is_depthwise(g);
    const Index width = depthwise ? g.oc : g.group_oc();
    const Index block = columns_of_block(width, k, sizeof(T));
    const T* weights = packed ? pack_panels(scratch, k, g.oc, w) : w;
    const Forward<T> plan{g,         x,     weights,       epilogue, y, frame, builder.finish(),
                          depthwise, block, packed ? k : 0};

    const Index row_bytes = g.stride_h * frame.row_elements() * Index{sizeof(T)};
    const Index band_rows = rows_of_band(oh, row_bytes);
    const Index bands = ceil_div(oh, band_rows), blocks = ceil_div(width, block);
    const Index items = blocks * g.n * bands;
    if (items == 0) return;
    parallel_for(
        items, grain_of(g.flop() / static_cast<double>(items)), [&](Index begin, Index end) {
            for (Index i = begin; i < end; ++i) {
                const Index row = i % bands * band_rows;
                plan.band(i / bands / g.n, i / bands % g.n, row, std::min(band_rows, oh - row));
            }
        });
}

}  // namespace

template <class T>
void conv2d(const ConvGeometry& g, const T* x, const T* w, const ConvEpilogue<T>& epilogue, T* y) {
    forward(epilogue.unit_bias == nullptr ? join_images(g) : g, x, w, epilogue, y);
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
