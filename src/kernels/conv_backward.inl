// Convolution, backward-weights: one leaf of pixels through the GEMM micro-kernel.
//
//     dw rows (tap, c)      a tile is a block of rows of one tap by one strip of channels; its
//        x                  reduction runs over pixels: x is read transposed for free (a_row = 1,
//     strips of channels    a_k = x_pixel), rows of dy are the vectors
//
// Contract: soma/kernels/table/conv.h. A leaf is one canonical slice, so a tile is stored once.

template <class V>
void conv_leaf_strip(const ConvLeaf<typename V::Scalar>& t, Index column, Index vectors) noexcept {
    const Index left = t.channels - column, width = vectors * V::kWidth;
    Tile<typename V::Scalar> tile{};
    tile.a_row = 1;
    tile.a_k = t.x_pixel;
    tile.b = t.dy + column;
    tile.b_k = t.ldy;
    tile.segments = t.segments;
    tile.segment_count = t.segment_count;
    tile.c = t.dw + column;
    tile.ldc = t.ldw;
    tile.tail = static_cast<int>(left < width ? left - width + V::kWidth : V::kWidth);
    tile.alpha = 1;
    tile.beta = t.accumulate ? 1 : 0;
    Index row = t.row_begin;
    while (row < t.row_end) {
        const Index tap = row / t.tap_rows, channel = row % t.tap_rows;
        const Index in_tap = t.tap_rows - channel, in_task = t.row_end - row;
        const BalancedCut blocks = cut_by(in_tap < in_task ? in_tap : in_task, kTileRows[vectors]);
        tile.a = t.x + t.tap_offset[tap] + channel;
        for (Index b = 0; b < blocks.parts; ++b) {
            const Index rows = blocks[b];
            run_tile<V>(tile, rows, vectors);
            tile.a += rows;
            tile.c += rows * t.ldw;
            row += rows;
        }
    }
}

template <class V>
void conv_leaf(const ConvLeaf<typename V::Scalar>& t) noexcept {
    const Index nv = (t.channels + V::kWidth - 1) / V::kWidth;
    const BalancedCut strips = cut_strips_direct(nv, t.tap_rows);
    Index column = 0;
    for (Index s = 0; s < strips.parts; ++s) {
        conv_leaf_strip<V>(t, column, strips[s]);
        column += strips[s] * V::kWidth;
    }
}
