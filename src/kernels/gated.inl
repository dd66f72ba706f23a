// Gated recurrent steps, pointwise part: contract in table/gated.h.

// dL/dx from dL/ds of s = sigmoid(x), and from dL/dt of t = tanh(x).
template <class L>
inline L through_sigmoid(L ds, L s) {
    return ds * fnma(s, s, s);
}
template <class L>
inline L through_tanh(L dt, L t) {
    return dt * fnma(t, t, lit<L>(1));
}

// body(row, j, at) for every vector of units of every row.
template <class V, class F>
inline void for_each_unit(Index rows, Index n, F body) {
    for (Index row = 0; row < rows; ++row) {
        for_each_vector<V>(n, [&](Index j, auto at) { body(row, j, at); });
    }
}

// ---- lstm -------------------------------------------------------------------------------------

template <class V, class T, class At>
inline void lstm_unit(const GatedStep<T>& s, Index row, Index j, At at) {
    using L = Lanes<V>;
    const Index n = s.n, i = row * n + j;
    T* gates = s.gates + row * 4 * n + j;
    const T* z = s.z + row * 4 * n + j;
    const auto argument = [&](Index k) { return at.load(z + k * n) + at.load(gates + k * n); };
    const auto peep = [&](Index k, L c, L x) {
        return s.peephole == nullptr ? x : fma(at.load(s.peephole + k * n + j), c, x);
    };
    const L before = at.load(s.c_before + i);
    const L in = sigmoid(peep(0, before, argument(0)));
    const L forget = sigmoid(peep(1, before, argument(1)));
    const L g = tanh(argument(2));
    const L c = fma(forget, before, in * g);
    const L out = sigmoid(peep(2, c, argument(3)));
    at.store(gates, in);
    at.store(gates + n, forget);
    at.store(gates + 2 * n, g);
    at.store(gates + 3 * n, out);
    at.store(s.inner + i, c);
    at.store(s.h + i, out * tanh(c));
}

template <class V, class T, class At>
inline void lstm_unit_backward(const GatedStepBackward<T>& s, Index row, Index j, At at) {
    using L = Lanes<V>;
    const Index n = s.n, i = row * n + j;
    const T* gates = s.gates + row * 4 * n + j;
    T* delta = s.delta + row * 4 * n + j;
    const auto given = [&](const T* p) { return p == nullptr ? lit<L>(0) : at.load(p + i); };
    const auto peep = [&](Index k, L d, L x) {
        return s.peephole == nullptr ? x : fma(at.load(s.peephole + k * n + j), d, x);
    };
    const L in = at.load(gates), forget = at.load(gates + n);
    const L g = at.load(gates + 2 * n), out = at.load(gates + 3 * n);
    const L e = given(s.g) + given(s.q), t = tanh(at.load(s.inner + i));
    const L d_out = through_sigmoid(e * t, out);
    const L dc = peep(2, d_out, through_tanh(e * out, t) + (at.load(s.carry + i) + given(s.g_c)));
    const L d_in = through_sigmoid(dc * g, in);
    const L d_forget = through_sigmoid(dc * at.load(s.c_before + i), forget);
    at.store(delta, d_in);
    at.store(delta + n, d_forget);
    at.store(delta + 2 * n, through_tanh(dc * in, g));
    at.store(delta + 3 * n, d_out);
    at.store(s.carry + i, peep(0, d_in, peep(1, d_forget, dc * forget)));
}

// ---- gru --------------------------------------------------------------------------------------

// sigmoid of gate k, stored.
template <class V, class T, class At>
inline Lanes<V> gru_gate(const GatedStep<T>& s, Index row, Index j, Index k, At at) {
    const Index i = (row * 3 + k) * s.n + j;
    const Lanes<V> gate = sigmoid(at.load(s.z + i) + at.load(s.gates + i));
    at.store(s.gates + i, gate);
    return gate;
}

