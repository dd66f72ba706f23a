// Walks along a row of any length, for sums in LANES16 order (Lanes16 of reduce.inl).
//
//     element   0 1 2 ... 15 | 16 17 ... 31 | 32 ...        lane l adds elements l, l + 16, ...
//     vector    <- part 0 -><- part 1 -> ...                kRegisters parts a block
//
// The function of a walk receives every vector's offset together with what may touch memory there
// (lanes.inl): Whole, or Head for the row's last vector.
// One block is a single dependency chain a lane; work that hides its latency (an exp, a second sum)
// belongs into the same walk. Kernels that walk are [[gnu::flatten]]: sums live in registers only
// when the function is inlined.

// f(part, offset, Whole or Head) for the vectors of n elements, in ascending order.
template <class V, class F>
inline void for_each_part(Index n, F f) {
    constexpr int kW = V::kWidth;
    Index i = 0;
    for (; i + 16 <= n; i += 16) {
#pragma GCC unroll 16
        for (int p = 0; p < Lanes16<V>::kRegisters; ++p) f(p, i + p * kW, Whole<V>{});
    }
    const int left = static_cast<int>(n - i);
#pragma GCC unroll 16
    for (int p = 0; p < Lanes16<V>::kRegisters; ++p) {
        const int here = left - p * kW;
        if (here >= kW) {
            f(p, i + p * kW, Whole<V>{});
        } else if (here > 0) {
            f(p, i + p * kW, Head<V>{V::first(here)});
        }
    }
}

// f(offset, Whole or Head) where no lane is summed: no blocks of 16 are needed.
template <class V, class F>
inline void for_each_vector(Index n, F f) {
    Index i = 0;
    for (; i + V::kWidth <= n; i += V::kWidth) f(i, Whole<V>{});
    if (i < n) f(i, Head<V>{V::first(static_cast<int>(n - i))});
}

// In a pass over a row that is near already: fetches element i of the next rows of x and y [., n].
// After the last row that is an address past the end, which a prefetch may have.
template <class T>
inline void prefetch_next_row(const T* x, const T* y, Index n, Index i) {
    __builtin_prefetch(x + n + i);
    if (y != nullptr) __builtin_prefetch(y + n + i, 1);
}
