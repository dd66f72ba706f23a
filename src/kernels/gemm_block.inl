// A block of C on one thread: strips x row blocks x slices of the micro-kernel.
//
//     C    | strip of 4   | strip of 4   | strip of 3 |      strips of one width form a group;
//     MR   | tile (0, 0)  | tile (0, 1)  |            |      within a group rows are outermost:
//     MR   | tile (1, 0)  | ...          |            |      A's MR rows stay in L1 while all
//                                                            strips of B pass from L2.
//
// With few rows, or with a panel to pack strips into, the strip is outermost instead, and slices
// before rows: B is read once, and its panel stays near while all rows use it.
// Order within an element: ascending slices, always (kernels.md 6.2).

constexpr Index kStreamRows = 16;  // up to here B is worth streaming once

template <class V>
struct BlockWalk {
    using T = typename V::Scalar;

    const GemmBlock<T>& g;
    bool panels = g.ldb == GemmBlock<T>::kPanels;
    Index slices = g.k <= kGemmSlice ? 1 : (g.k + kGemmSlice - 1) / kGemmSlice;

    // `vectors` vectors of C from (i, column), slice p; its only segment is `slice`.
    Tile<T> tile(Index i, Index column, Index vectors, Index p, GemmSegment& slice) const {
        const Index first = p * kGemmSlice, lanes = g.n - column;
        const bool last = p == slices - 1;
        slice = {0, 0, g.k - first < kGemmSlice ? g.k - first : kGemmSlice};
        Tile<T> t;
        t.a = g.a + i * g.a_row + first * g.a_k;
        t.a_row = g.a_row;
        t.a_k = g.a_k;
        t.b_k = panels ? vectors * V::kWidth : g.ldb;
        t.b = g.b + (panels ? column * g.k : column) + first * t.b_k;
        t.segments = &slice;
        t.segment_count = 1;
        t.c = g.c + i * g.ldc + column;
        t.ldc = g.ldc;
        t.tail = static_cast<int>(lanes >= vectors * V::kWidth ? V::kWidth
                                                               : lanes - (vectors - 1) * V::kWidth);
        t.alpha = g.alpha;
        t.beta = p == 0 ? g.beta : 1;
        t.bias = last && g.bias != nullptr ? g.bias + column : nullptr;
        t.relu = last && g.relu;
        t.far_c = g.far_c;
        return t;
    }

    // Rows [i, i + rows) of one strip.
    static void down(Tile<T>& t, Index rows, Index vectors) {
        const BalancedCut cut = cut_by(rows, kTileRows[vectors]);
        const Index sizes[2] = {cut.size + 1, cut.size};
        const Index counts[2] = {cut.larger, cut.parts - cut.larger};
        for (int s = 0; s < 2; ++s) {
            if (counts[s] == 0) continue;
            t.count = counts[s];
            t.a_next = sizes[s] * t.a_row;
            t.c_next = sizes[s] * t.ldc;
            run_tile<V>(t, sizes[s], vectors);
            t.a += t.count * t.a_next;
            t.c += t.count * t.c_next;
        }
    }

    // Strips [column, end) of the `rows` rows from row i, slice p.
    void across(Index i, Index rows, Index column, Index end, Index vectors, Index p) const {
        const Index step = vectors * V::kWidth, whole = (end < g.n ? end : g.n) - column;
        GemmSegment slice;
        Tile<T> t = tile(i, column, vectors, p, slice);
        t.count = whole / step;
        if (t.count > 0) {
            t.tail = V::kWidth;
            t.b_next = panels ? step * g.k : step;
            t.c_next = t.bias_next = step;
            run_tile<V>(t, rows, vectors);
        }
        if (t.count * step < whole)
            run_tile<V>(tile(i, column + t.count * step, vectors, p, slice), rows, vectors);
    }

    // A strip of all rows: its panel is packed, by the first tile when B is stored as b[k, n].
    void packed_strip(Index column, Index vectors, Index p) const {
        GemmSegment slice;
        Tile<T> t = tile(0, column, vectors, p, slice);
        Index done = 0;
        t.panel = g.panel;
        if (g.b_transposed) {
            const Index lanes = g.n - column, step = vectors * V::kWidth;
            gemm_pack_transposed<V>(slice.klen, lanes < step ? lanes : step,
                                    g.b + column * g.ldb + p * kGemmSlice, g.ldb, g.panel);
        } else {
            run_packing_tile<V>(t, vectors);
            done = kTileRows[vectors];
            t.a += done * g.a_row;
            t.c += done * g.ldc;
        }
        t.b = g.panel;
        t.b_k = vectors * V::kWidth;
        down(t, g.m - done, vectors);
    }

    // `count` strips of `vectors` vectors each, from `column`.
    void strips(Index column, Index count, Index vectors) const {
        const Index step = vectors * V::kWidth, end = column + count * step;
        if (g.panel != nullptr) {
            for (Index j = column; j < end; j += step)
                for (Index p = 0; p < slices; ++p) packed_strip(j, vectors, p);
        } else if (g.m <= kStreamRows) {
            for (Index j = column; j < end; j += step)
                for (Index p = 0; p < slices; ++p) {
                    GemmSegment slice;
                    Tile<T> t = tile(0, j, vectors, p, slice);
                    down(t, g.m, vectors);
                }
        } else {
            const BalancedCut rows = cut_by(g.m, kTileRows[vectors]);
            for (Index b = 0, i = 0; b < rows.parts; i += rows[b++])
                for (Index p = 0; p < slices; ++p) across(i, rows[b], column, end, vectors, p);
        }
    }
};

template <class V>
void gemm_block(const GemmBlock<typename V::Scalar>& g) noexcept {
    const BlockWalk<V> walk{g};
    const Index nv = (g.n + V::kWidth - 1) / V::kWidth;
    const Index widest = walk.panels ? kWholeStrip : kMaxVectors;
    if (nv <= widest && g.m <= kTileRows[nv] && g.k <= kGemmSlice && g.panel == nullptr) {
        GemmSegment slice;  // one tile: tiny products feel the loops
        run_tile<V>(walk.tile(0, 0, nv, 0, slice), g.m, nv);
        return;
    }
    const bool wide = walk.panels || g.panel != nullptr;
    const BalancedCut cut = wide ? cut_strips(nv) : cut_strips_direct(nv, g.m);
    if (cut.larger > 0) walk.strips(0, cut.larger, cut.size + 1);
    if (cut.larger < cut.parts)
        walk.strips(cut.larger * (cut.size + 1) * V::kWidth, cut.parts - cut.larger, cut.size);
}

template <class V>
constexpr GemmTable<typename V::Scalar> gemm_table() {
    return {&gemm_block<V>,           &gemm_dots<V>,      &gemm_stream<V>, &gemm_pack<V>,
            &gemm_pack_transposed<V>, &gemm_transpose<V>, &gemm_combine<V>};
}
