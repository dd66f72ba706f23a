// Normalisation: statistics of rows (vectors along the row, LANES16) and of columns (vectors across
// columns, one leaf of TREE a call).
//
// Contract and formulas: soma/kernels/table/norm.h; sums along a row: row_walk.inl.

// gamma and beta of one row: absent ones are 1 and 0, so that one formula serves all.
template <class V>
struct Affine {
    using L = Lanes<V>;
    using T = typename V::Scalar;
    const T *gamma, *beta;

    template <class At>
    L gain(At at, Index c) const {
        return gamma == nullptr ? lit<L>(1) : at.load(gamma + c);
    }
    template <class At>
    L apply(At at, Index c, L xh) const {
        return fma(xh, gain(at, c), beta == nullptr ? lit<L>(0) : at.load(beta + c));
    }
};

// ---- rows ----

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void norm_rows_forward(Index rows, Index cols, const T* x, const T* gamma,
                                        const T* beta, T eps, T* y, T* mean, T* rstd) noexcept {
    using L = Lanes<V>;
    const Affine<V> affine{gamma, beta};
    const T n = static_cast<T>(cols);
    for (Index r = 0; r < rows; ++r, x += cols, y += cols) {
        T m = 0;
        if (mean != nullptr) {
            Lanes16<V> sum;
            for_each_part<V>(
                cols, [&](int p, Index c, auto at) { sum.r[p] = sum.r[p] + at.load(x + c); });
            mean[r] = m = sum.fold() / n;
        }
        const L centre = L::all(m);
        Lanes16<V> squares;
        for_each_part<V>(cols, [&](int p, Index c, auto at) {
            const L d = at.keep(at.load(x + c) - centre);
            prefetch_next_row(x, y, cols, c);
            squares.r[p] = fma(d, d, squares.r[p]);
        });
        const L scale = lit<L>(1) / sqrt(L::all(squares.fold() / n + eps));
        T lanes[V::kWidth];
        scale.store(lanes);
        rstd[r] = lanes[0];
        for_each_vector<V>(cols, [&](Index c, auto at) {
            at.store(y + c, affine.apply(at, c, (at.load(x + c) - centre) * scale));
        });
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void norm_rows_backward(Index rows, Index cols, const T* x, const T* gamma,
                                         const T* mean, const T* rstd, const T* dy, bool accumulate,
                                         T* dx) noexcept {
    using L = Lanes<V>;
    const Affine<V> affine{gamma, nullptr};
    const T n = static_cast<T>(cols);
    for (Index r = 0; r < rows; ++r, x += cols, dy += cols, dx += cols) {
        const L centre = L::all(mean == nullptr ? T{0} : mean[r]), scale = L::all(rstd[r]);
        Lanes16<V> sum_g, sum_gx;
        for_each_part<V>(cols, [&](int p, Index c, auto at) {
            const L g = affine.gain(at, c) * at.load(dy + c);
            sum_g.r[p] = sum_g.r[p] + at.keep(g);
            sum_gx.r[p] = fma(at.keep(g), (at.load(x + c) - centre) * scale, sum_gx.r[p]);
        });
        const L mean_g = L::all(mean == nullptr ? T{0} : sum_g.fold() / n);
        const L mean_gx = L::all(sum_gx.fold() / n);
        for_each_vector<V>(cols, [&](Index c, auto at) {
            const L g = affine.gain(at, c) * at.load(dy + c);
            const L xh = (at.load(x + c) - centre) * scale;
            const L d = scale * fnma(xh, mean_gx, g - mean_g);
            at.store(dx + c, accumulate ? at.load(dx + c) + d : d);
        });
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void norm_rows_leaf_gamma(Index rows, Index cols, const T* x, const T* mean,
                                           const T* rstd, const T* dy, T* y) noexcept {
    using L = Lanes<V>;
    leaf_of_columns<V>(rows, cols, y, [=](L sum, Index r, Index c, auto at) {
        const L centre = L::all(mean == nullptr ? T{0} : mean[r]);
        const L xh = (at.load(x + r * cols + c) - centre) * L::all(rstd[r]);
        return fma(at.load(dy + r * cols + c), xh, sum);
    });
}

// ---- columns ----

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void norm_columns_leaf_squares(Index rows, Index cols, const T* x, const T* mean,
                                                T* y) noexcept {
    using L = Lanes<V>;
    leaf_of_columns<V>(rows, cols, y, [=](L sum, Index r, Index c, auto at) {
        const L d = at.load(x + r * cols + c) - at.load(mean + c);
        return fma(d, d, sum);
    });
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void norm_columns_leaf_gamma(Index rows, Index cols, const T* x, const T* mean,
                                              const T* rstd, const T* dy, T* y) noexcept {
    using L = Lanes<V>;
    leaf_of_columns<V>(rows, cols, y, [=](L sum, Index r, Index c, auto at) {
        const L xh = (at.load(x + r * cols + c) - at.load(mean + c)) * at.load(rstd + c);
        return fma(at.load(dy + r * cols + c), xh, sum);
    });
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void norm_columns_forward(Index rows, Index cols, const T* x, const T* mean,
                                           const T* rstd, const T* gamma, const T* beta,
                                           T* y) noexcept {
    using L = Lanes<V>;
    const Affine<V> affine{gamma, beta};
    for (; rows > 0; --rows, x += cols, y += cols) {
        for_each_vector<V>(cols, [&](Index c, auto at) {
            const L xh = (at.load(x + c) - at.load(mean + c)) * at.load(rstd + c);
            at.store(y + c, affine.apply(at, c, xh));
        });
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void norm_columns_backward(Index rows, Index cols, const T* x, const T* mean,
                                            const T* rstd, const T* gamma, const T* m1, const T* m2,
                                            const T* dy, bool accumulate, T* dx) noexcept {
    using L = Lanes<V>;
    const Affine<V> affine{gamma, nullptr};
    for (; rows > 0; --rows, x += cols, dy += cols, dx += cols) {
        for_each_vector<V>(cols, [&](Index c, auto at) {
            const L scale = at.load(rstd + c), g = affine.gain(at, c) * at.load(dy + c);
            const L xh = (at.load(x + c) - at.load(mean + c)) * scale;
            const L d = scale * fnma(xh, at.load(m2 + c), g - at.load(m1 + c));
            at.store(dx + c, accumulate ? at.load(dx + c) + d : d);
        });
    }
}

template <class V>
constexpr NormTable<typename V::Scalar> norm_table() {
    return {norm_rows_forward<V>,         norm_rows_backward<V>,      norm_rows_leaf_gamma<V>,
            norm_columns_leaf_squares<V>, norm_columns_leaf_gamma<V>, norm_columns_forward<V>,
            norm_columns_backward<V>};
}
