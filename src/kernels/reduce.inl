// Reductions: contract in table/reduce.h, orders in include/soma/kernels/reduce.h.

// The 16 virtual lanes of LANES16, in as many registers as they need.
template <class V>
struct Lanes16 {
    using T = typename V::Scalar;
    using L = Lanes<V>;
    static constexpr int kRegisters = 16 / V::kWidth;

    L r[kRegisters];

    Lanes16() {
#pragma GCC unroll 16
        for (int j = 0; j < kRegisters; ++j) r[j] = lit<L>(0);
    }
    // lane 16 -> 8 -> 4 -> 2 -> 1 by lane[l] + lane[l + half].
    T fold() const {
        T lane[16];
#pragma GCC unroll 16
        for (int j = 0; j < kRegisters; ++j) r[j].store(lane + j * V::kWidth);
#pragma GCC unroll 4
        for (int half = 8; half > 0; half /= 2) {
#pragma GCC unroll 8
            for (int l = 0; l < half; ++l) lane[l] = lane[l] + lane[l + half];
        }
        return lane[0];
    }
};

// f(register, pointers) for 16 elements; with `count` < 16 the other lanes see zeros.
template <class V, class F, class... In>
inline void add_block(Lanes16<V>& lanes, F f, const In*... in) {
#pragma GCC unroll 16
    for (int j = 0; j < Lanes16<V>::kRegisters; ++j) {
        lanes.r[j] = f(lanes.r[j], Lanes<V>::load(in + j * V::kWidth)...);
    }
}
template <class V, class F, class... In>
inline void add_tail(Lanes16<V>& lanes, int count, F f, const In*... in) {
#pragma GCC unroll 16
    for (int j = 0; j < Lanes16<V>::kRegisters; ++j) {
        const int left = count - j * V::kWidth;
        if (left <= 0) return;
        if (left >= V::kWidth) {
            lanes.r[j] = f(lanes.r[j], Lanes<V>::load(in + j * V::kWidth)...);
        } else {
            const auto mask = V::first(left);
            lanes.r[j] = f(lanes.r[j], Lanes<V>::load(in + j * V::kWidth, mask)...);
        }
    }
}

// LANES16 over n elements; f(lane, x...) enters one element into its lane and ignores zeros.
template <class V, class F, class... In>
[[gnu::flatten]] inline typename V::Scalar lanes16(Index n, F f, const In*... in) {
    Lanes16<V> lanes;
    Index i = 0;
    for (; i + 16 <= n; i += 16) add_block(lanes, f, in + i...);
    if (i < n) add_tail(lanes, static_cast<int>(n - i), f, in + i...);
    return lanes.fold();
}

template <class V, class T = typename V::Scalar>
void row_sums(Index rows, Index cols, const T* x, Index ldx, T alpha, T* y,
              bool accumulate) noexcept {
    using L = Lanes<V>;
    for (Index r = 0; r < rows; ++r) {
        const T sum = lanes16<V>(
            cols, [](L lane, L v) { return lane + v; }, x + r * ldx);
        y[r] = accumulate ? fma(alpha, sum, y[r]) : alpha * sum;
    }
}

template <class V, class T = typename V::Scalar>
void row_dots(Index rows, Index cols, const T* a, Index lda, const T* b, Index ldb, T* y,
              bool accumulate) noexcept {
    using L = Lanes<V>;
    const auto enter = [](L lane, L p, L q) { return fma(p, q, lane); };
    for (Index r = 0; r < rows; ++r) {
        const T dot = lanes16<V>(cols, enter, a + r * lda, b + r * ldb);
        y[r] = accumulate ? y[r] + dot : dot;
    }
}

// ---- maxima ----

// The larger one; a NaN is larger than every number and the first NaN stays.
template <class T>
inline bool exceeds(T x, T best) {
    return x > best || (x != x && best == best);
}

// Which of several zeros (or NaNs) it returns depends on the width.
template <class V, class T = typename V::Scalar>
T row_maximum(Index n, const T* x) {
    using L = Lanes<V>;
    T best = x[0];
    if (n < V::kWidth) {
        for (Index i = 1; i < n; ++i) best = exceeds(x[i], best) ? x[i] : best;
        return best;
    }
    L m = L::load(x);
    const auto take = [&m](L v) { m = select((v > m) | is_nan(v), v, m); };
    for (Index i = V::kWidth; i + V::kWidth <= n; i += V::kWidth) take(L::load(x + i));
    take(L::load(x + n - V::kWidth));  // the rest, overlapping what was seen
    T lane[V::kWidth];
    m.store(lane);
    best = lane[0];
    for (int l = 1; l < V::kWidth; ++l) best = exceeds(lane[l], best) ? lane[l] : best;
    return best;
}

