// Softmax family: three passes over a row that stays in cache.
//
//     pass 1   m = max x
//     pass 2   e = exp(x - m), stored where the result goes, and s = LANES16 sum of e
//     pass 3   the result from e and 1 / s
//
// Pass 2 computes on what pass 1 brought near, so it fetches the next row meanwhile.
// Contract and special values: soma/kernels/table/softmax.h; sums: row_walk.inl.

// Pass 1: the maximum of a row in four chains. A NaN may get lost, because pass 2 meets it again
// and makes the sum NaN, whatever was subtracted; and which of two zeros it is cannot show in x -
// m.
template <class V, class T = typename V::Scalar>
inline T row_peak(Index n, const T* x) {
    using L = Lanes<V>;
    constexpr Index kW = V::kWidth;
    if (n < 4 * kW) return row_maximum<V>(n, x);
    L m[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) m[j] = L::load(x + j * kW);
    const auto take = [&](const T* block) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) m[j] = max(m[j], L::load(block + j * kW));
    };
    for (Index i = 4 * kW; i + 4 * kW <= n; i += 4 * kW) take(x + i);
    take(x + n - 4 * kW);  // the rest, overlapping what was seen
    T lane[kW];
    max(max(m[0], m[1]), max(m[2], m[3])).store(lane);
    T best = lane[0];
    for (Index l = 1; l < kW; ++l) best = lane[l] > best ? lane[l] : best;
    return best;
}

// Passes 1 and 2 of a row, e written to y unless it is nullptr.
template <class V>
struct ShiftedRow {
    using L = Lanes<V>;
    using T = typename V::Scalar;
    T max, sum;

