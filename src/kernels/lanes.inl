// Lanes<V>: a vector register with operators, so that formulas read as formulas.
//
// V is VecF or VecD of the unit's vec/*.h. Bits<V> is the same register seen as integers of the
// elements' width. No operation here is more than one call of V; in particular a * b + c written
// with operators is two roundings and fma(a, b, c) is one, on every ISA.

template <class V>
struct Bits {
    typename V::Int i;

    friend Bits operator+(Bits a, Bits b) { return {V::iadd(a.i, b.i)}; }
    friend Bits operator-(Bits a, Bits b) { return {V::isub(a.i, b.i)}; }
    friend Bits operator&(Bits a, Bits b) { return {V::iand(a.i, b.i)}; }
    friend Bits operator|(Bits a, Bits b) { return {V::ior(a.i, b.i)}; }
    friend Bits operator^(Bits a, Bits b) { return {V::ixor(a.i, b.i)}; }
};

// Comparison result, one truth value a lane.
template <class V>
struct Truth {
    typename V::Mask m;

    friend Truth operator&(Truth a, Truth b) { return {V::both(a.m, b.m)}; }
    friend Truth operator|(Truth a, Truth b) { return {V::either(a.m, b.m)}; }
};

template <class V>
struct Lanes {
    using Vec = V;
    using Scalar = typename V::Scalar;
    static constexpr int kWidth = V::kWidth;

    typename V::Reg r;

    static Lanes all(Scalar x) { return {V::broadcast(x)}; }
    static Lanes load(const Scalar* p) { return {V::load(p)}; }
    static Lanes load(const Scalar* p, typename V::Mask m) { return {V::load_masked(p, m)}; }
    void store(Scalar* p) const { V::store(p, r); }
    void store(Scalar* p, typename V::Mask m) const { V::store_masked(p, m, r); }

    friend Lanes operator+(Lanes a, Lanes b) { return {V::add(a.r, b.r)}; }
    friend Lanes operator-(Lanes a, Lanes b) { return {V::sub(a.r, b.r)}; }
    friend Lanes operator*(Lanes a, Lanes b) { return {V::mul(a.r, b.r)}; }
    friend Lanes operator/(Lanes a, Lanes b) { return {V::div(a.r, b.r)}; }
    friend Lanes operator-(Lanes a) { return {V::neg(a.r)}; }
    friend Truth<V> operator<(Lanes a, Lanes b) { return {V::lt(a.r, b.r)}; }
    friend Truth<V> operator<=(Lanes a, Lanes b) { return {V::le(a.r, b.r)}; }
    friend Truth<V> operator>(Lanes a, Lanes b) { return {V::gt(a.r, b.r)}; }
    friend Truth<V> operator==(Lanes a, Lanes b) { return {V::eq(a.r, b.r)}; }
};

template <class V>
inline Lanes<V> fma(Lanes<V> a, Lanes<V> b, Lanes<V> c) {
    return {V::fma(a.r, b.r, c.r)};
}
// The same on scalars.
inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }

// c - a b, one rounding.
template <class V>
inline Lanes<V> fnma(Lanes<V> a, Lanes<V> b, Lanes<V> c) {
    return {V::fnma(a.r, b.r, c.r)};
}
template <class V>
inline Lanes<V> sqrt(Lanes<V> a) {
    return {V::sqrt(a.r)};
}
template <class V>
inline Lanes<V> abs(Lanes<V> a) {
    return {V::abs(a.r)};
}
// a > b ? a : b and a < b ? a : b: the second operand is returned when either is NaN.
template <class V>
inline Lanes<V> max(Lanes<V> a, Lanes<V> b) {
    return {V::max(a.r, b.r)};
}
template <class V>
inline Lanes<V> min(Lanes<V> a, Lanes<V> b) {
    return {V::min(a.r, b.r)};
}
template <class V>
inline Lanes<V> select(Truth<V> t, Lanes<V> a, Lanes<V> b) {
    return {V::select(t.m, a.r, b.r)};
}
template <class V>
inline Truth<V> is_nan(Lanes<V> a) {
    return {V::is_nan(a.r)};
}
template <class V>
inline Bits<V> bits(Lanes<V> a) {
    return {V::as_int(a.r)};
}
template <class V>
inline Lanes<V> from_bits(Bits<V> a) {
    return {V::as_float(a.i)};
}
template <int N, class V>
inline Bits<V> shift_left(Bits<V> a) {
    return {V::template shl<N>(a.i)};
}
template <int N, class V>
inline Bits<V> shift_right(Bits<V> a) {
    return {V::template shr<N>(a.i)};
}

// What of a vector may touch memory: Whole, all lanes, or Head, the first ones of a row's last
// vector. Loads through a Head give 0 in the lanes past the row, and `keep` sets them to 0, so that
// they add nothing.
template <class V>
struct Whole {
    using L = Lanes<V>;
    using T = typename V::Scalar;
    static L load(const T* p) { return L::load(p); }
    static void store(T* p, L a) { a.store(p); }
    static L keep(L a) { return a; }
};

template <class V>
struct Head {
    using L = Lanes<V>;
    using T = typename V::Scalar;
    typename V::Mask mask;
    L load(const T* p) const { return L::load(p, mask); }
    void store(T* p, L a) const { a.store(p, mask); }
    L keep(L a) const { return {V::select(mask, a.r, V::zero())}; }
};
