// Depthwise convolution kernels: every channel by itself, vectors along C; and the table of all
// convolution kernels.
//
//   forward and dx   a tile of output pixels holds its sums in registers while the taps ascend: per
//                    tap one vector of weights serves all pixels of the tile
//   dw               a leaf of pixels is one chain per (tap, channel); nine taps at a time share
//                    each vector of dy
//
// The chain over taps has one slice (kh kw <= 256, checked by the driver), so the result equals the
// grouped form bit for bit. Contract: soma/kernels/table/conv.h, klen == 1 and tap_rows == 1.

// A tile of rows x pixels: enough independent chains to hide the latency of an FMA, and rows below
// each other, because they share most of their input.
constexpr int kDepthwiseRows = 4, kDepthwisePixels = 2;
// Taps of dw that are summed together: nine sums, one vector of dy and one of x.
constexpr int kDepthwiseTaps = 9;

template <class V, int ROWS, int PIXELS, class At>
inline void store_tile(const ConvRows<typename V::Scalar>& t, Index y, Index c, At at,
                       const Lanes<V> (&sum)[ROWS][PIXELS]) {
    const Lanes<V> zero{V::zero()};
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 8
        for (int i = 0; i < PIXELS; ++i) {
            auto* out = t.y + y + r * t.y_row + i * t.y_pixel + c;
            Lanes<V> v = t.accumulate ? at.load(out) + sum[r][i] : sum[r][i];
            if (t.bias != nullptr) v = v + at.load(t.bias + c);
            if (t.relu) v = max(zero, v);
            at.store(out, v);
        }
    }
}

// Any taps: each loads its own pixels.
struct AnyTaps {
    template <class V, int ROWS, int PIXELS, class At>
    static void tile(const ConvRows<typename V::Scalar>& t, Index x, Index y, Index c, At at) {
        using L = Lanes<V>;
        L sum[ROWS][PIXELS];
#pragma GCC unroll 8
        for (int i = 0; i < ROWS * PIXELS; ++i) sum[i / PIXELS][i % PIXELS] = {V::zero()};
        for (Index s = 0; s < t.segments.first[1]; ++s) {
            const L weight = at.load(t.w + t.segments.list[s].b + c);
            const auto* tap = t.x + x + t.segments.list[s].a + c;
#pragma GCC unroll 8
            for (int i = 0; i < ROWS * PIXELS; ++i) {
                L& own = sum[i / PIXELS][i % PIXELS];
                const L pixel = at.load(tap + i / PIXELS * t.x_row + i % PIXELS * t.x_pixel);
                own = fma(pixel, weight, own);
            }
        }
        store_tile<V>(t, y, c, at, sum);
    }
};

// 3x3 taps as far apart as the pixels: each pixel under the tile is loaded once and serves up to
// nine outputs. Pixels come row by row, so the taps of every output still ascend.
struct Taps3x3 {
    // Do the taps of t form that grid?
    template <class T>
    static bool fit(const ConvRows<T>& t) {
        const GemmSegment* taps = t.segments.list;
        bool fits = t.segments.first[1] == 9;
        for (Index s = 0; fits && s < 9; ++s) {
            fits = taps[s].a == taps[0].a + s / 3 * t.x_row + s % 3 * t.x_pixel;
        }
        return fits;
    }

    template <class V, int ROWS, int PIXELS, class At>
    static void tile(const ConvRows<typename V::Scalar>& t, Index x, Index y, Index c, At at) {
        using L = Lanes<V>;
        const auto* corner = t.x + x + t.segments.list[0].a + c;
        L weight[9], sum[ROWS][PIXELS];
#pragma GCC unroll 9
        for (int s = 0; s < 9; ++s) weight[s] = at.load(t.w + t.segments.list[s].b + c);
#pragma GCC unroll 8
        for (int i = 0; i < ROWS * PIXELS; ++i) sum[i / PIXELS][i % PIXELS] = {V::zero()};
#pragma GCC unroll 8
        for (int h = 0; h < ROWS + 2; ++h) {
#pragma GCC unroll 8
            for (int w = 0; w < PIXELS + 2; ++w) {
                const L pixel = at.load(corner + h * t.x_row + w * t.x_pixel);
#pragma GCC unroll 8
                for (int i = 0; i < ROWS * PIXELS; ++i) {
                    const int kh = h - i / PIXELS, kw = w - i % PIXELS;
                    if (kh < 0 || kh > 2 || kw < 0 || kw > 2) continue;
                    L& own = sum[i / PIXELS][i % PIXELS];
                    own = fma(pixel, weight[3 * kh + kw], own);
                }
            }
        }
        store_tile<V>(t, y, c, at, sum);
    }
};

