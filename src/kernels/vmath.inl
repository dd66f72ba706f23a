// Elementary functions on Lanes; accuracy table in include/soma/kernels/vmath.h.
//
// Every function is a fixed sequence of correctly rounded operations, so the bits are the same on
// all ISAs. L is Lanes<VecF> or Lanes<VecD>; the constants of its element type are Math<L>
// (vmath_tables.inl). Arguments out of range are clamped before they reach integer operations, and
// NaN passes every clamp because max and min return their second operand then.

template <class T>
struct MathOf;
template <>
struct MathOf<float> : MathF32 {};
template <>
struct MathOf<double> : MathF64 {};
template <class L>
using Math = MathOf<typename L::Scalar>;

// A constant in every lane.
template <class L>
inline L lit(double x) {
    return L::all(static_cast<typename L::Scalar>(x));
}

// c[0] + c[1] x + c[2] x^2 + ... by Horner's rule.
template <class L, int N>
inline L polynomial(L x, const typename L::Scalar (&c)[N]) {
    L p = L::all(c[N - 1]);
#pragma GCC unroll 32
    for (int i = N - 2; i >= 0; --i) p = fma(p, x, L::all(c[i]));
    return p;
}

template <class L>
inline L clamp(L x, typename L::Scalar low, typename L::Scalar high) {
    return min(L::all(high), max(L::all(low), x));
}

template <class L>
inline L with_sign_of(L magnitude, L sign) {
    return from_bits(bits(magnitude) | (bits(sign) & bits(lit<L>(-0.0))));
}

// ---- exp ----

// 2^n for an integral n of the exponent's range: n's low bits stand at the end of n + kMagic.
template <class L>
inline L power_of_two(L n) {
    const auto exponent = shift_left<Math<L>::kMantissaBits>(bits(n + L::all(Math<L>::kMagic)));
    return from_bits(exponent + bits(lit<L>(1)));
}

// y 2^n with one rounding, y of order 1: two factors, the first of which is exact.
template <class L>
inline L scale_by_power(L y, L n) {
    using V = typename L::Vec;
    if constexpr (requires { V::scalef(y.r, n.r); }) {
        return {V::scalef(y.r, n.r)};
    } else {
        const L magic = L::all(Math<L>::kMagic);
        const L half = fma(n, lit<L>(0.5), magic) - magic;
        return y * power_of_two(half) * power_of_two(n - half);
    }
}

// e^x = (1 + p) 2^n kept apart: a factor f enters as f + f p with one rounding, and before the
// result underflows.
template <class L>
struct ScaledExp {
    L p, n;  // |p| <= 0.42

    L mantissa() const { return lit<L>(1) + p; }
    L value() const { return scale_by_power(mantissa(), n); }
    L times(L f) const { return scale_by_power(fma(f, p, f), n); }
    // (f + low) e^x with |low| far below |f|.
    L times(L f, L low) const { return scale_by_power(f + fma(f, p, low), n); }
};
// x + tail = n ln2 + (r + r_low), |r| <= ln2 / 2, |tail| far below |x|; kExpLow <= x <= kExpHigh.
template <class L>
inline ScaledExp<L> scaled_exp(L x, L tail) {
    using M = Math<L>;
    const L magic = L::all(M::kMagic), n = fma(x, L::all(M::kLog2e), magic) - magic;
    const L high = fnma(n, L::all(M::kLn2[0]), x), low = fnma(n, L::all(M::kLn2[1]), tail);
    const L r = high + low, r_low = (high - r) + low;
    return {r + fma(r * r, polynomial(r, M::kExp), r_low), n};
}

template <class L>
inline L exp(L x) {
    using M = Math<L>;
    const L c = clamp(x, M::kExpLow, M::kExpHigh), magic = L::all(M::kMagic);
    const L n = fma(c, L::all(M::kLog2e), magic) - magic;
    const L r = fnma(n, L::all(M::kLn2[1]), fnma(n, L::all(M::kLn2[0]), c));
    const L one = lit<L>(1);
    return scale_by_power(fma(r, fma(r, polynomial(r, M::kExp), one), one), n);
}

