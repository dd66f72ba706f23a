// Elementwise kernels: contract in table/elementwise.h.
//
// One loop shape serves all: full vectors, then one masked vector. `flatten` inlines the formula
// into both, so that no vector travels through memory.

// Formulas with dozens of instructions a vector load too seldom to keep the prefetchers of the
// hardware running; their maps fetch kAhead elements ahead.
constexpr Index kFar = 256;

template <class V, Index kAhead = 0, class F, class... In>
[[gnu::flatten]] inline void map(Index n, F f, typename V::Scalar* out, In... in) {
    using L = Lanes<V>;
    Index i = 0;
    for (; i + V::kWidth <= n; i += V::kWidth) {
        if constexpr (kAhead > 0) {
            (__builtin_prefetch(in + i + kAhead), ...);
            __builtin_prefetch(out + i + kAhead, 1);
        }
        f(L::load(in + i)...).store(out + i);
    }
    if constexpr (V::kWidth > 1) {
        if (i == n) return;
        const auto mask = V::first(static_cast<int>(n - i));
        f(L::load(in + i, mask)...).store(out + i, mask);
    }
}

// out = f(in...), or out + f(in...).
template <class V, Index kAhead = 0, class F, class... In>
inline void map_into(bool accumulate, Index n, F f, typename V::Scalar* out, In... in) {
    using L = Lanes<V>;
    if (accumulate) {
        map<V, kAhead>(
            n, [=](L sum, auto... x) { return sum + f(x...); }, out, out, in...);
    } else {
        map<V, kAhead>(n, f, out, in...);
    }
}

// ---- activations ----

template <Activation A>
struct ActivationTag {
    static constexpr Activation value = A;
};

// f(tag) with the tag of a run-time value.
template <class F>
inline void with_activation(Activation a, F f) {
    switch (a) {
        case Activation::none:
            return f(ActivationTag<Activation::none>{});
        case Activation::relu:
            return f(ActivationTag<Activation::relu>{});
        case Activation::leaky_relu:
            return f(ActivationTag<Activation::leaky_relu>{});
        case Activation::tanh:
            return f(ActivationTag<Activation::tanh>{});
        case Activation::scaled_tanh:
            return f(ActivationTag<Activation::scaled_tanh>{});
        case Activation::sigmoid:
            return f(ActivationTag<Activation::sigmoid>{});
        case Activation::gelu:
            return f(ActivationTag<Activation::gelu>{});
        case Activation::gelu_tanh:
            return f(ActivationTag<Activation::gelu_tanh>{});
        case Activation::silu:
            return f(ActivationTag<Activation::silu>{});
        case Activation::softplus:
            return f(ActivationTag<Activation::softplus>{});
    }
}

template <Activation A, class L>
inline L activation_value(L x, L slope) {
    if constexpr (A == Activation::none) return x;
    if constexpr (A == Activation::relu) return max(lit<L>(0), x);
    if constexpr (A == Activation::leaky_relu) return select(x < lit<L>(0), slope * x, x);
    if constexpr (A == Activation::tanh) return tanh(x);
    if constexpr (A == Activation::scaled_tanh) return scaled_tanh(x);
    if constexpr (A == Activation::sigmoid) return sigmoid(x);
    if constexpr (A == Activation::gelu) return gelu(x);
    if constexpr (A == Activation::gelu_tanh) return gelu_tanh(x);
    if constexpr (A == Activation::silu) return silu(x);
    if constexpr (A == Activation::softplus) return softplus(x);
}