template <class V, class Taps, int ROWS>
inline void depthwise_strip(const ConvRows<typename V::Scalar>& t, Index row) {
    const Index x = row * t.x_row, y = row * t.y_row;
    Index q = 0;
    for (; q + kDepthwisePixels <= t.pixels; q += kDepthwisePixels) {
        for_each_vector<V>(t.channels, [&](Index c, auto at) {
            Taps::template tile<V, ROWS, kDepthwisePixels>(t, x + q * t.x_pixel, y + q * t.y_pixel,
                                                           c, at);
        });
    }
    for (; q < t.pixels; ++q) {
        for_each_vector<V>(t.channels, [&](Index c, auto at) {
            Taps::template tile<V, ROWS, 1>(t, x + q * t.x_pixel, y + q * t.y_pixel, c, at);
        });
    }
}

template <class V, class Taps>
[[gnu::flatten]] void depthwise_strips(const ConvRows<typename V::Scalar>& t) noexcept {
    Index row = 0;
    for (; row + kDepthwiseRows <= t.rows; row += kDepthwiseRows) {
        depthwise_strip<V, Taps, kDepthwiseRows>(t, row);
    }
    for (; row < t.rows; ++row) depthwise_strip<V, Taps, 1>(t, row);
}

template <class V>
void depthwise_rows(const ConvRows<typename V::Scalar>& t) noexcept {
    Taps3x3::fit(t) ? depthwise_strips<V, Taps3x3>(t) : depthwise_strips<V, AnyTaps>(t);
}

// ---- dw ----

// Sums of the taps [first, first + TAPS) of one vector of channels over all pixels of the leaf.
template <class V, int TAPS, class At>
inline void depthwise_taps(const ConvLeaf<typename V::Scalar>& t, Index first, Index c, At at) {
    using L = Lanes<V>;
    const Index* offset = t.tap_offset + first;
    L sum[TAPS];
#pragma GCC unroll 9
    for (int i = 0; i < TAPS; ++i) sum[i] = {V::zero()};
    for (Index s = 0; s < t.segment_count; ++s) {
        const auto* x = t.x + t.segments[s].a + c;
        const auto* dy = t.dy + t.segments[s].b + c;
        for (Index k = t.segments[s].klen; k > 0; --k, x += t.x_pixel, dy += t.ldy) {
            const L g = at.load(dy);
#pragma GCC unroll 9
            for (int i = 0; i < TAPS; ++i) sum[i] = fma(at.load(x + offset[i]), g, sum[i]);
        }
    }
    auto* dw = t.dw + (first - t.row_begin) * t.ldw + c;
#pragma GCC unroll 9
    for (int i = 0; i < TAPS; ++i, dw += t.ldw) {
        at.store(dw, t.accumulate ? at.load(dw) + sum[i] : sum[i]);
    }
}

// depthwise_taps<V, taps> for 1 <= taps <= TAPS.
template <class V, int TAPS, class At>
inline void depthwise_taps(int taps, const ConvLeaf<typename V::Scalar>& t, Index first, Index c,
                           At at) {
    if constexpr (TAPS > 1) {
        if (taps < TAPS) return depthwise_taps<V, TAPS - 1>(taps, t, first, c, at);
    }
    depthwise_taps<V, TAPS>(t, first, c, at);
}

template <class V>
[[gnu::flatten]] void depthwise_leaf(const ConvLeaf<typename V::Scalar>& t) noexcept {
    const Index rows = t.row_end - t.row_begin;
    const Index groups = (rows + kDepthwiseTaps - 1) / kDepthwiseTaps;
    for_each_vector<V>(t.channels, [&](Index c, auto at) {
        for (Index g = 0; g < groups; ++g) {  // groups of equal size, give or take one tap
            const Index first = g * rows / groups, end = (g + 1) * rows / groups;
            depthwise_taps<V, kDepthwiseTaps>(static_cast<int>(end - first), t, t.row_begin + first,
                                              c, at);
        }
    });
}
