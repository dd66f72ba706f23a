// Winograd convolution: checks, blocks of tiles, threads. Arithmetic in winograd.inl and gemm.
//
//     x --gather--> pixels of 60 tiles --input--> V[e^2] --products--> M[e^2] --output--> y
//
// Both passes are one Plane: the forward pass reads x with the padding around it; backward-data
// reads dy, whose rows begin 2 - pad before dx, with flipped transposed weights. What lies outside
// the image that is read is one shared row of the pad value.

#include "soma/kernels/winograd.h"

#include <algorithm>
#include <cstring>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/copy.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {
namespace {

constexpr Index kTilesPerBlock = 60;  // rows of V[p]: whole register tiles on every ISA
constexpr Index kWeightRows = 16;     // rows of w that a thread transforms at once

Index side(WinogradTile tile) { return static_cast<Index>(tile); }
Index products_of(WinogradTile tile) { return (side(tile) + 2) * (side(tile) + 2); }

// Elements between the matrices of a set: a line more than they need, or powers of two would put
// the same element of all of them into one cache set.
template <class T>
Index step_of(Index elements) {
    return round_up(elements, 64) + 64 / static_cast<Index>(sizeof(T));
}
template <class T>
Index panel_step(Index k, Index n) {
    return step_of<T>(k * round_up(n, table<T>().width));
}

// u = all U[p] of w[3, 3, k, n], as panels.
template <class T>
void transform_weights(WinogradTile tile, Index k, Index n, const T* w, T* u) {
    parallel_for(k, kWeightRows, [&](Index begin, Index end) {
        table<T>().winograd.weights(static_cast<int>(tile), k, n, begin, end, w, u,
                                    panel_step<T>(k, n));
    });
}

// The same of w[3, 3, c, oc] for backward-data: taps in reverse, [oc, c].
template <class T>
void transform_flipped(WinogradTile tile, Index c, Index oc, const T* w, T* u) {
    ScratchScope scratch;
    T* flipped = scratch.array<T>(9 * c * oc);
    Box box;
    box.add(c, oc, 1);
    box.add(oc, 1, c);
    for (Index tap = 0; tap < 9; ++tap) {
        copy_box(box, w + tap * c * oc, flipped + (8 - tap) * c * oc);
    }
    transform_weights(tile, oc, c, flipped, u);
}

template <class T>
void transform(WinogradTile tile, WinogradPass pass, Index c, Index oc, const T* w, T* u) {
    if (pass == WinogradPass::forward) return transform_weights(tile, c, oc, w, u);
    transform_flipped(tile, c, oc, w, u);
}

template <class T>
Index panel_elements(WinogradTile tile, WinogradPass pass, Index c, Index oc) {
    const bool forward = pass == WinogradPass::forward;
    return products_of(tile) * panel_step<T>(forward ? c : oc, forward ? oc : c);
}

// An image that is read, and one that is written: out pixel (i, j) reads in pixels (i - top, j -
// left) .. + 2.
template <class T>
struct Plane {
    WinogradTile tile;
    Index n;
    Index in_h, in_w, in_c;
    Index out_h, out_w, out_c;
    Index top, left;
    const T* in;
    const T* padding;  // [in_c]
    T* out;
    const T* u;
    ConvEpilogue<T> epilogue;
    bool accumulate;

