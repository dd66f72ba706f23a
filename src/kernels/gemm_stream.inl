// Products of a few rows with a B that is far (beyond L2): the limit is how fast B arrives, and it
// arrives fastest as whole rows. So columns are innermost, and the sums wait in memory that stays
// near:
//
//     for slices p: for k by G:       s[i, :] = fma(a[i, k + q], b[k + q, :], s[i, :]),  q
//     ascending
//                                     G streams of contiguous rows, as the prefetchers like them
//                   then, per slice:  C = the CHAIN step of table/gemm.h with s
//
// A strip of columns kept in registers instead touches every row of B for 1 KB at a time: 16 GB/s
// where this reaches 27.

template <class V, int MR, int G>
struct Stream {
    using T = typename V::Scalar;
    using Reg = typename V::Reg;

    const GemmBlock<T>& g;
    T* sums;  // [MR, ld]
    Index ld;

    // Columns [j, j + W) of one group of G rows of B.
    template <bool TAIL>
    void columns(const T* b, const Reg (&x)[MR][G], bool first, Index j,
                 typename V::Mask mask) const {
        Reg acc[MR];
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i) acc[i] = first ? V::zero() : V::load(sums + i * ld + j);
#pragma GCC unroll 8
        for (int q = 0; q < G; ++q) {
            const T* p = b + q * g.ldb + j;
            const Reg row = TAIL ? V::load_masked(p, mask) : V::load(p);
#pragma GCC unroll 8
            for (int i = 0; i < MR; ++i) acc[i] = V::fma(x[i][q], row, acc[i]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i) V::store(sums + i * ld + j, acc[i]);
    }

    void group(Index k, bool first) const {
        const T* b = g.b + k * g.ldb;
        Reg x[MR][G];
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
            for (int q = 0; q < G; ++q) x[i][q] = V::broadcast(g.a[i * g.a_row + (k + q) * g.a_k]);
        const Index full = g.n / V::kWidth * V::kWidth;
        for (Index j = 0; j < full; j += V::kWidth) columns<false>(b, x, first, j, V::first(0));
        if (full < g.n) columns<true>(b, x, first, full, V::first(static_cast<int>(g.n - full)));
    }

    // One step of the chain for columns [j, j + W): r = alpha s or fma(alpha, s, beta C).
    template <bool TAIL>
    void fold(int i, Index j, T beta, bool last, typename V::Mask mask) const {
        const auto get = [&](const T* p) { return TAIL ? V::load_masked(p, mask) : V::load(p); };
        T* c = g.c + i * g.ldc + j;
        const Reg alpha = V::broadcast(g.alpha), s = V::load(sums + i * ld + j);
        Reg r = beta == 0 ? V::mul(alpha, s) : V::fma(alpha, s, V::mul(V::broadcast(beta), get(c)));
        if (last && g.bias != nullptr) r = V::add(r, get(g.bias + j));
        if (last && g.relu) r = V::max(V::zero(), r);
        if (TAIL) {
            V::store_masked(c, mask, r);
        } else {
            V::store(c, r);
        }
    }

    void run() const {
        const Index full = g.n / V::kWidth * V::kWidth;
        for (Index first = 0; first < g.k; first += kGemmSlice) {
            const Index end = g.k - first < kGemmSlice ? g.k : first + kGemmSlice;
            Index k = first;
            for (; k + G <= end; k += G) group(k, k == first);
            for (; k < end; ++k) Stream<V, MR, 1>{g, sums, ld}.group(k, k == first);
            for (int i = 0; i < MR; ++i) {
                const T beta = first == 0 ? g.beta : 1;
                for (Index j = 0; j < full; j += V::kWidth)
                    fold<false>(i, j, beta, end == g.k, V::first(0));
                if (full < g.n)
                    fold<true>(i, full, beta, end == g.k, V::first(static_cast<int>(g.n - full)));
            }
        }
    }
};

template <class V>
void gemm_stream(const GemmBlock<typename V::Scalar>& g, typename V::Scalar* sums) noexcept {
    const Index ld = (g.n + V::kWidth - 1) / V::kWidth * V::kWidth;
    switch (g.m) {
        case 1:
            return Stream<V, 1, 8>{g, sums, ld}.run();
        case 2:
            return Stream<V, 2, 8>{g, sums, ld}.run();
        case 3:
            return Stream<V, 3, 4>{g, sums, ld}.run();
        case 4:
            return Stream<V, 4, 4>{g, sums, ld}.run();
        case 5:
            return Stream<V, 5, 4>{g, sums, ld}.run();
        case 6:
            return Stream<V, 6, 4>{g, sums, ld}.run();
        case 7:
            return Stream<V, 7, 4>{g, sums, ld}.run();
        default:
            return Stream<V, kFarRows, 4>{g, sums, ld}.run();
    }
}