// f' from the input s = x where needs_pre_activation(A), else from the output s = y.
template <Activation A, class L>
inline L activation_slope(L s, L slope) {
    const L zero = lit<L>(0), one = lit<L>(1);
    if constexpr (A == Activation::none) return one;
    if constexpr (A == Activation::relu) return select(zero < s, one, zero);
    if constexpr (A == Activation::leaky_relu) return select(s < zero, slope, one);
    if constexpr (A == Activation::tanh) return fnma(s, s, one);
    if constexpr (A == Activation::scaled_tanh) {  // A S (1 - (y / A)^2)
        return lit<L>(2.0 / 3) * fnma(s * s, lit<L>(1 / 1.7159), lit<L>(1.7159));
    }
    if constexpr (A == Activation::sigmoid) return s * (one - s);
    if constexpr (A == Activation::gelu) return gelu_slope(s);
    if constexpr (A == Activation::gelu_tanh) return gelu_tanh_slope(s);
    if constexpr (A == Activation::silu) return silu_slope(s);
    if constexpr (A == Activation::softplus) return sigmoid(s);
}

template <class V, class T = typename V::Scalar>
void activation(Activation f, T slope, Index n, const T* x, T* y) noexcept {
    using L = Lanes<V>;
    const L leak = L::all(slope);
    with_activation(f, [=](auto tag) {
        map<V, kFar>(
            n, [=](L v) { return activation_value<tag.value>(v, leak); }, y, x);
    });
}

template <class V, class T = typename V::Scalar>
void activation_backward(Activation f, T slope, Index n, const T* saved, const T* dy,
                         bool accumulate, T* dx) noexcept {
    using L = Lanes<V>;
    const L leak = L::all(slope);
    with_activation(f, [=](auto tag) {
        const auto chain = [=](L s, L d) { return d * activation_slope<tag.value>(s, leak); };
        map_into<V, kFar>(accumulate, n, chain, dx, saved, dy);
    });
}

template <class V, class T = typename V::Scalar>
void activation_curvature(Activation f, T slope, Index n, const T* saved, const T* hy,
                          bool accumulate, T* hx) noexcept {
    using L = Lanes<V>;
    const L leak = L::all(slope);
    with_activation(f, [=](auto tag) {
        const auto chain = [=](L s, L h) {
            const L d = activation_slope<tag.value>(s, leak);
            return h * (d * d);
        };
        map_into<V>(accumulate, n, chain, hx, saved, hy);
    });
}

// ---- functions of one operand ----

template <class V, class T = typename V::Scalar>
void unary(Unary f, Index n, const T* x, T* y) noexcept {
    using L = Lanes<V>;
    switch (f) {
        case Unary::neg:
            return map<V>(
                n, [](L v) { return -v; }, y, x);
        case Unary::abs:
            return map<V>(
                n, [](L v) { return abs(v); }, y, x);
        case Unary::square:
            return map<V>(
                n, [](L v) { return v * v; }, y, x);
        case Unary::sqrt:
            return map<V>(
                n, [](L v) { return sqrt(v); }, y, x);
        case Unary::exp:
            return map<V, kFar>(
                n, [](L v) { return exp(v); }, y, x);
        case Unary::log:
            return map<V, kFar>(
                n, [](L v) { return log(v); }, y, x);
        case Unary::sin:
            return map<V, kFar>(
                n, [](L v) { return sin(v); }, y, x);
        case Unary::cos:
            return map<V, kFar>(
                n, [](L v) { return cos(v); }, y, x);
        case Unary::erf:
            return map<V, kFar>(
                n, [](L v) { return erf(v); }, y, x);
    }
}

template <class V, class T = typename V::Scalar>
void unary_backward(Unary f, Index n, const T* x, const T* y, const T* dy, bool accumulate,
                    T* dx) noexcept {
    using L = Lanes<V>;
    const auto run = [=](auto chain) { map_into<V>(accumulate, n, chain, dx, x, y, dy); };
    switch (f) {
        case Unary::neg:
            return run([](L, L, L d) { return -d; });
        case Unary::abs:
            return run([](L a, L, L d) {
                return select(a == lit<L>(0), lit<L>(0), select(a < lit<L>(0), -d, d));
            });
        case Unary::square:
            return run([](L a, L, L d) { return d * (a + a); });
        case Unary::sqrt:
            return run([](L, L b, L d) { return d / (b + b); });
        case Unary::exp:
            return run([](L, L b, L d) { return d * b; });
        case Unary::log:
            return run([](L a, L, L d) { return d / a; });
        case Unary::sin:
            return run([](L a, L, L d) { return d * cos(a); });
        case Unary::cos:
            return run([](L a, L, L d) { return -(d * sin(a)); });
        case Unary::erf:
            return run([](L a, L, L d) {  // 2 / sqrt(pi) e^(-x^2)
                return d * (lit<L>(1.1283791670955126) * exp(-(a * a)));
            });
    }
}