    ShiftedRow(Index n, const T* x, T* y) : max(row_peak<V>(n, x)) {
        Lanes16<V> lanes;
        const L m = L::all(max);
        for_each_part<V>(n, [&](int p, Index i, auto at) {
            const L e = exp(at.load(x + i) - m);
            if (y != nullptr) at.store(y + i, e);
            prefetch_next_row(x, y, n, i);
            lanes.r[p] = lanes.r[p] + at.keep(e);
        });
        sum = lanes.fold();
    }
    // One element of log in the vector's arithmetic: the same bits as any other log.
    T log_sum() const {
        T result[V::kWidth];
        log(L::all(sum)).store(result);
        return result[0];
    }
};

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void softmax_rows(Index rows, Index cols, const T* x, T* y) noexcept {
    using L = Lanes<V>;
    for (; rows > 0; --rows, x += cols, y += cols) {
        const ShiftedRow<V> row(cols, x, y);
        const L factor = lit<L>(1) / L::all(row.sum);
        for_each_vector<V>(cols,
                           [&](Index i, auto at) { at.store(y + i, at.load(y + i) * factor); });
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void log_softmax_rows(Index rows, Index cols, const T* x, T* y) noexcept {
    using L = Lanes<V>;
    for (; rows > 0; --rows, x += cols, y += cols) {
        const ShiftedRow<V> row(cols, x, nullptr);
        const L m = L::all(row.max), log_sum = L::all(row.log_sum());
        for_each_vector<V>(
            cols, [&](Index i, auto at) { at.store(y + i, (at.load(x + i) - m) - log_sum); });
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void softmax_rows_backward(Index rows, Index cols, const T* y, const T* dy,
                                            bool accumulate, T* dx) noexcept {
    using L = Lanes<V>;
    for (; rows > 0; --rows, y += cols, dy += cols, dx += cols) {
        Lanes16<V> lanes;
        for_each_part<V>(cols, [&](int p, Index i, auto at) {
            lanes.r[p] = fma(at.load(dy + i), at.load(y + i), lanes.r[p]);
        });
        const L dot = L::all(lanes.fold());
        for_each_vector<V>(cols, [&](Index i, auto at) {
            const L d = at.load(y + i) * (at.load(dy + i) - dot);
            at.store(dx + i, accumulate ? at.load(dx + i) + d : d);
        });
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void log_softmax_rows_backward(Index rows, Index cols, const T* y, const T* dy,
                                                bool accumulate, T* dx) noexcept {
    using L = Lanes<V>;
    for (; rows > 0; --rows, y += cols, dy += cols, dx += cols) {
        Lanes16<V> lanes;
        for_each_part<V>(
            cols, [&](int p, Index i, auto at) { lanes.r[p] = lanes.r[p] + at.load(dy + i); });
        const L sum = L::all(lanes.fold());
        for_each_vector<V>(cols, [&](Index i, auto at) {
            const L d = at.load(dy + i) - exp(at.load(y + i)) * sum;
            at.store(dx + i, accumulate ? at.load(dx + i) + d : d);
        });
    }
}

// ---- cross-entropy ----

// Loss and gradient of one row against (1 - smoothing) onehot(label) + smoothing / cols. Every
// element first gets w (e / s - smoothing / cols); then the label's share is taken off.
template <class V, class T = typename V::Scalar>
[[gnu::flatten]] T cross_entropy_label(Index cols, const T* x, std::int32_t label, double smoothing,
                                       T weight, T* dx) {
    using L = Lanes<V>;
    const ShiftedRow<V> row(cols, x, dx);
    const T on = static_cast<T>(1 - smoothing);
    const T off = static_cast<T>(smoothing / static_cast<double>(cols));
    T loss = row.log_sum() - on * (x[label] - row.max);
    if (smoothing != 0) {
        Lanes16<V> z;
        const L m = L::all(row.max);
        for_each_part<V>(
            cols, [&](int p, Index i, auto at) { z.r[p] = z.r[p] + at.keep(at.load(x + i) - m); });
        loss -= off * z.fold();
    }
    if (dx == nullptr) return loss;
    const L factor = L::all(weight / row.sum), share = L::all(weight * off);
    for_each_vector<V>(
        cols, [&](Index i, auto at) { at.store(dx + i, at.load(dx + i) * factor - share); });
    dx[label] -= weight * on;
    return loss;
}

// Loss and gradient of one row against the distribution q.
template <class V, class T = typename V::Scalar>
[[gnu::flatten]] T cross_entropy_target(Index cols, const T* x, const T* q, T weight, T* dx) {
    using L = Lanes<V>;
    const ShiftedRow<V> row(cols, x, dx);
    Lanes16<V> total, dot;
    const L m = L::all(row.max);
    for_each_part<V>(cols, [&](int p, Index i, auto at) {
        const L target = at.load(q + i);
        total.r[p] = total.r[p] + target;
        dot.r[p] = fma(target, at.load(x + i) - m, dot.r[p]);
    });
    const T q_sum = total.fold(), loss = q_sum * row.log_sum() - dot.fold();
    if (dx == nullptr) return loss;
    const L factor = L::all(q_sum / row.sum), w = L::all(weight);
    for_each_vector<V>(cols, [&](Index i, auto at) {
        at.store(dx + i, w * (at.load(dx + i) * factor - at.load(q + i)));
    });
    return loss;
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void cross_entropy_rows(Index rows, Index cols, const T* x,
                                         const CrossEntropyTargets<T>& target, T* losses,
                                         T* dx) noexcept {
    for (Index r = 0; r < rows; ++r) {
        const T weight = target.weights == nullptr ? T{1} : static_cast<T>(target.weights[r]);
        const T* row = x + r * cols;
        T* gradient = dx == nullptr ? nullptr : dx + r * cols;
        if (weight == 0) {
            losses[r] = 0;
            for (Index c = 0; gradient != nullptr && c < cols; ++c) gradient[c] = 0;
        } else if (target.labels != nullptr) {
            losses[r] = cross_entropy_label<V>(cols, row, target.labels[r], target.smoothing,
                                               weight, gradient);
        } else {
            losses[r] =
                cross_entropy_target<V>(cols, row, target.targets + r * cols, weight, gradient);
        }
    }
}

template <class V>
constexpr SoftmaxTable<typename V::Scalar> softmax_table() {
    return {softmax_rows<V>, log_softmax_rows<V>, softmax_rows_backward<V>,
            log_softmax_rows_backward<V>, cross_entropy_rows<V>};
}
