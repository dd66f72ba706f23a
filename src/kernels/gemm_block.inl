// A block of C on one thread: strips x row blocks x slices of the micro-kernel.
//
//     C    | strip of 4   | strip of 4   | strip of 3 |      strips of one width form a group;
//     MR   | tile (0, 0)  | tile (0, 1)  |            |      within a group rows are outermost:
//     MR   | tile (1, 0)  | ...          |            |      A's MR rows stay in L1 while all
//                                                            strips of B pass from L2.
//
// With few rows the strip is outermost instead, and slices before rows, so that B streams once.
// Order within an element: ascending slices, always (kernels.md 6.2).

constexpr Index kStreamRows = 16;  // up to here B is worth streaming once

template <class V>
struct BlockWalk {
    using T = typename V::Scalar;

    const GemmBlock<T>& g;
    bool panels = g.ldb == GemmBlock<T>::kPanels;
    Index slices = g.k <= kGemmSlice ? 1 : (g.k + kGemmSlice - 1) / kGemmSlice;

    // Slice p of `rows` rows from row i, `vectors` vectors from `column`.
    void tile(Index i, Index rows, Index column, Index vectors, Index p) const {
        const Index first = p * kGemmSlice, lanes = g.n - column;
        const GemmSegment slice{0, 0, g.k - first < kGemmSlice ? g.k - first : kGemmSlice};
        const bool last = p == slices - 1;
        const Index b_k = panels ? vectors * V::kWidth : g.ldb;
        Tile<T> t;
        t.a = g.a + i * g.a_row + first * g.a_k;
        t.a_row = g.a_row;
        t.a_k = g.a_k;
        t.b = g.b + (panels ? column * g.k : column) + first * b_k;
        t.b_k = b_k;
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
        run_tile<V>(t, rows, vectors);
    }

    // `count` strips of `vectors` vectors each, from `column`.
    void strips(Index column, Index count, Index vectors) const {
        const BalancedCut rows = cut_by(g.m, kTileRows[vectors]);
        const Index step = vectors * V::kWidth, end = column + count * step;
        if (g.m <= kStreamRows) {
            for (Index j = column; j < end; j += step)
                for (Index p = 0; p < slices; ++p)
                    for (Index b = 0, i = 0; b < rows.parts; i += rows[b++])
                        tile(i, rows[b], j, vectors, p);
        } else {
            for (Index b = 0, i = 0; b < rows.parts; i += rows[b++])
                for (Index j = column; j < end; j += step)
                    for (Index p = 0; p < slices; ++p) tile(i, rows[b], j, vectors, p);
        }
    }
};

template <class V>
void gemm_block(const GemmBlock<typename V::Scalar>& g) noexcept {
    const BlockWalk<V> walk{g};
    const Index nv = (g.n + V::kWidth - 1) / V::kWidth;
    const BalancedCut cut = walk.panels ? cut_strips(nv) : cut_strips_direct(nv, g.m);
    if (cut.larger > 0) walk.strips(0, cut.larger, cut.size + 1);
    if (cut.larger < cut.parts)
        walk.strips(cut.larger * (cut.size + 1) * V::kWidth, cut.parts - cut.larger, cut.size);
}

template <class V>
constexpr GemmTable<typename V::Scalar> gemm_table() {
    return {&gemm_block<V>,           &gemm_dots<V>,      &gemm_pack<V>,
            &gemm_pack_transposed<V>, &gemm_transpose<V>, &gemm_combine<V>};
}
