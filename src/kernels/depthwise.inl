// Depthwise convolution kernels: every channel by itself, vectors along C; and the table of all
// convolution kernels.
//
//   forward and dx   a tile of pixels of one output row holds its sums in registers while the taps
//                    ascend: per tap one vector of weights serves all pixels of the tile
//   dw               a leaf of pixels is one chain per (tap, channel)
//
// The chain over taps has one slice (kh kw <= 256, checked by the driver), so the result equals the
// grouped form bit for bit. Contract: soma/kernels/table/conv.h, klen == 1 and tap_rows == 1.

constexpr int kDepthwisePixels = 4;  // independent chains that hide the latency of an FMA

template <class V, int PIXELS>
inline void depthwise_tile(const ConvRows<typename V::Scalar>& t, Index x, Index y, Index c,
                           int n) noexcept {
    typename V::Reg sum[PIXELS];
#pragma GCC unroll 8
    for (int i = 0; i < PIXELS; ++i) sum[i] = V::zero();
    for (Index s = 0; s < t.segments.first[1]; ++s) {
        const auto weight = load_lanes<V>(t.w + t.segments.list[s].b + c, n);
        const auto* tap = t.x + x + t.segments.list[s].a + c;
#pragma GCC unroll 8
        for (int i = 0; i < PIXELS; ++i) {
            sum[i] = V::fma(load_lanes<V>(tap + i * t.x_pixel, n), weight, sum[i]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < PIXELS; ++i) {
        auto* at = t.y + y + i * t.y_pixel + c;
        auto v = t.accumulate ? V::add(load_lanes<V>(at, n), sum[i]) : sum[i];
        if (t.bias != nullptr) v = V::add(v, load_lanes<V>(t.bias + c, n));
        if (t.relu) v = V::max(V::zero(), v);
        store_lanes<V>(at, n, v);
    }
}

template <class V, int PIXELS>
void depthwise_pixels(const ConvRows<typename V::Scalar>& t, Index x, Index y) noexcept {
    for_each_channel_block<V>(t.channels,
                              [&](Index c, int n) { depthwise_tile<V, PIXELS>(t, x, y, c, n); });
}

template <class V>
void depthwise_rows(const ConvRows<typename V::Scalar>& t) noexcept {
    for (Index r = 0; r < t.rows; ++r) {
        Index q = 0;
        for (; q + kDepthwisePixels <= t.pixels; q += kDepthwisePixels) {
            depthwise_pixels<V, kDepthwisePixels>(t, r * t.x_row + q * t.x_pixel,
                                                  r * t.y_row + q * t.y_pixel);
        }
        for (; q < t.pixels; ++q) {
            depthwise_pixels<V, 1>(t, r * t.x_row + q * t.x_pixel, r * t.y_row + q * t.y_pixel);
        }
    }
}

template <class V>
void depthwise_leaf(const ConvLeaf<typename V::Scalar>& t) noexcept {
    for (Index tap = t.row_begin; tap < t.row_end; ++tap) {
        auto* dw = t.dw + (tap - t.row_begin) * t.ldw;
        for_each_channel_block<V>(t.channels, [&](Index c, int n) {
            auto sum = V::zero();
            for (Index s = 0; s < t.segment_count; ++s) {
                const auto* x = t.x + t.tap_offset[tap] + t.segments[s].a + c;
                const auto* dy = t.dy + t.segments[s].b + c;
                for (Index k = t.segments[s].klen; k > 0; --k, x += t.x_pixel, dy += t.ldy) {
                    sum = V::fma(load_lanes<V>(x, n), load_lanes<V>(dy, n), sum);
                }
            }
            if (t.accumulate) sum = V::add(load_lanes<V>(dw + c, n), sum);
            store_lanes<V>(dw + c, n, sum);
        });
    }
}

template <class V>
constexpr ConvTable<typename V::Scalar> conv_table() {
    return {conv_panel<V>, conv_rows<V>, depthwise_rows<V>, conv_leaf<V>, depthwise_leaf<V>};
}