template <class V, class T = typename V::Scalar>
void row_max(Index rows, Index cols, const T* x, Index ldx, T* value,
             std::int32_t* index) noexcept {
    for (Index r = 0; r < rows; ++r) {
        const T* row = x + r * ldx;
        const T best = row_maximum<V>(cols, row);
        Index first = 0;
        while (row[first] != best && row[first] == row[first]) ++first;
        if (value != nullptr) value[r] = row[first];
        if (index != nullptr) index[r] = static_cast<std::int32_t>(first);
    }
}

// The running maxima of some columns, and the row of each as an integer in the bits of its lane.
// A later row wins unless it is at most the maximum, or the maximum is NaN: exceeds, with NaN.
template <class V>
struct ColumnMaxima {
    using L = Lanes<V>;
    L best, row;

    void take(L v, L r) {
        const Truth<V> stays = (v <= best) | is_nan(best);
        best = select(stays, best, v);
        row = select(stays, row, r);
    }
};

// NV vectors of `count` columns from x on, down all rows;
// NV vectors at a time so that a row of a wide matrix
// is read NV cache lines at a time.
template <class V, int NV, class At, class T = typename V::Scalar>
[[gnu::flatten]] inline void column_max_strip(Index rows, At at, int count, const T* x, Index ldx,
                                              T* value, std::int32_t* index) {
    using L = Lanes<V>;
    ColumnMaxima<V> maxima[NV];
#pragma GCC unroll 8
    for (int j = 0; j < NV; ++j) maxima[j] = {at.load(x + j * V::kWidth), lit<L>(0)};
    Bits<V> row{V::ibroadcast(0)};
    const Bits<V> one{V::ibroadcast(1)};
    for (Index r = 1; r < rows; ++r) {
        row = row + one;
#pragma GCC unroll 8
        for (int j = 0; j < NV; ++j) {
            maxima[j].take(at.load(x + r * ldx + j * V::kWidth), from_bits(row));
        }
    }
    for (int j = 0; j < NV; ++j) {
        if (value != nullptr) at.store(value + j * V::kWidth, maxima[j].best);
        if (index == nullptr) continue;
        T lane[V::kWidth];
        maxima[j].row.store(lane);
        // The low half of a lane: every ISA is little-endian.
        for (int l = 0; l < count; ++l) {
            __builtin_memcpy(index + j * V::kWidth + l, lane + l, sizeof(std::int32_t));
        }
    }
}

template <class V, class T = typename V::Scalar>
void column_max(Index rows, Index cols, const T* x, Index ldx, T* value,
                std::int32_t* index) noexcept {
    constexpr Index kWidth = V::kWidth;
    const auto strip = [&]<int NV>(auto at, int count, Index c) {
        column_max_strip<V, NV>(rows, at, count, x + c, ldx, value == nullptr ? nullptr : value + c,
                                index == nullptr ? nullptr : index + c);
    };
    Index c = 0;
    for (; c + 4 * kWidth <= cols; c += 4 * kWidth) {
        strip.template operator()<4>(Whole<V>{}, V::kWidth, c);
    }
    for (; c + kWidth <= cols; c += kWidth) {
        strip.template operator()<1>(Whole<V>{}, V::kWidth, c);
    }
    const int left = static_cast<int>(cols - c);
    if (left > 0) strip.template operator()<1>(Head<V>{V::first(left)}, left, c);
}

// ---- leaves of column sums ----

// NV vectors of columns from column c on, down all rows; add(sum, r, c) enters one vector.
template <class V, int NV, class Add>
[[gnu::flatten]] inline void leaf_strip(Index rows, Index c, typename V::Scalar* y, Add add) {
    using L = Lanes<V>;
    L sum[NV];
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) sum[j] = lit<L>(0);
    for (Index r = 0; r < rows; ++r) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) sum[j] = add(sum[j], r, c + j * V::kWidth);
    }
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) sum[j].store(y + c + j * V::kWidth);
}

