// Local response normalisation: windows along rows that are first copied between zeros.
//
//     x    | a b c d e f |                            size = 4: 2 zeros before, 1 behind
//     copy | 0 0 a b c d e f 0 |
//            <- W(0) ->                               element i's window begins at copy[i]
//               <- W(1) ->
//
// A vector of d needs `size` overlapping loads of the copy; their sums are not slid along, because
// x_j^2 taken off again would leave its rounding behind. All rows of a block are copied before the
// first window is read: loads that straddle two stores wait until both have left the store buffer.
// The backward pass keeps t = dy d^-beta and, between zeros, p = dy y / d:  dx = t - 2 beta scale x
// sum p. Contract: soma/kernels/table/lrn.h.

// Where row r stands in a copy with `before` zeros in front of each row.
template <class T>
inline T* haloed_row(T* copy, Index r, Index pitch, Index before) {
    return copy + r * pitch + before;
}

template <class T>
inline void zero_halos(Index rows, Index cols, Index size, Index before, T* copy) {
    const Index pitch = lrn_pitch(cols, size);
    for (Index r = 0; r < rows; ++r, copy += pitch) {
        for (Index i = 0; i < before; ++i) copy[i] = 0;
        for (Index i = before + cols; i < pitch; ++i) copy[i] = 0;
    }
}

template <class V, class T = typename V::Scalar>
inline void copy_with_halos(Index rows, Index cols, Index size, const T* x, T* copy) {
    const Index pitch = lrn_pitch(cols, size), before = size / 2;
    zero_halos(rows, cols, size, before, copy);
    for (Index r = 0; r < rows; ++r, x += cols) {
        T* row = haloed_row(copy, r, pitch, before);
        for_each_vector<V>(cols, [&](Index i, auto at) { at.store(row + i, at.load(x + i)); });
    }
}

// Vectors of d along a row, and their powers.
template <class V>
struct Denominator {
    using L = Lanes<V>;
    using T = typename V::Scalar;
    const LrnWindow<T>& window;

    template <class At>
    L at(At at, const T* begin) const {
        L sum = lit<L>(0);
        for (Index j = 0; j < window.size; ++j) {
            const L a = at.load(begin + j);
            sum = fma(a, a, sum);
        }
        return fma(L::all(window.scale), sum, L::all(window.k));
    }
};

// d^-beta and 1 / d.
template <class L>
struct InversePowers {
    L beta, one;
};

// For beta = 0.75: one division gives both, 1 / d = d^-3/4 (d^1/2 d^-3/4).
struct ThreeQuarters {
    template <class L>
    InversePowers<L> operator()(L d) const {
        const L root = sqrt(d), q = lit<L>(1) / (root * sqrt(root));
        return {q, (q * root) * q};
    }
};

template <class T>
struct AnyPower {
    T beta;
    template <class L>
    InversePowers<L> operator()(L d) const {
        return {exp(L::all(-beta) * log(d)), lit<L>(1) / d};
    }
};

template <class V, class Powers, class T = typename V::Scalar>
inline void lrn_block(Index rows, Index cols, const LrnWindow<T>& window, Powers powers, const T* x,
                      T* y, T* scratch) {
    const Index pitch = lrn_pitch(cols, window.size), before = window.size / 2;
    const Denominator<V> denominator{window};
    copy_with_halos<V>(rows, cols, window.size, x, scratch);
    for (Index r = 0; r < rows; ++r) {
        const T* begin = haloed_row(scratch, r, pitch, Index{0});
        T* out = y + r * cols;
        for_each_vector<V>(cols, [&](Index i, auto at) {
            const auto q = powers(denominator.at(at, begin + i)).beta;
            prefetch_next_row(x, y, rows * cols, r * cols + i);
            at.store(out + i, at.load(begin + before + i) * q);
        });
    }
}

template <class V, class Powers, class T = typename V::Scalar>
inline void lrn_block_backward(Index rows, Index cols, const LrnWindow<T>& window, Powers powers,
                               const T* x, const T* dy, bool accumulate, T* dx, T* scratch) {
    using L = Lanes<V>;
    const Index pitch = lrn_pitch(cols, window.size), before = window.size / 2;
    const Index mirrored = window.size - 1 - before;
    T *const copy = scratch, *const p = copy + rows * pitch, *const t = p + rows * pitch;
    const Denominator<V> denominator{window};
    copy_with_halos<V>(rows, cols, window.size, x, copy);
    zero_halos(rows, cols, window.size, mirrored, p);
    for (Index r = 0; r < rows; ++r) {
        const T *begin = haloed_row(copy, r, pitch, Index{0}), *gradient = dy + r * cols;
        T *p_row = haloed_row(p, r, pitch, mirrored), *t_row = t + r * cols;
        for_each_vector<V>(cols, [&](Index i, auto at) {
            const auto power = powers(denominator.at(at, begin + i));
            const L own = at.load(gradient + i) * power.beta;
            at.store(t_row + i, own);
            at.store(p_row + i, (own * at.load(begin + before + i)) * power.one);
        });
    }
    const L factor = L::all(2 * window.beta * window.scale);
    for (Index r = 0; r < rows; ++r) {
        const T *row = haloed_row(copy, r, pitch, before), *t_row = t + r * cols;
        const T* begin = haloed_row(p, r, pitch, Index{0});
        T* out = dx + r * cols;
        for_each_vector<V>(cols, [&](Index i, auto at) {
            L sum = lit<L>(0);
            for (Index j = 0; j < window.size; ++j) sum = sum + at.load(begin + i + j);
            const L d = fnma(factor * at.load(row + i), sum, at.load(t_row + i));
            at.store(out + i, accumulate ? at.load(out + i) + d : d);
        });
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void lrn_forward(Index rows, Index cols, const LrnWindow<T>& window, const T* x,
                                  T* y, T* scratch) noexcept {
    if (window.beta == T(0.75)) {
        lrn_block<V>(rows, cols, window, ThreeQuarters{}, x, y, scratch);
    } else {
        lrn_block<V>(rows, cols, window, AnyPower<T>{window.beta}, x, y, scratch);
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void lrn_backward(Index rows, Index cols, const LrnWindow<T>& window, const T* x,
                                   const T* dy, bool accumulate, T* dx, T* scratch) noexcept {
    if (window.beta == T(0.75)) {
        lrn_block_backward<V>(rows, cols, window, ThreeQuarters{}, x, dy, accumulate, dx, scratch);
    } else {
        lrn_block_backward<V>(rows, cols, window, AnyPower<T>{window.beta}, x, dy, accumulate, dx,
                              scratch);
    }
}

template <class V>
constexpr LrnTable<typename V::Scalar> lrn_table() {
    return {lrn_forward<V>, lrn_backward<V>};
}
