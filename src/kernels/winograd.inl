// Winograd transforms of F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3): each is a small constant matrix
// applied down the columns and then along the rows of a tile, on vectors of channels.
//
// F(2): points 0, 1, -1, infinity (Lavin & Gray, arXiv 1509.09308). F(4): points 0, +-a, +-b,
// infinity with a = sqrt(1/2), b = sqrt(2). With the usual +-1, +-2 the constant of the error bound
// is 3.7 times as large (winograd.h); a b = 1 keeps all entries small. The rows of +-a and +-b are
// an even part plus or minus an odd part:
//
//     B^T (d)   4 terms     e = d4 - d2 / a^2          o = a (d3 - d1 / a^2)      v = e + o, e - o
//     G (g)     3 terms     e = s (g0 + a^2 g2)        o = s a g1                 u = e + o, e - o
//     A^T (m)   pairs       e = m1 + m2, o = m1 - m2   y[k] = a^k (k even ? e : o) + ...
//
// Contract: soma/kernels/table/winograd.h.

template <int M>
struct WinogradLine;

template <>
struct WinogradLine<2> {
    template <class L>
    static void input(const L (&d)[4], L (&v)[4]) {
        v[0] = d[0] - d[2];
        v[1] = d[2] + d[1];
        v[2] = d[2] - d[1];
        v[3] = d[3] - d[1];
    }
    template <class L>
    static void weights(const L (&g)[3], L (&u)[4]) {
        const L half = lit<L>(0.5), even = half * (g[0] + g[2]);
        u[0] = g[0];
        u[1] = fma(half, g[1], even);
        u[2] = fnma(half, g[1], even);
        u[3] = g[2];
    }
    template <class L>
    static void output(const L (&m)[4], L (&y)[2]) {
        y[0] = m[0] + (m[1] + m[2]);
        y[1] = (m[1] - m[2]) + m[3];
    }
};

template <>
struct WinogradLine<4> {
    static constexpr double kA = 0.70710678118654752440, kB = 1.41421356237309504880;

    template <class L>
    static void input(const L (&d)[6], L (&v)[6]) {
        const L a = lit<L>(kA), b = lit<L>(kB), two = lit<L>(2), half = lit<L>(0.5);
        const L sum = lit<L>(2.5);  // a^2 + b^2
        const L even_a = fnma(two, d[2], d[4]), odd_a = fnma(two, d[1], d[3]);
        const L even_b = fnma(half, d[2], d[4]), odd_b = fnma(half, d[1], d[3]);
        v[0] = fnma(sum, d[2], d[0] + d[4]);
        v[1] = fma(a, odd_a, even_a);
        v[2] = fnma(a, odd_a, even_a);
        v[3] = fma(b, odd_b, even_b);
        v[4] = fnma(b, odd_b, even_b);
        v[5] = fnma(sum, d[3], d[1] + d[5]);
    }
    template <class L>
    static void weights(const L (&g)[3], L (&u)[6]) {
        const L scale_a = lit<L>(-2.0 / 3), scale_b = lit<L>(1.0 / 6);
        const L even_a = scale_a * fma(lit<L>(0.5), g[2], g[0]), odd_a = lit<L>(kA) * g[1];
        const L even_b = scale_b * fma(lit<L>(2), g[2], g[0]), odd_b = lit<L>(kB) * g[1];
        u[0] = g[0];
        u[1] = fma(scale_a, odd_a, even_a);
        u[2] = fnma(scale_a, odd_a, even_a);
        u[3] = fma(scale_b, odd_b, even_b);
        u[4] = fnma(scale_b, odd_b, even_b);
        u[5] = g[2];
    }
    template <class L>
    static void output(const L (&m)[6], L (&y)[4]) {
        const L even_a = m[1] + m[2], odd_a = m[1] - m[2];
        const L even_b = m[3] + m[4], odd_b = m[3] - m[4];
        y[0] = m[0] + (even_a + even_b);
        y[1] = fma(lit<L>(kA), odd_a, lit<L>(kB) * odd_b);
        y[2] = fma(lit<L>(0.5), even_a, lit<L>(2) * even_b);
        y[3] = fma(lit<L>(kA / 2), odd_a, fma(lit<L>(kB * 2), odd_b, m[5]));
    }
};

