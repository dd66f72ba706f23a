// Panels of B (layout: soma/kernels/table/gemm.h), and the merge of TREE partials.

// Calls f(first column, vectors, panel) for every strip of n columns; a panel has k rows.
template <class V, class T, class F>
inline __attribute__((always_inline)) void for_each_panel(Index k, Index n, T* panels, F&& f) {
    const BalancedCut strips = cut_strips((n + V::kWidth - 1) / V::kWidth);
    Index column = 0;
    for (Index s = 0; s < strips.parts; ++s) {
        f(column, strips[s], panels + column * k);
        column += strips[s] * V::kWidth;
    }
}

template <class V>
void gemm_pack(Index k, Index n, const typename V::Scalar* b, Index ldb,
               typename V::Scalar* panels) noexcept {
    using T = typename V::Scalar;
    for_each_panel<V>(k, n, panels, [&](Index column, Index vectors, T* panel) {
        const Index lanes = n - column;
        const Index full = lanes / V::kWidth < vectors ? lanes / V::kWidth : vectors;
        const typename V::Mask mask = V::first(static_cast<int>(lanes % V::kWidth));
        const T* row = b + column;
        for (Index i = 0; i < k; ++i, row += ldb) {
            for (Index j = 0; j < full; ++j, panel += V::kWidth)
                V::store(panel, V::load(row + j * V::kWidth));
            if (full < vectors) {
                V::store(panel, V::load_masked(row + full * V::kWidth, mask));
                panel += V::kWidth;
            }
        }
    });
}

// As V::load_transposed of a [rows, columns] corner; the other lanes are 0.
template <class V>
void load_transposed_edge(const typename V::Scalar* src, Index lds, Index rows, Index columns,
                          typename V::Reg* out) noexcept {
    typename V::Scalar block[V::kWidth * V::kWidth];
    const typename V::Mask mask = V::first(static_cast<int>(columns));
    for (Index i = 0; i < V::kWidth; ++i)
        V::store(block + i * V::kWidth, i < rows ? V::load_masked(src + i * lds, mask) : V::zero());
    V::load_transposed(block, V::kWidth, out);
}

// dst[j, i] = src[i, j] for up to kWidth rows i and n columns j; missing rows become zero lanes.
template <class V>
void transpose_rows(Index rows, Index n, const typename V::Scalar* src, Index lds,
                    typename V::Scalar* dst, Index ldd) noexcept {
    constexpr Index W = V::kWidth;
    typename V::Reg t[W];
    Index j = 0;
    for (; rows == W && j + W <= n; j += W) {
        V::load_transposed(src + j, lds, t);
#pragma GCC unroll 16
        for (Index k = 0; k < W; ++k) V::store(dst + (j + k) * ldd, t[k]);
    }
    for (; j < n; j += W) {
        const Index columns = n - j < W ? n - j : W;
        load_transposed_edge<V>(src + j, lds, rows, columns, t);
        for (Index k = 0; k < columns; ++k) V::store(dst + (j + k) * ldd, t[k]);
    }
}

template <class V>
void gemm_pack_transposed(Index k, Index n, const typename V::Scalar* b, Index ldb,
                          typename V::Scalar* panels) noexcept {
    using T = typename V::Scalar;
    constexpr Index W = V::kWidth;
    for_each_panel<V>(k, n, panels, [&](Index column, Index vectors, T* panel) {
        for (Index j = 0; j < vectors; ++j) {
            const Index first = column + j * W, rows = n - first < W ? n - first : W;
            transpose_rows<V>(rows, k, b + first * ldb, ldb, panel + j * W, vectors * W);
        }
    });
}

template <class V>
void gemm_transpose(Index m, Index n, const typename V::Scalar* x, Index ldx, typename V::Scalar* y,
                    Index ldy) noexcept {
    constexpr Index W = V::kWidth;
    for (Index i = 0; i < m; i += W)
        transpose_rows<V>(m - i < W ? m - i : W, n, x + i * ldx, ldx, y + i, ldy);
}

template <class V>
void gemm_combine(Index m, Index n, typename V::Scalar alpha, const typename V::Scalar* x,
                  Index ldx, typename V::Scalar beta, typename V::Scalar* y, Index ldy) noexcept {
    using Reg = typename V::Reg;
    const Reg va = V::broadcast(alpha), vb = V::broadcast(beta);
    const auto merge = [&](Reg xi, Reg yi) {
        return beta == 0 ? V::mul(va, xi) : V::fma(va, xi, V::mul(vb, yi));
    };
    const Index full = n / V::kWidth * V::kWidth;
    const typename V::Mask mask = V::first(static_cast<int>(n - full));
    for (Index i = 0; i < m; ++i, x += ldx, y += ldy) {
        for (Index j = 0; j < full; j += V::kWidth)
            V::store(y + j, merge(V::load(x + j), V::load(y + j)));
        if (full < n) {
            const Reg r = merge(V::load_masked(x + full, mask), V::load_masked(y + full, mask));
            V::store_masked(y + full, mask, r);
        }
    }
}
