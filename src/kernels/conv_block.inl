// Convolution, forward and backward-data: a band of output rows through the GEMM micro-kernel.
//
//     y row r   [ 6 pixels | 6 pixels | 5 | 5 ]     a tile is one block of pixels by one strip of
//                  x strips of channels             channels; its rows are x_pixel apart
//
// Loops: strip, slice of 256 k, row, block of pixels. A slice of a strip of weights (at most
// 256 x 64 values) stays in L1 or L2 while all rows pass; partial sums wait in y, as CHAIN says.
// Contract: soma/kernels/table/conv.h.

// The strip of `vectors` vectors from `column`, whose weights begin at w; the panel ends at `end`.
template <class V>
void conv_strip(const ConvRows<typename V::Scalar>& t, const typename V::Scalar* w, Index column,
                Index end, Index vectors) noexcept {
    using T = typename V::Scalar;
    const Index left = end - column, width = vectors * V::kWidth;
    const BalancedCut blocks = cut_by(t.pixels, kTileRows[vectors]);
    Tile<T> tile{};
    tile.a_row = t.x_pixel;
    tile.a_k = 1;
    tile.b = w;
    tile.b_k = t.ldw;
    tile.ldc = t.y_pixel;
    tile.tail = static_cast<int>(left < width ? left - width + V::kWidth : V::kWidth);
    tile.alpha = 1;
    for (Index p = 0; p < t.segments.slices; ++p) {
        tile.segments = t.segments.list + t.segments.first[p];
        tile.segment_count = t.segments.first[p + 1] - t.segments.first[p];
        tile.beta = p > 0 || t.accumulate ? T{1} : T{0};
        if (p == t.segments.slices - 1) {
            tile.bias = t.bias == nullptr ? nullptr : t.bias + column;
            tile.relu = t.relu;
        }
        for (Index r = 0; r < t.rows; ++r) {
            tile.a = t.x + r * t.x_row;
            tile.c = t.y + r * t.y_row + column;
            for (Index b = 0; b < blocks.parts; ++b) {
                const Index pixels = blocks[b];
                run_tile<V>(tile, pixels, vectors);
                tile.a += pixels * t.x_pixel;
                tile.c += pixels * t.y_pixel;
            }
        }
    }
}

template <class V>
void conv_rows(const ConvRows<typename V::Scalar>& t) noexcept {
    const typename V::Scalar* panel = t.w;
    for (Index begin = 0; begin < t.channels; begin += t.panel, panel += t.panel_step) {
        const Index end = t.channels - begin < t.panel ? t.channels : begin + t.panel;
        const Index nv = (end - begin + V::kWidth - 1) / V::kWidth;
        const BalancedCut strips = cut_strips_direct(nv, t.pixels);
        Index column = begin;
        for (Index s = 0; s < strips.parts; ++s) {
            conv_strip<V>(t, panel + column - begin, column, end, strips[s]);
            column += strips[s] * V::kWidth;
        }
    }
}