// ---- log ----

// log(1 + f) + e ln2 for f in [-0.3, 1]. With s = f / (2 + f), h = f^2 / 2 and
// R = log((1 + s) / (1 - s)) / s - 2:  log(1 + f) = f - (h - s (h + R)).
template <class L>
inline L log1p_scaled(L f, L e) {
    using M = Math<L>;
    const L s = f / (lit<L>(2) + f), z = s * s, h = lit<L>(0.5) * f * f;
    const L rest = fma(s, fma(z, polynomial(z, M::kLog), h), e * L::all(M::kLn2[1]));
    return fma(e, L::all(M::kLn2[0]), f - (h - rest));
}

// log x + octaves ln2 for a normal x > 0. x = 2^e m with sqrt(1/2) <= m < sqrt(2): with the bits of
// sqrt(1/2) subtracted, the exponent field changes at m = sqrt(1/2); the bits of 1 keep it
// positive. OR into kMagic makes it float.
template <class L>
inline L log_normal(L x, L octaves = lit<L>(0)) {
    using M = Math<L>;
    constexpr int kBits = M::kMantissaBits;
    const L one = lit<L>(1), magic = L::all(M::kMagic);
    const auto root = bits(L::all(M::kSqrtHalf));
    const auto shifted = (bits(x) - root) + bits(one);
    const auto field = shift_right<kBits>(shifted);
    const L bias = from_bits(shift_right<kBits>(bits(one)) | bits(magic));
    const L e = (from_bits(field | bits(magic)) - bias) + octaves;
    const L m = from_bits((shifted - shift_left<kBits>(field)) + root);
    return log1p_scaled(m - one, e);
}

template <class L>
inline L log(L x) {
    using M = Math<L>;
    const L zero = lit<L>(0);
    const auto tiny = x < L::all(M::kSmallestNormal);
    const L normal = select(tiny, x * L::all(M::kSubnormalScale), x);
    const L y = log_normal(normal, select(tiny, L::all(-M::kSubnormalBits), zero));
    const L infinity = lit<L>(__builtin_inf());
    const L special = select(x < zero, lit<L>(__builtin_nan("")), x - infinity);  // 0, NaN
    return select(zero < x, select(x < infinity, y, x), special);
}

// ---- tanh, sigmoid, softplus ----

template <class L>
inline L tanh(L x) {
    const L a = abs(x), z = a * a, one = lit<L>(1);
    const L near = fma(a * z, polynomial(z, Math<L>::kTanh), a);
    const L far = one - lit<L>(2) / (exp(a + a) + one);
    return with_sign_of(select(a < lit<L>(0.625), near, far), x);
}

// 1.7159 tanh(2 x / 3)
template <class L>
inline L scaled_tanh(L x) {
    return lit<L>(1.7159) * tanh(lit<L>(2.0 / 3) * x);
}

// 1 + e^(u + tail), |tail| far below |u|. With e^(u + tail) = (1 + p) 2^n and s = 2^-n a quotient
// f / (1 + e^..) is f s / (s + 1 + p): nothing overflows, s + 1 is exact unless one of them is
// negligible, and s multiplies last, so the result underflows once.
template <class L>
struct OnePlusExp {
    L p, sum, minus_n;

    L divides(L f) const { return scale_by_power(f / sum, minus_n); }
    L complement() const { return (lit<L>(1) + p) / sum; }  // 1 - 1 / (1 + e^..)
};
// Below -kSigmoidLimit the sum is 1.
template <class L>
inline OnePlusExp<L> one_plus_exp(L u, L tail) {
    using M = Math<L>;
    const L c = clamp(u, -M::kSigmoidLimit, -M::kExpLow);
    const L magic = L::all(M::kMagic), one = lit<L>(1);
    const L minus_n = fnma(c, L::all(M::kLog2e), magic) - magic;
    const L r = fma(minus_n, L::all(M::kLn2[0]), c) + fma(minus_n, L::all(M::kLn2[1]), tail);
    const L p = fma(r * r, polynomial(r, M::kExp), r);
    const L s = scale_by_power(one, minus_n), w = s + one;
    return {p, w + (p + (s - (w - one))), minus_n};
}