// One leaf of a column sum: y[c] = chain over ascending rows of sum = enter(sum, r, c, Whole or
// Head), from +0. Strips of four vectors: a row of a wide matrix is read 4 cache lines at a time.
template <class V, class Enter, class T = typename V::Scalar>
inline void leaf_of_columns(Index rows, Index cols, T* y, Enter enter) {
    using L = Lanes<V>;
    constexpr Index kWidth = V::kWidth;
    const auto add = [&](L sum, Index r, Index c) { return enter(sum, r, c, Whole<V>{}); };
    Index c = 0;
    for (; c + 4 * kWidth <= cols; c += 4 * kWidth) leaf_strip<V, 4>(rows, c, y, add);
    for (; c + kWidth <= cols; c += kWidth) leaf_strip<V, 1>(rows, c, y, add);
    if (c == cols) return;
    const Head<V> head{V::first(static_cast<int>(cols - c))};
    L sum = lit<L>(0);
    for (Index r = 0; r < rows; ++r) sum = enter(sum, r, c, head);
    head.store(y + c, sum);
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void leaf_sums(Index rows, Index cols, const T* x, Index ldx, T* y) noexcept {
    using L = Lanes<V>;
    leaf_of_columns<V>(rows, cols, y, [=](L sum, Index r, Index c, auto at) {
        return sum + at.load(x + r * ldx + c);
    });
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void leaf_dots(Index rows, Index cols, const T* a, Index lda, const T* b,
                                Index ldb, T* y) noexcept {
    using L = Lanes<V>;
    leaf_of_columns<V>(rows, cols, y, [=](L sum, Index r, Index c, auto at) {
        return fma(at.load(a + r * lda + c), at.load(b + r * ldb + c), sum);
    });
}

// ---- chunks of LONG: f64 lanes for both dtypes ----

inline Lanes<VecD> load_wide(const float* p) { return {VecD::load_widened(p)}; }
inline Lanes<VecD> load_wide(const double* p) { return {VecD::load(p)}; }

constexpr Index kChunkElements = 1024;

// Fewer than 16 elements and zeros behind them.
template <class T>
struct Padded16 {
    Padded16(Index n, const T* p) {
        for (Index i = 0; i < n; ++i) x[i] = p[i];
    }
    T x[16] = {};
};

// f(lane, x...) for 16 elements of either dtype.
template <class F, class... In>
inline void add_wide(Lanes16<VecD>& lanes, F f, const In*... in) {
#pragma GCC unroll 16
    for (int j = 0; j < Lanes16<VecD>::kRegisters; ++j) {
        lanes.r[j] = f(lanes.r[j], load_wide(in + j * VecD::kWidth)...);
    }
}

// part[c] = LANES16 in f64 of chunk c; f(lane, x...) ignores zeros. Whole chunks are taken several
// at a time, because the eight registers of one or more chunks are chains enough to hide latency.
template <class F, class... In>
[[gnu::flatten]] inline void chunks(Index n, double* part, F f, const In*... in) {
    constexpr int kAtOnce = Lanes16<VecD>::kRegisters < 8 ? 8 / Lanes16<VecD>::kRegisters : 1;
    Index i = 0;
    for (; i + kAtOnce * kChunkElements <= n; i += kAtOnce * kChunkElements) {
        Lanes16<VecD> lanes[kAtOnce];
        for (Index e = i; e < i + kChunkElements; e += 16) {
#pragma GCC unroll 8
            for (int c = 0; c < kAtOnce; ++c) add_wide(lanes[c], f, in + e + c * kChunkElements...);
        }
        for (int c = 0; c < kAtOnce; ++c) *part++ = lanes[c].fold();
    }
    for (; i < n; i += kChunkElements) {
        const Index end = n - i < kChunkElements ? n : i + kChunkElements;
        Lanes16<VecD> lanes;
        Index e = i;
        for (; e + 16 <= end; e += 16) add_wide(lanes, f, in + e...);
        if (e < end) add_wide(lanes, f, Padded16<In>(end - e, in + e).x...);
        *part++ = lanes.fold();
    }
}

template <class V, class T = typename V::Scalar>
void chunk_sums(Index n, const T* x, double* part) noexcept {
    using L = Lanes<VecD>;
    chunks(
        n, part, [](L lane, L v) { return lane + v; }, x);
}

template <class V, class T = typename V::Scalar>
void chunk_dots(Index n, const T* a, const T* b, double* part) noexcept {
    using L = Lanes<VecD>;
    chunks(
        n, part, [](L lane, L p, L q) { return fma(p, q, lane); }, a, b);
}

template <class V>
constexpr ReduceTable<typename V::Scalar> reduce_table() {
    return {.row_sums = row_sums<V>,
            .row_dots = row_dots<V>,
            .row_max = row_max<V>,
            .leaf_sums = leaf_sums<V>,
            .leaf_dots = leaf_dots<V>,
            .column_max = column_max<V>,
            .chunk_sums = chunk_sums<V>,
            .chunk_dots = chunk_dots<V>};
}