    Index tiles_h() const { return ceil_div(out_h, side(tile)); }
    Index tiles_w() const { return ceil_div(out_w, side(tile)); }
    Index tiles() const { return n * tiles_h() * tiles_w(); }
    bool fused_relu() const {
        return epilogue.activation == Activation::relu && epilogue.unit_bias == nullptr;
    }
    void gather(Index t, const T** from, T** to) const;
    void finish(Index count, T* const* to) const;
    void block(Index first, Index count) const;
};

// The addresses that tile t reads and writes.
template <class T>
void Plane<T>::gather(Index t, const T** from, T** to) const {
    const Index m = side(tile), image = t / (tiles_h() * tiles_w());
    const Index row = t / tiles_w() % tiles_h() * m, column = t % tiles_w() * m;
    const T* in_image = in + image * in_h * in_w * in_c;
    for (Index r = row - top; r < row - top + m + 2; ++r) {
        for (Index c = column - left; c < column - left + m + 2; ++c) {
            const bool inside = r >= 0 && r < in_h && c >= 0 && c < in_w;
            *from++ = inside ? in_image + (r * in_w + c) * in_c : padding;
        }
    }
    T* out_image = out + image * out_h * out_w * out_c;
    for (Index r = row; r < row + m; ++r) {
        for (Index c = column; c < column + m; ++c) {
            *to++ = r < out_h && c < out_w ? out_image + (r * out_w + c) * out_c : nullptr;
        }
    }
}

// What the kernel has left of the epilogue, on pixels just written.
template <class T>
void Plane<T>::finish(Index count, T* const* to) const {
    const bool activate = epilogue.activation != Activation::none && !fused_relu();
    if (epilogue.unit_bias == nullptr && !activate) return;
    const ElementwiseTable<T>& kernels = table<T>().elementwise;
    for (Index i = 0; i < count; ++i) {
        if (to[i] == nullptr) continue;
        if (epilogue.unit_bias != nullptr) {
            const Index in_image = (to[i] - out) % (out_h * out_w * out_c);
            kernels.binary(Binary::add, out_c, to[i], 1, epilogue.unit_bias + in_image, 1, to[i]);
        }
        if (activate) {
            kernels.activation(epilogue.activation, epilogue.slope, out_c, to[i], to[i]);
        }
    }
}

// Tiles [first, first + count).
template <class T>
void Plane<T>::block(Index first, Index count) const {
    ScratchScope scratch;
    const Index m = side(tile), products = products_of(tile);
    const T** from = scratch.array<const T*>(count * products);
    T** to = scratch.array<T*>(count * m * m);
    for (Index t = 0; t < count; ++t) gather(first + t, from + t * products, to + t * m * m);

    const TypedKernels<T>& kernels = table<T>();
    const Index v_step = step_of<T>(count * in_c), m_step = step_of<T>(count * out_c);
    T* v = scratch.array<T>(products * v_step);
    T* sums = scratch.array<T>(products * m_step);
    kernels.winograd.input(static_cast<int>(m), count, in_c, from, v, v_step);
    for (Index p = 0; p < products; ++p) {
        kernels.gemm.block({.m = count,
                            .n = out_c,
                            .k = in_c,
                            .alpha = 1,
                            .a = v + p * v_step,
                            .a_row = in_c,
                            .a_k = 1,
                            .b = u + p * panel_step<T>(in_c, out_c),
                            .ldb = GemmBlock<T>::kPanels,
                            .beta = 0,
                            .c = sums + p * m_step,
                            .ldc = out_c});
    }
    kernels.winograd.output(static_cast<int>(m), count, out_c, sums, m_step, epilogue.bias,
                            fused_relu(), accumulate, to);
    finish(count * m * m, to);
}

template <class T>
void run(const Plane<T>& plane) {
    const Index tiles = plane.tiles(), threads = in_parallel() ? 1 : num_threads();
    if (tiles == 0) return;
    const Index size = std::min(kTilesPerBlock, ceil_div(tiles, threads));
    parallel_for(ceil_div(tiles, size), 1, [&](Index begin, Index end) {
        for (Index b = begin; b < end; ++b) {
            plane.block(b * size, std::min(size, tiles - b * size));
        }
    });
}

template <class T>
void run_forward(const ConvGeometry& g, WinogradTile tile, const T* x, const T* u,
                 const ConvEpilogue<T>& epilogue, T* y) {
    ScratchScope scratch;
    T* padding = scratch.array<T>(g.c);
    std::fill_n(padding, g.c, static_cast<T>(g.pad_value));
    run<T>({.tile = tile,
            .n = g.n,
            .in_h = g.h,
            .in_w = g.w,
            .in_c = g.c,
            .out_h = g.oh(),
            .out_w = g.ow(),
            .out_c = g.oc,
            .top = g.pad_top,
            .left = g.pad_left,
            .in = x,
            .padding = padding,
            .out = y,
            .u = u,
            .epilogue = epilogue,
            .accumulate = false});
}

template <class T>
void run_backward(const ConvGeometry& g, WinogradTile tile, const T* dy, const T* u,
                  bool accumulate, T* dx) {
    ScratchScope scratch;
    T* padding = scratch.array<T>(g.oc);
    std::fill_n(padding, g.oc, T{0});
    run<T>({.tile = tile,
            .n = g.n,
            .in_h = g.oh(),
            .in_w = g.ow(),
            .in_c = g.oc,
            .out_h = g.h,
            .out_w = g.w,
            .out_c = g.c,
            .top = 2 - g.pad_top,
            .left = 2 - g.pad_left,
            .in = dy,
            .padding = padding,
            .out = dx,
            .u = u,
            .epilogue = {},
            .accumulate = accumulate});
}

}  // namespace