template <class L>
inline L sigmoid(L x) {
    return one_plus_exp(-x, lit<L>(0)).divides(lit<L>(1));
}

template <class L>
inline L softplus(L x) {
    const L zero = lit<L>(0);
    return max(zero, x) + log1p_scaled(exp(-abs(x)), zero);
}

// ---- the normal distribution: erf, gelu ----

// e^(-a^2 / 2), the square in two parts.
template <class L>
inline ScaledExp<L> gaussian(L a) {
    const L half = lit<L>(-0.5) * a, exponent = half * a;
    return scaled_exp(exponent, fma(half, a, -exponent));
}

// The upper tail Phi(-a) = gaussian(a) w P(t) for 0 <= a <= kTailLimit, with w = 1 / (a + k) and
// t = (a - k) / (a + k) = 1 - 2 k w.
template <class L>
inline L normal_tail(L a, ScaledExp<L> gauss) {
    using M = Math<L>;
    const L k = L::all(M::kTailCentre), w = lit<L>(1) / (a + k);
    const L ratio = w * polynomial(fnma(k + k, w, lit<L>(1)), M::kTail);
    return gauss.times(ratio);
}

// a Phi(-a): with g = a / (a + k), a w = g and t = 2 g - 1, two roundings fewer; that of g P(t) is
// carried on.
template <class L>
inline L scaled_normal_tail(L a) {
    using M = Math<L>;
    const L g = a / (a + L::all(M::kTailCentre));
    const L tail = polynomial(fma(lit<L>(2), g, lit<L>(-1)), M::kTail), f = g * tail;
    return gaussian(a).times(f, fma(g, tail, -f));
}

template <class L>
inline L erf_near(L x) {
    return fma(x, polynomial(x * x, Math<L>::kErf), x);
}

template <class L>
inline L erf(L x) {
    using M = Math<L>;
    const L a = abs(x), near = erf_near(a);
    const L b = min(L::all(M::kTailLimit), a * L::all(M::kSqrt2));
    const L far = fnma(lit<L>(2), normal_tail(b, gaussian(b)), lit<L>(1));
    return with_sign_of(select(a < lit<L>(1), near, far), x);
}

// x Phi(x): x / 2 + x^2 P(x^2) near 0, else max(0, x) - a Phi(-a), free of cancellation.
template <class L>
inline L gelu(L x) {
    using M = Math<L>;
    const L a = abs(x), z = x * x;
    const L near = fma(z, polynomial(z, M::kCdf), lit<L>(0.5) * x);
    const L far = max(lit<L>(0), x) - scaled_normal_tail(min(L::all(M::kTailLimit), a));
    return select(a < lit<L>(0.5), near, far);
}

// Phi(x) + x phi(x)
template <class L>
inline L gelu_slope(L x) {
    using M = Math<L>;
    const L zero = lit<L>(0), a = min(L::all(M::kTailLimit), abs(x));
    const ScaledExp<L> gauss = gaussian(a);
    const L tail = normal_tail(a, gauss), density = gauss.value();
    const L cdf = select(x < zero, tail, lit<L>(1) - tail);
    return fma(with_sign_of(a, x), density * L::all(M::kInvSqrt2Pi), cdf);
}

// u = -x (c1 + c2 x^2) in two parts; gelu_tanh(x) = x / (1 + e^u). c1 = high + low with so short a
// high part that w - high is exact whichever of the two addends of w is the larger.
template <class L>
struct TwoPart {
    L high, low;
};
template <class L>
inline TwoPart<L> gelu_tanh_argument(L x) {
    using M = Math<L>;
    const L c1 = L::all(-M::kGelu1[0]), c2 = L::all(-M::kGelu2[0]);
    const L z = x * x, z_low = fma(x, x, -z);
    const L p = c2 * z, w = c1 + p;
    const L p_low = fma(c2, z_low, fma(L::all(-M::kGelu2[1]), z, L::all(-M::kGelu1[1])));
    const L w_low = ((p - (w - c1)) + fma(c2, z, -p)) + p_low;
    const L u = x * w;
    return {u, fma(x, w_low, fma(x, w, -u))};
}

