// Convolution, forward and backward-data: a band of output rows through the GEMM micro-kernel.
//
//     y row r   [ 6 pixels | 6 pixels | 5 | 5 ]     a tile is one block of pixels by one strip of
//                  x strips of channels             channels; its rows are x_pixel apart
//
// Loops: strip, group of 4 slices of 256 k, row, block of pixels, slice. The weights of a group
// stay in L2 while all rows pass; partial sums wait in y, as CHAIN says: in L1 within a group. Rows
// whose pixels follow each other in x and in y (1x1, stride 1) are one long row, with fewer edges.
// Contract: soma/kernels/table/conv.h.

// The strip of `vectors` vectors from `column`, whose weights begin at w; the panel ends at `end`.
template <class V>
class ConvStrip {
public:
    using T = typename V::Scalar;

    ConvStrip(const ConvRows<T>& task, const T* w, Index column, Index end, Index vectors)
        : t_(task),
          column_(column),
          vectors_(vectors),
          cut_(cut_by(task.pixels, kTileRows[vectors])) {
        const Index left = end - column, width = vectors * V::kWidth;
        tile_.a_row = t_.x_pixel;
        tile_.a_k = 1;
        tile_.b = w;
        tile_.b_k = t_.ldw;
        tile_.ldc = t_.y_pixel;
        tile_.tail = static_cast<int>(left < width ? left - width + V::kWidth : V::kWidth);
        tile_.alpha = 1;
    }

    void run() {
        for (Index p = 0; p < t_.segments.slices; p += kNearSlices) {
            const Index left = t_.segments.slices - p,
                        stop = p + (left < kNearSlices ? left : kNearSlices);
            for (Index r = 0; r < t_.rows; ++r) row(r, p, stop);
        }
    }

private:
    static constexpr Index kNearSlices = 4;  // of at most 80 KB each

    // One row of pixels, slices [first, last) of k.
    void row(Index r, Index first, Index last) {
        tile_.a = t_.x + r * t_.x_row;
        tile_.c = t_.y + r * t_.y_row + column_;
        for (Index b = 0; b < cut_.parts; ++b) {
            const Index pixels = cut_[b];
            for (Index p = first; p < last; ++p) {
                set_slice(p);
                run_tile<V>(tile_, pixels, vectors_);
            }
            tile_.a += pixels * t_.x_pixel;
            tile_.c += pixels * t_.y_pixel;
        }
    }

    void set_slice(Index p) {
        const bool end = p == t_.segments.slices - 1;
        tile_.segments = t_.segments.list + t_.segments.first[p];
        tile_.segment_count = t_.segments.first[p + 1] - t_.segments.first[p];
        tile_.beta = p > 0 || t_.accumulate ? T{1} : T{0};
        tile_.bias = end && t_.bias != nullptr ? t_.bias + column_ : nullptr;
        tile_.relu = end && t_.relu;
    }

    const ConvRows<T>& t_;
    Index column_, vectors_;
    BalancedCut cut_;
    Tile<T> tile_{};
};

template <class V>
Index conv_panel(Index channels, Index pixels) noexcept {
    const Index nv = (channels + V::kWidth - 1) / V::kWidth;
    const BalancedCut direct = cut_strips_direct(nv, pixels);
    // Very wide strips serve few rows that read B once; here many rows read a panel.
    return (direct[0] > kWholeStrip ? cut_strips(nv) : direct)[0] * V::kWidth;
}

template <class V>
void conv_rows(const ConvRows<typename V::Scalar>& task) noexcept {
    ConvRows<typename V::Scalar> t = task;
    if (t.x_row == t.pixels * t.x_pixel && t.y_row == t.pixels * t.y_pixel) {  // one long row
        t.pixels *= t.rows;
        t.rows = 1;
    }
    const typename V::Scalar* panel = t.w;
    for (Index begin = 0; begin < t.channels; begin += t.panel, panel += t.panel_step) {
        const Index end = t.channels - begin < t.panel ? t.channels : begin + t.panel;
        const Index nv = (end - begin + V::kWidth - 1) / V::kWidth;
        const BalancedCut strips =
            t.panel < t.channels ? cut_into(nv, 1) : cut_strips_direct(nv, t.pixels);
        Index column = begin;
        for (Index s = 0; s < strips.parts; ++s) {
            ConvStrip<V>(t, panel + column - begin, column, end, strips[s]).run();
            column += strips[s] * V::kWidth;
        }
    }
}