template <class V, class T, class At>
inline void gru_unit(const GatedStep<T>& s, Index row, Index j, At at) {
    using L = Lanes<V>;
    const Index i = row * s.n + j, last = (row * 3 + 2) * s.n + j;
    const L a = at.load(s.gates + last), recurrent = at.load(s.z + last);
    L z, argument;
    if (s.cell == GatedCell::gru_reset_after) {
        const L r = gru_gate<V>(s, row, j, 0, at);
        z = gru_gate<V>(s, row, j, 1, at);
        const L m = s.bias_rec == nullptr ? recurrent : recurrent + at.load(s.bias_rec + j);
        at.store(s.inner + i, m);
        argument = fma(r, m, a);
    } else {
        z = at.load(s.gates + last - s.n);
        argument = recurrent + a;
    }
    const L candidate = tanh(argument);
    at.store(s.gates + last, candidate);
    at.store(s.h + i, fma(z, at.load(s.h_before + i) - candidate, candidate));
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void gru_reset(const GatedStep<T>& s) noexcept {
    for_each_unit<V>(s.rows, s.n, [&](Index row, Index j, auto at) {
        const Index i = row * s.n + j;
        const Lanes<V> r = gru_gate<V>(s, row, j, 0, at);
        gru_gate<V>(s, row, j, 1, at);
        at.store(s.inner + i, r * at.load(s.h_before + i));
    });
}

// dL/dh of a cell with a leak, and what goes on along it.
template <class V, class T, class At>
inline Lanes<V> leaky_error(const GatedStepBackward<T>& s, Index i, Lanes<V> leak, At at) {
    using L = Lanes<V>;
    L e = at.load(s.carry + i);
    if (s.g != nullptr) e = e + at.load(s.g + i);
    if (s.q != nullptr) e = e + at.load(s.q + i);
    at.store(s.carry + i, e * leak);
    return e;
}

template <class V, class T, class At>
inline void gru_unit_backward(const GatedStepBackward<T>& s, Index row, Index j, At at) {
    using L = Lanes<V>;
    const bool after = s.cell == GatedCell::gru_reset_after;
    const Index n = s.n, i = row * n + j;
    const T* gates = s.gates + row * 3 * n + j;
    T* delta = s.delta + row * (after ? 4 : 3) * n + j;
    const L z = at.load(gates + n), candidate = at.load(gates + 2 * n);
    const L e = leaky_error<V>(s, i, z, at);
    const L dz = through_sigmoid(e * (at.load(s.h_before + i) - candidate), z);
    const L dn = through_tanh(fnma(e, z, e), candidate);
    at.store(delta + n, dz);
    if (after) {
        const L r = at.load(gates);
        at.store(delta, through_sigmoid(dn * at.load(s.inner + i), r));
        at.store(delta + 2 * n, dn * r);
        at.store(delta + 3 * n, dn);
    } else {
        at.store(delta + 2 * n, dn);
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void gru_reset_backward(const GatedStepBackward<T>& s) noexcept {
    using L = Lanes<V>;
    for_each_unit<V>(s.rows, s.n, [&](Index row, Index j, auto at) {
        const Index i = row * s.n + j, first = row * 3 * s.n + j;
        const L r = at.load(s.gates + first), back = at.load(s.back + i);
        at.store(s.delta + first, through_sigmoid(back * at.load(s.h_before + i), r));
        at.store(s.carry + i, fma(r, back, at.load(s.carry + i)));
    });
}

// ---- ugrnn ------------------------------------------------------------------------------------

template <class V, class T, class At>
inline void ugrnn_unit(const GatedStep<T>& s, Index row, Index j, At at) {
    using L = Lanes<V>;
    const Index i = row * s.n + j, first = row * 2 * s.n + j, second = first + s.n;
    const L c = tanh(at.load(s.z + first) + at.load(s.gates + first));
    const L g = sigmoid(at.load(s.z + second) + at.load(s.gates + second));
    at.store(s.gates + first, c);
    at.store(s.gates + second, g);
    at.store(s.h + i, fma(g, at.load(s.h_before + i) - c, c));
}

template <class V, class T, class At>
inline void ugrnn_unit_backward(const GatedStepBackward<T>& s, Index row, Index j, At at) {
    using L = Lanes<V>;
    const Index i = row * s.n + j, first = row * 2 * s.n + j, second = first + s.n;
    const L c = at.load(s.gates + first), g = at.load(s.gates + second);
    const L e = leaky_error<V>(s, i, g, at);
    at.store(s.delta + first, through_tanh(fnma(e, g, e), c));
    at.store(s.delta + second, through_sigmoid(e * (at.load(s.h_before + i) - c), g));
}

// ---- entries ----------------------------------------------------------------------------------

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void gated_step(const GatedStep<T>& s) noexcept {
    const auto each = [&](auto unit) { for_each_unit<V>(s.rows, s.n, unit); };
    switch (s.cell) {
        case GatedCell::lstm:
            return each([&](Index row, Index j, auto at) { lstm_unit<V>(s, row, j, at); });
        case GatedCell::gru_reset_after:
        case GatedCell::gru_reset_before:
            return each([&](Index row, Index j, auto at) { gru_unit<V>(s, row, j, at); });
        case GatedCell::ugrnn:
            return each([&](Index row, Index j, auto at) { ugrnn_unit<V>(s, row, j, at); });
    }
}

template <class V, class T = typename V::Scalar>
[[gnu::flatten]] void gated_step_backward(const GatedStepBackward<T>& s) noexcept {
    const auto each = [&](auto unit) { for_each_unit<V>(s.rows, s.n, unit); };
    switch (s.cell) {
        case GatedCell::lstm:
            return each([&](Index row, Index j, auto at) { lstm_unit_backward<V>(s, row, j, at); });
        case GatedCell::gru_reset_after:
        case GatedCell::gru_reset_before:
            return each([&](Index row, Index j, auto at) { gru_unit_backward<V>(s, row, j, at); });
        case GatedCell::ugrnn:
            return each(
                [&](Index row, Index j, auto at) { ugrnn_unit_backward<V>(s, row, j, at); });
    }
}

template <class V>
constexpr GatedTable<typename V::Scalar> gated_table() {
    return {gated_step<V>, gated_step_backward<V>, gru_reset<V>, gru_reset_backward<V>};
}