void check_winograd(const char* op, const ConvGeometry& g) {
    check_geometry(op, g);
    SOMA_CHECK(g.kh == 3 && g.kw == 3 && g.stride_h == 1 && g.stride_w == 1 && g.dilation_h == 1 &&
                   g.dilation_w == 1 && g.groups == 1,
               op, ": kernel is [", g.kh, ", ", g.kw, "], stride [", g.stride_h, ", ", g.stride_w,
               "], dilation [", g.dilation_h, ", ", g.dilation_w, "], groups ", g.groups,
               "; Winograd needs a 3x3 kernel, stride 1, dilation 1, one group");
}

template <class T>
WinogradWeights<T>::WinogradWeights(WinogradTile tile, WinogradPass pass, Index c, Index oc,
                                    const T* w)
    : table_(&active()), tile_(tile), pass_(pass), c_(c), oc_(oc) {
    SOMA_CHECK(c >= 1 && oc >= 1, "WinogradWeights: w is [3, 3, ", c, ", ", oc,
               "]; need at least one channel");
    panels_ = allocate_aligned(static_cast<std::size_t>(panel_elements<T>(tile, pass, c, oc)) *
                               sizeof(T));
    transform(tile, pass, c, oc, w, reinterpret_cast<T*>(panels_.get()));
}

template <class T>
void WinogradWeights<T>::check(const char* op, const ConvGeometry& g, WinogradPass pass) const {
    check_winograd(op, g);
    SOMA_CHECK(c_ == g.c && oc_ == g.oc, op, ": weights are [3, 3, ", c_, ", ", oc_,
               "], the geometry has C = ", g.c, ", OC = ", g.oc);
    SOMA_CHECK(pass_ == pass, op, ": weights were transformed for the other pass");
    SOMA_CHECK(table_ == &active(), op,
               ": the kernel table was switched since the weights were transformed");
}

template <class T>
void conv2d_winograd(const ConvGeometry& g, WinogradTile tile, const T* x, const T* w,
                     const ConvEpilogue<T>& epilogue, T* y) {
    check_winograd("conv2d_winograd", g);
    ScratchScope scratch;
    T* u = scratch.array<T>(panel_elements<T>(tile, WinogradPass::forward, g.c, g.oc));
    transform(tile, WinogradPass::forward, g.c, g.oc, w, u);
    run_forward(g, tile, x, u, epilogue, y);
}

template <class T>
void conv2d_winograd(const ConvGeometry& g, const T* x, const WinogradWeights<T>& w,
                     const ConvEpilogue<T>& epilogue, T* y) {
    w.check("conv2d_winograd", g, WinogradPass::forward);
    run_forward(g, w.tile_, x, reinterpret_cast<const T*>(w.panels_.get()), epilogue, y);
}

template <class T>
void conv2d_winograd_backward_data(const ConvGeometry& g, WinogradTile tile, const T* dy,
                                   const T* w, bool accumulate, T* dx) {
    check_winograd("conv2d_winograd_backward_data", g);
    ScratchScope scratch;
    T* u = scratch.array<T>(panel_elements<T>(tile, WinogradPass::backward_data, g.c, g.oc));
    transform(tile, WinogradPass::backward_data, g.c, g.oc, w, u);
    run_backward(g, tile, dy, u, accumulate, dx);
}

template <class T>
void conv2d_winograd_backward_data(const ConvGeometry& g, const T* dy, const WinogradWeights<T>& w,
                                   bool accumulate, T* dx) {
    w.check("conv2d_winograd_backward_data", g, WinogradPass::backward_data);
    run_backward(g, w.tile_, dy, reinterpret_cast<const T*>(w.panels_.get()), accumulate, dx);
}

#define SOMA_INSTANTIATE(T)                                                                  \
    template class WinogradWeights<T>;                                                       \
    template void conv2d_winograd(const ConvGeometry&, WinogradTile, const T*, const T*,     \
                                  const ConvEpilogue<T>&, T*);                               \
    template void conv2d_winograd(const ConvGeometry&, const T*, const WinogradWeights<T>&,  \
                                  const ConvEpilogue<T>&, T*);                               \
    template void conv2d_winograd_backward_data(const ConvGeometry&, WinogradTile, const T*, \
                                                const T*, bool, T*);                         \
    template void conv2d_winograd_backward_data(const ConvGeometry&, const T*,               \
                                                const WinogradWeights<T>&, bool, T*);
SOMA_INSTANTIATE(float)
SOMA_INSTANTIATE(double)
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
