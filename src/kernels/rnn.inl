// Recurrent steps, pointwise part: contract in table/rnn.h.

template <Nonlinearity F>
struct RateTag {
    static constexpr Nonlinearity value = F;
};

// f(tag) with the tag of a run-time value.
template <class F>
inline void with_nonlinearity(Nonlinearity f, F body) {
    switch (f) {
        case Nonlinearity::tanh:
            return body(RateTag<Nonlinearity::tanh>{});
        case Nonlinearity::relu:
            return body(RateTag<Nonlinearity::relu>{});
        case Nonlinearity::softplus:
            return body(RateTag<Nonlinearity::softplus>{});
        case Nonlinearity::retanh:
            return body(RateTag<Nonlinearity::retanh>{});
        case Nonlinearity::relu2:
            return body(RateTag<Nonlinearity::relu2>{});
        case Nonlinearity::sigmoid:
            return body(RateTag<Nonlinearity::sigmoid>{});
    }
}

template <Nonlinearity F, class L>
inline L rate_value(L x) {
    const L positive = max(lit<L>(0), x);  // NaN passes
    if constexpr (F == Nonlinearity::tanh) return tanh(x);
    if constexpr (F == Nonlinearity::relu) return positive;
    if constexpr (F == Nonlinearity::softplus) return softplus(x);
    if constexpr (F == Nonlinearity::retanh) return tanh(positive);
    if constexpr (F == Nonlinearity::relu2) return positive * positive;
    if constexpr (F == Nonlinearity::sigmoid) return sigmoid(x);
}

// 1 - e^-r, by its series where the difference would lose digits: r^9 / 9! is below 2^-54 of r.
template <class L>
inline L softplus_slope(L r) {
    using T = typename L::Scalar;
    constexpr T kSeries[] = {T(1),         T(-1.0 / 2),   T(1.0 / 6),    T(-1.0 / 24),
                             T(1.0 / 120), T(-1.0 / 720), T(1.0 / 5040), T(-1.0 / 40320)};
    return select(r < lit<L>(0.0625), r * polynomial(r, kSeries), lit<L>(1) - exp(-r));
}

template <Nonlinearity F, class L>
inline L rate_slope(L r) {
    const L zero = lit<L>(0), one = lit<L>(1);
    if constexpr (F == Nonlinearity::tanh) return fnma(r, r, one);
    if constexpr (F == Nonlinearity::relu) return select(r > zero, one, zero);
    if constexpr (F == Nonlinearity::softplus) return softplus_slope(r);
    if constexpr (F == Nonlinearity::retanh) return select(r > zero, fnma(r, r, one), zero);
    if constexpr (F == Nonlinearity::relu2) return lit<L>(2) * sqrt(r);
    if constexpr (F == Nonlinearity::sigmoid) return fnma(r, r, r);
}

// The input of one vector of units: computed before, or from the few inputs of this trial.
template <class V, class T, class At>
inline Lanes<V> ctrnn_input(const CtrnnStep<T>& s, Index row, Index j, At at) {
    using L = Lanes<V>;
    if (s.a != nullptr) return at.load(s.a + row * s.n + j);
    L sum = lit<L>(0);
    for (Index k = 0; k < s.inputs; ++k) {
        sum = fma(L::all(s.u[row * s.inputs + k]), at.load(s.w_in + k * s.n + j), sum);
    }
    return s.bias == nullptr ? sum : sum + at.load(s.bias + j);
}

template <class V, Nonlinearity F, class T, class At>
inline void ctrnn_unit(const CtrnnStep<T>& s, Index row, Index j, At at) {
    using L = Lanes<V>;
    const Index i = row * s.n + j;
    const L gain = L::all(s.gain), leak = L::all(s.leak);
    const auto noisy = [&](L x) {
        return s.xi == nullptr ? x : fma(L::all(s.sigma), at.load(s.xi + i), x);
    };
    const L a = ctrnn_input<V>(s, row, j, at);
    const L p = s.z == nullptr ? a : at.load(s.z + i) + a;
    switch (s.convention) {
        case Convention::current:
        case Convention::current_sde: {
            const L x = noisy(fma(gain, p, leak * at.load(s.state + i)));
            at.store(s.state + i, x);
            return at.store(s.r + i, rate_value<F>(x));
        }
        case Convention::rate: {
            const L drive = rate_value<F>(noisy(p));
            at.store(s.drive + i, drive);
            return at.store(s.r + i, fma(gain, drive, leak * at.load(s.r_before + i)));
        }
        case Convention::rectified_leak: {
            const L h = noisy(fma(gain, p, leak * at.load(s.r_before + i)));
            return at.store(s.r + i, rate_value<F>(h));
        }
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void ctrnn_step(const CtrnnStep<T>& s) noexcept {
    with_nonlinearity(s.f, [&](auto tag) {
        for (Index row = 0; row < s.rows; ++row) {
            for_each_vector<V>(s.n,
                               [&](Index j, auto at) { ctrnn_unit<V, tag.value>(s, row, j, at); });
        }
    });
}

template <class V, Nonlinearity F, class T, class At>
inline void ctrnn_unit_backward(const CtrnnStepBackward<T>& s, Index i, At at) {
    using L = Lanes<V>;
    const L zero = lit<L>(0), gain = L::all(s.gain), leak = L::all(s.leak);
    const L g = s.g == nullptr ? zero : at.load(s.g + i);
    const L q = s.q == nullptr ? zero : at.load(s.q + i);
    const L carry = at.load(s.carry + i), slope = rate_slope<F>(at.load(s.r + i));
    switch (s.convention) {
        case Convention::current:
        case Convention::current_sde: {
            const L delta = fma(slope, fma(gain, q, g), leak * carry);
            at.store(s.carry + i, delta);
            return at.store(s.delta + i, delta);
        }
        case Convention::rate: {
            const L e = fma(leak, carry, g + q);
            at.store(s.carry + i, e);
            return at.store(s.delta + i, (gain * slope) * e);
        }
        case Convention::rectified_leak: {
            const L delta = slope * fma(leak, carry, fma(gain, q, g));
            at.store(s.carry + i, delta);
            return at.store(s.delta + i, delta);
        }
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void ctrnn_step_backward(const CtrnnStepBackward<T>& s) noexcept {
    with_nonlinearity(s.f, [&](auto tag) {
        for_each_vector<V>(s.rows * s.n,
                           [&](Index i, auto at) { ctrnn_unit_backward<V, tag.value>(s, i, at); });
    });
}

template <class V, class T = typename V::Scalar>
void rate_forward(Nonlinearity f, Index n, const T* x, T* y) noexcept {
    using L = Lanes<V>;
    with_nonlinearity(f, [=](auto tag) {
        map<V, kFar>(
            n, [=](L v) { return rate_value<tag.value>(v); }, y, x);
    });
}

template <class V>
constexpr RnnTable<typename V::Scalar> rnn_table() {
    return {ctrnn_step<V>, ctrnn_step_backward<V>, rate_forward<V>};
}