// ---- functions of two operands ----

// f(a, b) over arrays, or over an array and a scalar (step 0).
template <class V, class F, class... In>
inline void map_pair(bool accumulate, Index n, F f, typename V::Scalar* out,
                     const typename V::Scalar* a, Index a_step, const typename V::Scalar* b,
                     Index b_step, In... in) {
    using L = Lanes<V>;
    if (n == 0) return;
    if (a_step == 0) {
        const L s = L::all(*a);
        map_into<V>(
            accumulate, n, [=](L v, auto... x) { return f(s, v, x...); }, out, b, in...);
    } else if (b_step == 0) {
        const L s = L::all(*b);
        map_into<V>(
            accumulate, n, [=](L v, auto... x) { return f(v, s, x...); }, out, a, in...);
    } else {
        map_into<V>(accumulate, n, f, out, a, b, in...);
    }
}

template <class V, class T = typename V::Scalar>
void binary(Binary f, Index n, const T* a, Index a_step, const T* b, Index b_step, T* y) noexcept {
    using L = Lanes<V>;
    const auto run = [=](auto op) { map_pair<V>(false, n, op, y, a, a_step, b, b_step); };
    switch (f) {
        case Binary::add:
            return run([](L p, L q) { return p + q; });
        case Binary::sub:
            return run([](L p, L q) { return p - q; });
        case Binary::mul:
            return run([](L p, L q) { return p * q; });
        case Binary::div:
            return run([](L p, L q) { return p / q; });
        case Binary::max:
            return run([](L p, L q) { return max(p, q); });
        case Binary::min:
            return run([](L p, L q) { return min(p, q); });
    }
}

template <class V, class T = typename V::Scalar>
void binary_backward(Binary f, int side, Index n, const T* dy, const T* a, Index a_step, const T* b,
                     Index b_step, bool accumulate, T* d) noexcept {
    using L = Lanes<V>;
    const bool left = side == 0;
    const auto run = [=](auto chain) {
        map_pair<V>(accumulate, n, chain, d, a, a_step, b, b_step, dy);
    };
    const auto copy = [=](auto chain) { map_into<V>(accumulate, n, chain, d, dy); };
    switch (f) {
        case Binary::add:
            return copy([](L g) { return g; });
        case Binary::sub:
            return left ? copy([](L g) { return g; }) : copy([](L g) { return -g; });
        case Binary::mul:
            return left ? run([](L, L q, L g) { return g * q; })
                        : run([](L p, L, L g) { return g * p; });
        case Binary::div:
            return left ? run([](L, L q, L g) { return g / q; })
                        : run([](L p, L q, L g) { return -(g * (p / q)) / q; });
        case Binary::max:
            return left ? run([](L p, L q, L g) { return select(p > q, g, lit<L>(0)); })
                        : run([](L p, L q, L g) { return select(p > q, lit<L>(0), g); });
        case Binary::min:
            return left ? run([](L p, L q, L g) { return select(p < q, g, lit<L>(0)); })
                        : run([](L p, L q, L g) { return select(p < q, lit<L>(0), g); });
    }
}

// ---- with constants ----

template <class V, class T = typename V::Scalar>
void fill(Index n, T value, T* y) noexcept {
    const auto v = Lanes<V>::all(value);
    map<V>(
        n, [=]() { return v; }, y);
}