template <class L>
inline L gelu_tanh(L x) {
    using M = Math<L>;
    const L f = max(L::all(-M::kTanhFormLimit), x);
    const TwoPart<L> u = gelu_tanh_argument(min(L::all(M::kTanhFormLimit), f));
    return one_plus_exp(u.high, u.low).divides(f);
}

// s + x s (1 - s) dv/dx with s = sigmoid(v), dv/dx = c1 + 3 c2 x^2
template <class L>
inline L gelu_tanh_slope(L x) {
    using M = Math<L>;
    const L c = clamp(x, -M::kTanhFormLimit, M::kTanhFormLimit);
    const TwoPart<L> u = gelu_tanh_argument(c);
    const OnePlusExp<L> e = one_plus_exp(u.high, u.low);
    const L s = e.divides(lit<L>(1));
    const L dv = fma(lit<L>(3) * L::all(M::kGelu2[0]), c * c, L::all(M::kGelu1[0] + M::kGelu1[1]));
    return fma(c * dv, s * e.complement(), s);
}

template <class L>
inline L silu(L x) {
    const L f = max(L::all(Math<L>::kExpLow), x);
    return one_plus_exp(-f, lit<L>(0)).divides(f);
}

// s (1 + x (1 - s))
template <class L>
inline L silu_slope(L x) {
    using M = Math<L>;
    const L c = clamp(x, M::kExpLow, -M::kExpLow);
    const OnePlusExp<L> e = one_plus_exp(-c, lit<L>(0));
    return e.divides(fma(c, e.complement(), lit<L>(1)));
}

// ---- sin, cos ----

// x = n pi/2 + r, |r| <= pi/4; n in the low bits of `n`.
template <class L>
struct Angle {
    L r;
    Bits<typename L::Vec> n;
};
template <class L>
inline Angle<L> reduce_angle(L x) {
    using M = Math<L>;
    const L magic = L::all(M::kMagic), t = fma(x, L::all(M::kTwoOverPi), magic), n = t - magic;
    L r = fnma(n, L::all(M::kPiOver2[0]), x);
    r = fnma(n, L::all(M::kPiOver2[1]), r);
    r = fnma(n, L::all(M::kPiOver2[2]), r);
    return {r, bits(t)};
}

// sin(r + n pi/2): sin r, cos r, -sin r, -cos r for n mod 4 = 0, 1, 2, 3.
template <class L>
inline L sin_of(Angle<L> angle) {
    using V = typename L::Vec;
    using M = Math<L>;
    const L r = angle.r, z = r * r;
    const L s = fma(r * z, polynomial(z, M::kSin), r);
    const L c = fma(z * z, polynomial(z, M::kCos), fma(z, lit<L>(-0.5), lit<L>(1)));
    const Bits<V> one{V::ibroadcast(1)};
    const Truth<V> odd{V::ieq((angle.n & one).i, one.i)};
    constexpr int kSignBit = sizeof(typename L::Scalar) * 8 - 1;
    const Bits<V> sign = shift_left<kSignBit>(shift_right<1>(angle.n));
    return from_bits(bits(select(odd, c, s)) ^ sign);
}
template <class L>
inline L cos_of(Angle<L> angle) {
    using V = typename L::Vec;
    return sin_of(Angle<L>{angle.r, angle.n + Bits<V>{V::ibroadcast(1)}});
}

template <class L>
inline L within_trig_range(L y, L x) {
    return select(abs(x) <= L::all(Math<L>::kTrigLimit), y, lit<L>(__builtin_nan("")));
}

template <class L>
inline L sin(L x) {
    const L y = within_trig_range(sin_of(reduce_angle(x)), x);
    return select(x == lit<L>(0), x, y);  // the polynomial loses the sign of -0
}
template <class L>
inline L cos(L x) {
    return within_trig_range(cos_of(reduce_angle(x)), x);
}
