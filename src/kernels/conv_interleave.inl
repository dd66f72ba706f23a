// Planes to pixels: what a convolution with vectors along the pixels leaves, [channel, pixel],
// becomes NHWC, a square of width x width at a time.
// Contract: soma/kernels/table/conv.h.

template <class V>
void conv_interleave(Index pixels, Index channels, const typename V::Scalar* planes, Index ldp,
                     const typename V::Scalar* bias, bool relu, typename V::Scalar* y) noexcept {
    using Reg = typename V::Reg;
    constexpr Index W = V::kWidth;
    const typename V::Mask mask = V::first(static_cast<int>(channels));
    const Reg added = bias != nullptr ? V::load_masked(bias, mask) : V::zero();
    for (Index q = 0; q < pixels; q += W) {
        Reg pixel[W];
        V::load_transposed(planes + q, ldp, pixel);
        const Index count = pixels - q < W ? pixels - q : W;
        for (Index i = 0; i < count; ++i, y += channels) {
            Reg r = pixel[i];
            if (bias != nullptr) r = V::add(r, added);
            if (relu) r = V::max(V::zero(), r);
            V::store_masked(y, mask, r);
        }
    }
}

template <class V>
constexpr ConvTable<typename V::Scalar> conv_table() {
    return {conv_panel<V>, conv_rows<V>,      depthwise_rows<V>,
            conv_leaf<V>,  depthwise_leaf<V>, conv_interleave<V>};
}
