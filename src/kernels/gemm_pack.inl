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

// Transposes the [columns, rows] corner of a W x W block; missing columns become zero lanes.
template <class V>
void transpose_edge(const typename V::Scalar* b, Index ldb, Index columns, Index rows,
                    typename V::Scalar* panel, Index panel_row) noexcept {
    using T = typename V::Scalar;
    constexpr Index W = V::kWidth;
    T in[W * W], out[W * W];
    const typename V::Mask mask = V::first(static_cast<int>(rows));
    for (Index j = 0; j < W; ++j)
        V::store(in + j * W, j < columns ? V::load_masked(b + j * ldb, mask) : V::zero());
    V::transpose(in, W, out, W);
    for (Index i = 0; i < rows; ++i) V::store(panel + i * panel_row, V::load(out + i * W));
}

template <class V>
void gemm_pack_transposed(Index k, Index n, const typename V::Scalar* b, Index ldb,
                          typename V::Scalar* panels) noexcept {
    using T = typename V::Scalar;
    constexpr Index W = V::kWidth;
    for_each_panel<V>(k, n, panels, [&](Index column, Index vectors, T* panel) {
        const Index panel_row = vectors * W;
        for (Index j = 0; j < vectors; ++j, panel += W) {
            const Index first = column + j * W, columns = n - first < W ? n - first : W;
            const T* block = b + first * ldb;
            for (Index i = 0; i < k; i += W) {
                const Index rows = k - i < W ? k - i : W;
                if (columns == W && rows == W) {
                    V::transpose(block + i, ldb, panel + i * panel_row, panel_row);
                } else {
                    transpose_edge<V>(block + i, ldb, columns, rows, panel + i * panel_row,
                                      panel_row);
                }
            }
        }
    });
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