template <class V, class T = typename V::Scalar>
void scale(Index n, T a, const T* x, T* y) noexcept {
    const auto c = Lanes<V>::all(a);
    map<V>(
        n, [=](auto v) { return c * v; }, y, x);
}

template <class V, class T = typename V::Scalar>
void shift(Index n, T b, const T* x, T* y) noexcept {
    const auto c = Lanes<V>::all(b);
    map<V>(
        n, [=](auto v) { return v + c; }, y, x);
}

template <class V, class T = typename V::Scalar>
void affine(Index n, T a, T b, const T* x, T* y) noexcept {
    const auto p = Lanes<V>::all(a), q = Lanes<V>::all(b);
    map<V>(
        n, [=](auto v) { return fma(p, v, q); }, y, x);
}

template <class V, class T = typename V::Scalar>
void axpy(Index n, T a, const T* x, T* y) noexcept {
    const auto c = Lanes<V>::all(a);
    map<V>(
        n, [=](auto v, auto w) { return fma(c, v, w); }, y, x, y);
}

template <class V, class T = typename V::Scalar>
void axpby(Index n, T a, const T* x, T b, T* y) noexcept {
    const auto p = Lanes<V>::all(a), q = Lanes<V>::all(b);
    map<V>(
        n, [=](auto v, auto w) { return fma(p, v, q * w); }, y, x, y);
}

template <class V, class T = typename V::Scalar>
void fused_multiply_add(Index n, const T* a, const T* b, const T* c, T* y) noexcept {
    map<V>(
        n, [](auto p, auto q, auto r) { return fma(p, q, r); }, y, a, b, c);
}

template <class V, class T = typename V::Scalar>
void clip(Index n, T low, T high, const T* x, T* y) noexcept {
    map<V>(
        n, [=](auto v) { return clamp(v, low, high); }, y, x);
}

template <class V, class T = typename V::Scalar>
void clip_backward(Index n, T low, T high, const T* x, const T* dy, bool accumulate,
                   T* dx) noexcept {
    using L = Lanes<V>;
    const L l = L::all(low), h = L::all(high);
    const auto chain = [=](L v, L d) { return select((l <= v) & (v <= h), d, lit<L>(0)); };
    map_into<V>(accumulate, n, chain, dx, x, dy);
}

template <class V, class T = typename V::Scalar>
void where(Index n, const T* mask, const T* a, const T* b, T* y) noexcept {
    using L = Lanes<V>;
    map<V>(
        n, [](L m, L p, L q) { return select(m == lit<L>(0), q, p); }, y, mask, a, b);
}

template <class V, class T = typename V::Scalar>
void where_backward(int side, Index n, const T* mask, const T* dy, bool accumulate, T* d) noexcept {
    using L = Lanes<V>;
    const L zero = lit<L>(0);
    if (side == 0) {
        map_into<V>(
            accumulate, n, [=](L m, L g) { return select(m == zero, zero, g); }, d, mask, dy);
    } else {
        map_into<V>(
            accumulate, n, [=](L m, L g) { return select(m == zero, g, zero); }, d, mask, dy);
    }
}

template <class V>
constexpr ElementwiseTable<typename V::Scalar> elementwise_table() {
    return {.unary = unary<V>,
            .unary_backward = unary_backward<V>,
            .activation = activation<V>,
            .activation_backward = activation_backward<V>,
            .activation_curvature = activation_curvature<V>,
            .binary = binary<V>,
            .binary_backward = binary_backward<V>,
            .fill = fill<V>,
            .scale = scale<V>,
            .shift = shift<V>,
            .affine = affine<V>,
            .axpy = axpy<V>,
            .axpby = axpby<V>,
            .fma = fused_multiply_add<V>,
            .clip = clip<V>,
            .clip_backward = clip_backward<V>,
            .where = where<V>,
            .where_backward = where_backward<V>};
}