// `line` applied to the columns and then to the rows of the IN x IN values load(row, column);
// store(row, column, value) receives the OUT x OUT results.
template <int IN, int OUT, class L, class Load, class Line, class Store>
inline __attribute__((always_inline)) void both_ways(Load load, Line line, Store store) {
    L half[OUT][IN];
#pragma GCC unroll 8
    for (int j = 0; j < IN; ++j) {
        L column[IN], done[OUT];
#pragma GCC unroll 8
        for (int i = 0; i < IN; ++i) column[i] = load(i, j);
        line(column, done);
#pragma GCC unroll 8
        for (int i = 0; i < OUT; ++i) half[i][j] = done[i];
    }
#pragma GCC unroll 8
    for (int i = 0; i < OUT; ++i) {
        L done[OUT];
        line(half[i], done);
#pragma GCC unroll 8
        for (int j = 0; j < OUT; ++j) store(i, j, done[j]);
    }
}

template <class V, int M, class T = typename V::Scalar>
[[gnu::flatten]] void winograd_input_tiles(Index tiles, Index c, const T* const* pixels, T* v,
                                           Index step) noexcept {
    constexpr int E = M + 2;
    using L = Lanes<V>;
    for (; tiles > 0; --tiles, pixels += E * E, v += c) {
        for_each_vector<V>(c, [&](Index k, auto at) {
            both_ways<E, E, L>([&](int i, int j) { return at.load(pixels[i * E + j] + k); },
                               [](const L(&in)[E], L(&out)[E]) { WinogradLine<M>::input(in, out); },
                               [&](int i, int j, L x) { at.store(v + (i * E + j) * step + k, x); });
        });
    }
}

template <class V, int M, class T = typename V::Scalar>
[[gnu::flatten]] void winograd_output_tiles(Index tiles, Index oc, const T* products, Index step,
                                            const T* bias, bool relu, bool accumulate,
                                            T* const* pixels) noexcept {
    constexpr int E = M + 2;
    using L = Lanes<V>;
    for (; tiles > 0; --tiles, pixels += M * M, products += oc) {
        for_each_vector<V>(oc, [&](Index k, auto at) {
            both_ways<E, M, L>(
                [&](int i, int j) { return at.load(products + (i * E + j) * step + k); },
                [](const L(&in)[E], L(&out)[M]) { WinogradLine<M>::output(in, out); },
                [&](int i, int j, L t) {
                    T* y = pixels[i * M + j];
                    if (y == nullptr) return;
                    if (accumulate) t = at.load(y + k) + t;
                    if (bias != nullptr) t = t + at.load(bias + k);
                    if (relu) t = max(lit<L>(0), t);
                    at.store(y + k, t);
                });
        });
    }
}

template <class V, int M, class T = typename V::Scalar>
[[gnu::flatten]] void winograd_weight_panels(Index c, Index oc, Index first, Index last, const T* w,
                                             T* u, Index step) noexcept {
    constexpr int E = M + 2;
    using L = Lanes<V>;
    const Index tap = c * oc;
    for_each_panel<V>(c, oc, u, [&](Index column, Index vectors, T* panel) {
        const Index left = oc - column, width = vectors * V::kWidth;
        for (Index row = first; row < last; ++row) {
            const T* g = w + row * oc + column;
            T* to = panel + row * width;
            for_each_vector<V>(left < width ? left : width, [&](Index k, auto at) {
                both_ways<3, E, L>(
                    [&](int i, int j) { return at.load(g + (3 * i + j) * tap + k); },
                    [](const L(&in)[3], L(&out)[E]) { WinogradLine<M>::weights(in, out); },
                    [&](int i, int j, L x) { x.store(to + (i * E + j) * step + k); });
            });
        }
    });
}

template <class V, class T = typename V::Scalar>
void winograd_weights(int m, Index c, Index oc, Index first, Index last, const T* w, T* u,
                      Index step) noexcept {
    (m == 2 ? winograd_weight_panels<V, 2> : winograd_weight_panels<V, 4>)(c, oc, first, last, w, u,
                                                                           step);
}

template <class V, class T = typename V::Scalar>
void winograd_input(int m, Index tiles, Index c, const T* const* pixels, T* v,
                    Index step) noexcept {
    (m == 2 ? winograd_input_tiles<V, 2> : winograd_input_tiles<V, 4>)(tiles, c, pixels, v, step);
}

template <class V, class T = typename V::Scalar>
void winograd_output(int m, Index tiles, Index oc, const T* products, Index step, const T* bias,
                     bool relu, bool accumulate, T* const* pixels) noexcept {
    (m == 2 ? winograd_output_tiles<V, 2> : winograd_output_tiles<V, 4>)(tiles, oc, products, step,
                                                                         bias, relu, accumulate,
                                                                         pixels);
}

template <class V>
constexpr WinogradTable<typename V::Scalar> winograd_table() {
    return {winograd_weights<V>, winograd_input<V>, winograd_output<V>};
}
