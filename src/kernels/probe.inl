// Loops that measure the machine: x = x / 2 + 1 in registers, and sums over an array.

template <class V>
typename V::Scalar probe_fma(Index rounds) noexcept {
    using T = typename V::Scalar;
    using Reg = typename V::Reg;
    constexpr int kChains = kProbeChains;
    Reg acc[kChains];
    // Read anew for each chain: the compiler must not see that they are equal, and keep one.
    volatile T half = T(0.5), one = 1;
    const Reg a = V::broadcast(half), b = V::broadcast(one);
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) acc[i] = V::broadcast(one);
    for (Index r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
        for (int i = 0; i < kChains; ++i) acc[i] = V::fma(acc[i], a, b);
    }
    T lanes[V::kWidth], sum = 0;
#pragma GCC unroll 12
    for (int i = 1; i < kChains; ++i) acc[0] = V::add(acc[0], acc[i]);
    V::store(lanes, acc[0]);
    for (int i = 0; i < V::kWidth; ++i) sum += lanes[i];
    return sum;
}

template <class V>
typename V::Scalar probe_read(Index n, const typename V::Scalar* x, Index passes) noexcept {
    using T = typename V::Scalar;
    constexpr int kChains = kProbeChains;
    typename V::Reg acc[kChains];
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) acc[i] = V::zero();
    for (Index pass = 0; pass < passes; ++pass)
        for (Index at = 0; at < n; at += kChains * V::kWidth)
#pragma GCC unroll 12
            for (int i = 0; i < kChains; ++i)
                acc[i] = V::add(acc[i], V::load(x + at + i * V::kWidth));
    T lanes[V::kWidth], sum = 0;
#pragma GCC unroll 12
    for (int i = 1; i < kChains; ++i) acc[0] = V::add(acc[0], acc[i]);
    V::store(lanes, acc[0]);
    for (int i = 0; i < V::kWidth; ++i) sum += lanes[i];
    return sum;
}

template <class V>
constexpr ProbeTable<typename V::Scalar> probe_table() {
    return {&probe_fma<V>, &probe_read<V>};
}
