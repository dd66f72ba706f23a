// Products of a few rows with B stored transposed, b[n, k]: every element is a dot product of two
// rows, yet no sum runs across lanes. A W x W block of b is transposed in registers and used at
// once, so b is read once and nothing is packed:
//
//     b rows  j     [ k0 k1 .. ]        t[k] = b[j .. j + W - 1, k]
//             j + 1 [ k0 k1 .. ]  ->    acc[i] = fma(a[i, k], t[k], acc[i]),  k ascending
//
// G groups of W columns run side by side: with one row, one chain would wait for its FMAs.

template <class V, int MR, int G>
struct DotTile {
    using T = typename V::Scalar;
    using Reg = typename V::Reg;
    static constexpr int W = V::kWidth;

    const GemmBlock<T>& g;
    Index column;
    Index valid;  // columns of the last group; fewer than W: the edge is copied before it is read
    Reg sum[MR][G];  // of the slice computed last

    static inline __attribute__((always_inline)) void multiply(const GemmBlock<T>& g, Index k,
                                                               Index count, const Reg* t, int group,
                                                               Reg (&acc)[MR][G]) {
#pragma GCC unroll 16
        for (Index q = 0; q < count; ++q) {
            const T* a = g.a + (k + q) * g.a_k;
#pragma GCC unroll 8
            for (int i = 0; i < MR; ++i)
                acc[i][group] = V::fma(V::broadcast(a[i * g.a_row]), t[q], acc[i][group]);
        }
    }

    // sum = s_p over k in [first, end). The accumulators are local, to stay in registers.
    void slice(Index first, Index end) {
        const T* b = g.b + column * g.ldb;
        Reg acc[MR][G], t[W];
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
            for (int group = 0; group < G; ++group) acc[i][group] = V::zero();
        Index k = first;
        if (valid == W) {
            for (; k + W <= end; k += W)
#pragma GCC unroll 8
                for (int group = 0; group < G; ++group) {
                    V::load_transposed(b + group * W * g.ldb + k, g.ldb, t);
                    multiply(g, k, W, t, group, acc);
                }
        }
        for (; k < end; k += W) {
            const Index count = end - k < W ? end - k : W;
#pragma GCC unroll 8
            for (int group = 0; group < G; ++group) {
                load_transposed_edge<V>(b + group * W * g.ldb + k, g.ldb,
                                        group == G - 1 ? valid : W, count, t);
                multiply(g, k, count, t, group, acc);
            }
        }
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
            for (int group = 0; group < G; ++group) sum[i][group] = acc[i][group];
    }

    Reg load(const T* p, int group) const {
        const bool whole = group < G - 1 || valid == W;
        return whole ? V::load(p) : V::load_masked(p, V::first(static_cast<int>(valid)));
    }

    void run() {
        const Reg alpha = V::broadcast(g.alpha), beta = V::broadcast(g.beta);
        Reg r[MR][G];
        for (Index first = 0; first < g.k || first == 0; first += kGemmSlice) {
            slice(first, g.k - first < kGemmSlice ? g.k : first + kGemmSlice);
            for (int i = 0; i < MR; ++i)
                for (int group = 0; group < G; ++group) {
                    Reg& x = r[i][group];
                    if (first > 0) {
                        x = V::fma(alpha, sum[i][group], x);
                    } else if (g.beta == 0) {
                        x = V::mul(alpha, sum[i][group]);
                    } else {
                        const Reg c = load(g.c + i * g.ldc + column + group * W, group);
                        x = V::fma(alpha, sum[i][group], V::mul(beta, c));
                    }
                }
        }
        for (int i = 0; i < MR; ++i)
            for (int group = 0; group < G; ++group) finish(r[i][group], i, group);
    }

    void finish(Reg r, int i, int group) const {
        const Index j = column + group * W;
        if (g.bias != nullptr) r = V::add(r, load(g.bias + j, group));
        if (g.relu) r = V::max(V::zero(), r);
        T* c = g.c + i * g.ldc + j;
        if (group < G - 1 || valid == W) {
            V::store(c, r);
        } else {
            V::store_masked(c, V::first(static_cast<int>(valid)), r);
        }
    }
};

template <class V, int MR>
void dot_rows(const GemmBlock<typename V::Scalar>& g) noexcept {
    constexpr Index W = V::kWidth, G = MR <= 4 ? 2 : 1;  // more rows have chains enough
    Index j = 0;
    for (; j + G * W <= g.n; j += G * W) DotTile<V, MR, G>{g, j, W, {}}.run();
    for (; j < g.n; j += W) DotTile<V, MR, 1>{g, j, g.n - j < W ? g.n - j : W, {}}.run();
}

template <class V>
void gemm_dots(const GemmBlock<typename V::Scalar>& g) noexcept {
    switch (g.m) {
        case 1:
            return dot_rows<V, 1>(g);
        case 2:
            return dot_rows<V, 2>(g);
        case 3:
            return dot_rows<V, 3>(g);
        case 4:
            return dot_rows<V, 4>(g);
        case 5:
            return dot_rows<V, 5>(g);
        case 6:
            return dot_rows<V, 6>(g);
        case 7:
            return dot_rows<V, 7>(g);
        default:
            return dot_rows<V, kDotRows>(g);
    }
}
