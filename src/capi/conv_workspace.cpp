// What each pass takes from the arenas, array by array in the order of its driver: forward
// conv.cpp and conv_planes.cpp, backward-data conv_data.cpp, backward-weights conv_weights.cpp.
// `own` holds what the calling thread takes before the parallel region and its part in it, `slice`
// what another thread takes.

#include "capi/conv_workspace.h"

#include <bit>

#include "kernels/conv_plan.h"
#include "kernels/conv_planes.h"
#include "soma/kernels/dispatch.h"

namespace soma::capi {
namespace {

using kernels::ConvGeometry;
using kernels::GemmSegment;
using kernels::kGemmSlice;

constexpr Index kFloat = sizeof(float);

// Sums arrays as an arena lays them out.
class Bytes {
public:
    template <class T>
    void add(Index count) {
        bytes_ += round_up(count * static_cast<Index>(sizeof(T)), Index{kAlignment});
    }
    // What SegmentBuilder takes for `runs` runs of `length`.
    void add_segments(Index runs, Index length) {
        const Index slices = runs * length / kGemmSlice;
        add<GemmSegment>(runs + slices + 1);
        add<Index>(slices + 2);
    }
    std::size_t total() const { return static_cast<std::size_t>(bytes_); }

private:
    Index bytes_ = 0;
};

// Elements of an image row with the margins that the kernel's span adds on both sides.
Index padded_row(const ConvGeometry& g) {
    const Index span = (g.ow() - 1) * g.stride_w + g.dilation_w * (g.kw - 1) + 1;
    return (g.pad_left + g.w + std::max<Index>(0, span - g.pad_left - g.w)) * g.c;
}

// No pixel of a band is padding: x is read in place.
bool reads_in_place(const ConvGeometry& g) {
    return g.pad_top == 0 && g.pad_bottom == 0 && g.pad_left == 0 && g.pad_right == 0;
}

// Elements of the band under `rows` output rows, copied where padding has to be made real.
Index forward_band(const ConvGeometry& g, Index rows) {
    return ((rows - 1) * g.stride_h + g.dilation_h * (g.kh - 1) + 1) * padded_row(g);
}

Workspace forward(const ConvGeometry& g) {
    using kernels::kChunkColumns;
    const bool depthwise = kernels::is_depthwise(g), copied = !reads_in_place(g);
    const Index k = g.kh * g.kw * g.group_c(), pixels = g.n * g.oh() * g.ow();
    const Index width = depthwise ? g.oc : g.group_oc(), row = padded_row(g);
    const kernels::Frame frame{g.h, g.w, g.c, g.pad_left, row / g.c - g.pad_left - g.w};
    const auto& conv = kernels::table<float>().conv;
    const Index panel = conv.panel(width, kernels::row_of_tiles(g, frame));
    Bytes own, item;
    own.add_segments(g.kh * g.kw, g.group_c());
    if (!depthwise && kernels::is_wide(pixels, k, width, kFloat)) {
        const kernels::ChunkPlan cut = kernels::cut_chunks(g.n, g.oh(), g.ow());
        item.add<float>(kGemmSlice * round_up(kChunkColumns, panel));
        item.add<kernels::ConvPiece<float>>(cut.bands);
        item.add<const float*>(cut.bands);
        item.add<float*>(cut.bands);
        for (Index i = 0; copied && i < cut.bands; ++i)
            item.add<float>(forward_band(g, cut.band_rows));
    } else {
        if (!depthwise && pixels >= kernels::kPanelPixels)
            own.add<float>(k * round_up(width, panel) * g.groups);
        const Index rows = kernels::rows_of_band(g.oh(), g.stride_h * row * kFloat);
        if (copied) item.add<float>(forward_band(g, rows));
    }
    return {.own = own.total() + item.total(), .slice = item.total()};
}

// Few channels out: planes of a band of x, and its sums.
Workspace forward_by_planes(const ConvGeometry& g) {
    const kernels::PlaneBand cut = kernels::plane_band(g);
    const Index width = kernels::table<float>().width, k = g.kh * g.kw * g.c;
    Bytes own, item;
    own.add<float>(g.oc * round_up(k, width));
    own.add_segments(g.kh * g.kw, g.c);
    if (!kernels::is_plane(g)) item.add<float>(cut.planes * cut.plane());
    item.add<float>(width * cut.sums_step(width));
    return {.own = own.total() + item.total(), .slice = item.total()};
}

// Few channels: one row of dy at a time becomes columns.
Workspace backward_data_by_columns(const ConvGeometry& g) {
    const Index k = g.kh * g.kw * g.c;
    Bytes own, row;
    own.add<float>(round_up(k, kernels::table<float>().width) * g.oc);
    own.add_segments(1, g.oc);
    row.add<float>(g.ow() * k);
    return {.own = own.total() + row.total(), .slice = row.total()};
}

Workspace backward_data_by_phases(const ConvGeometry& g) {
    const Index taps = g.kh * g.kw, phases = g.stride_h * g.stride_w;
    const bool depthwise = kernels::is_depthwise(g), wide = kernels::is_wide_backward(g);
    const Index reach_h = g.dilation_h * (g.kh - 1) / g.stride_h;
    const Index reach_w = g.dilation_w * (g.kw - 1) / g.stride_w;
    const Index columns = ceil_div(g.w, g.stride_w);
    const Index panel = kernels::table<float>().conv.panel(g.group_c(), columns);
    Bytes own, item;
    if (!depthwise && !wide) own.add<float>(taps * g.oc * round_up(g.group_c(), panel));
    struct Phase {  // as conv_data.cpp keeps one
        Index row, column;
        const Index* taps;
        kernels::ConvSegments segments;
    };
    own.add<Phase>(phases);
    for (Index p = 0; p < phases; ++p) {
        own.add<Index>(taps);
        own.add_segments(taps, depthwise ? 1 : g.group_oc());
    }

    const Index last_h = (g.h - 1 + g.pad_top) / g.stride_h;
    const Index last_w = (g.w - 1 + g.pad_left) / g.stride_w;
    const Index row = (reach_w + std::max(g.ow(), last_w + 1)) * g.oc;
    const Index positions = last_h + 1 - g.pad_top / g.stride_h;
    if (wide) {
        const kernels::ChunkPlan cut = kernels::cut_chunks(g.n, positions, columns);
        item.add<float>(kGemmSlice * round_up(kernels::kChunkColumns, panel));
        item.add<kernels::ConvPiece<float>>(cut.bands);
        item.add<const float*>(cut.bands);
        for (Index i = 0; i < cut.bands; ++i) item.add<float>((cut.band_rows + reach_h) * row);
    } else {
        const Index rows = kernels::rows_of_band(positions, row * kFloat);
        item.add<float>((rows + reach_h) * row);
    }
    return {.own = own.total() + item.total(), .slice = item.total()};
}

// Pixels of a leaf may lie in several images, each with a band of its own.
Index leaf_band(const ConvGeometry& g) {
    const Index pixels = std::min(kGemmSlice, g.n * g.oh() * g.ow());
    const Index rows = (pixels - 2 + g.ow()) / g.ow() + 1;
    const Index images = (pixels - 2 + g.oh() * g.ow()) / (g.oh() * g.ow()) + 1;
    return (rows * g.stride_h + images * (g.dilation_h * (g.kh - 1) + 1)) * padded_row(g);
}

Workspace backward_weights(const ConvGeometry& g, int threads) {
    if (g.n == 0) return {};
    constexpr Index kLevelBytes = Index{1} << 20, kFewestRows = 24, kCopies = 4;
    const Index leaves = ceil_div(g.n * g.oh() * g.ow(), kGemmSlice);
    const Index levels = std::bit_width(static_cast<std::uint64_t>(leaves));
    const Index rows = g.kh * g.kw * g.group_c();
    const Index fit = std::max(kFewestRows, kLevelBytes / (levels * g.oc * kFloat));
    const Index block = std::min(rows, round_up(fit, kFewestRows));
    const Index blocks = ceil_div(rows, fit);
    Bytes own, slice;
    own.add<Index>(g.kh * g.kw);
    if (threads > 1 && blocks < 2 * threads) {
        const Index chunks = std::min(leaves, ceil_div(kCopies * threads, blocks));
        own.add<float>(chunks * rows * g.oc);
    }
    if (!reads_in_place(g)) slice.add<float>(leaf_band(g));
    slice.add<GemmSegment>(kGemmSlice);
    for (Index level = 0; level < levels; ++level) slice.add<float>(block * g.oc);
    if (kernels::transposes_leaves(g)) {
        slice.add<float>(std::min(block, kernels::kTransposedRows) * kernels::kLeafStride);
        slice.add<float>(kGemmSlice * kernels::kPanelVectors * kernels::table<float>().width);
    }
    return {.own = own.total() + slice.total(), .slice = slice.total()};
}

}  // namespace

Workspace conv2d_workspace(const ConvGeometry& shape, soma_conv2d_op op, int threads) {
    const ConvGeometry g = kernels::join_images(shape);
    Workspace need;
    if (op == SOMA_CONV2D_FORWARD) {
        const bool planes = kernels::by_planes(g, kernels::table<float>().width);
        need = planes ? forward_by_planes(g) : forward(g);
    } else if (op == SOMA_CONV2D_BACKWARD_WEIGHTS) {
        need = backward_weights(g, threads);
    } else if (kernels::by_columns(g)) {
        need = backward_data_by_columns(g);
    } else {
        need = backward_data_by_phases(g);
    }
    need.threads = threads;
    return need;
}

}  // namespace soma::capi
