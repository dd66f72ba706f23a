// A row of channels as vectors, the last one shorter: what pooling and depthwise kernels share.

// Calls block(c, n) for the vectors of a row of channels: n == V::kWidth, or less for the last.
template <class V, class F>
inline void for_each_channel_block(Index channels, F block) {
    Index c = 0;
    for (; c + V::kWidth <= channels; c += V::kWidth) block(c, V::kWidth);
    if (c < channels) block(c, static_cast<int>(channels - c));
}

template <class V>
inline typename V::Reg load_lanes(const typename V::Scalar* p, int n) {
    return n == V::kWidth ? V::load(p) : V::load_masked(p, V::first(n));
}

template <class V>
inline void store_lanes(typename V::Scalar* p, int n, typename V::Reg a) {
    if (n == V::kWidth) {
        V::store(p, a);
    } else {
        V::store_masked(p, V::first(n), a);
    }
}
