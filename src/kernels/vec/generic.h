// Vectors of one element: the interface that all vec headers share, and its meaning.
//
// Included inside an anonymous namespace by isa/generic.cpp. A kernel is written once against VecF,
// VecD (T = Scalar) and VecU and compiled with each header; nothing else in soma uses intrinsics.
//
//   fma(a, b, c) = a b + c and fnma(a, b, c) = c - a b, rounded once
//   max(a, b) = a > b ? a : b;  min(a, b) = a < b ? a : b;  so b is the result when either is NaN
//   first(n): mask of lanes 0..n-1, 0 <= n < kWidth; masked loads give 0 in the other lanes and
//   neither
//             read nor write their memory
//   load_transposed: lane i of out[j] = src[i lds + j] for i, j < kWidth
//   select(m, a, b) = m ? a : b per lane; comparisons are false on NaN
//   to_int: nearest integer (ties to even) of |x| < 2^31 (f32), 2^51 (f64); from_int: the reverse
//   VecD::load_widened: kWidth floats as doubles
//   Int: integer lanes as wide as the elements; shl, shr logical, sar arithmetic, shifts in bits
//   VecU: 32-bit unsigned lanes; mulhi, mullo: halves of the 64-bit product; to_float: of x < 2^31
//
// LANES16 (kernels.md 6.2): an array of 16 VecF or VecD.

struct VecF {
    using Scalar = float;
    using Reg = float;
    using Int = std::int32_t;
    using Mask = bool;
    static constexpr int kWidth = 1;

    static Reg zero() { return 0; }
    static Reg broadcast(float x) { return x; }
    static Reg load(const float* p) { return *p; }
    static void store(float* p, Reg a) { *p = a; }
    static Mask first(int n) { return n > 0; }
    static Reg load_masked(const float* p, Mask m) { return m ? *p : 0; }
    static void store_masked(float* p, Mask m, Reg a) {
        if (m) *p = a;
    }
    static inline __attribute__((always_inline)) void load_transposed(const float* src,
                                                                      std::ptrdiff_t, Reg* out) {
        *out = *src;
    }

    static Reg add(Reg a, Reg b) { return a + b; }
    static Reg sub(Reg a, Reg b) { return a - b; }
    static Reg mul(Reg a, Reg b) { return a * b; }
    static Reg div(Reg a, Reg b) { return a / b; }
    static Reg sqrt(Reg a) { return __builtin_sqrtf(a); }
    static Reg fma(Reg a, Reg b, Reg c) { return __builtin_fmaf(a, b, c); }
    static Reg fnma(Reg a, Reg b, Reg c) { return __builtin_fmaf(-a, b, c); }
    static Reg neg(Reg a) { return -a; }
    static Reg abs(Reg a) { return __builtin_fabsf(a); }
    static Reg max(Reg a, Reg b) { return a > b ? a : b; }
    static Reg min(Reg a, Reg b) { return a < b ? a : b; }

    static Mask lt(Reg a, Reg b) { return a < b; }
    static Mask le(Reg a, Reg b) { return a <= b; }
    static Mask gt(Reg a, Reg b) { return a > b; }
    static Mask ge(Reg a, Reg b) { return a >= b; }
    static Mask eq(Reg a, Reg b) { return a == b; }
    static Mask is_nan(Reg a) { return a != a; }
    static Mask both(Mask a, Mask b) { return a && b; }
    static Mask either(Mask a, Mask b) { return a || b; }
    static Reg select(Mask m, Reg a, Reg b) { return m ? a : b; }
    static Int iselect(Mask m, Int a, Int b) { return m ? a : b; }

    // Adding 1.5 2^23 leaves the nearest integer in the low mantissa bits; exact for |x| < 2^22,
    // and larger values are integers already.
    static Int to_int(Reg a) {
        if (!(abs(a) < 0x1p22f)) return static_cast<Int>(a);
        return static_cast<Int>((a + 0x1.8p23f) - 0x1.8p23f);
    }
    static Reg from_int(Int a) { return static_cast<Reg>(a); }
    static Int as_int(Reg a) { return __builtin_bit_cast(Int, a); }
    static Reg as_float(Int a) { return __builtin_bit_cast(Reg, a); }
    static Int ibroadcast(std::int32_t x) { return x; }
    static Int iadd(Int a, Int b) {
        return static_cast<Int>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
    }
    static Int isub(Int a, Int b) {
        return static_cast<Int>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
    }
    static Int iand(Int a, Int b) { return a & b; }
    static Int ior(Int a, Int b) { return a | b; }
    static Int ixor(Int a, Int b) { return a ^ b; }
    static Mask ieq(Int a, Int b) { return a == b; }
    template <int N>
    static Int shl(Int a) {
        return static_cast<Int>(static_cast<std::uint32_t>(a) << N);
    }
    template <int N>
    static Int shr(Int a) {
        return static_cast<Int>(static_cast<std::uint32_t>(a) >> N);
    }
    template <int N>
    static Int sar(Int a) {
        return a >> N;
    }
    static Int iload(const std::int32_t* p) { return *p; }
    static void istore(std::int32_t* p, Int a) { *p = a; }
};

struct VecD {
    using Scalar = double;
    using Reg = double;
    using Int = std::int64_t;
    using Mask = bool;
    static constexpr int kWidth = 1;

    static Reg zero() { return 0; }
    static Reg broadcast(double x) { return x; }
    static Reg load(const double* p) { return *p; }
    static Reg load_widened(const float* p) { return *p; }
    static void store(double* p, Reg a) { *p = a; }
    static Mask first(int n) { return n > 0; }
    static Reg load_masked(const double* p, Mask m) { return m ? *p : 0; }
    static void store_masked(double* p, Mask m, Reg a) {
        if (m) *p = a;
    }
    static inline __attribute__((always_inline)) void load_transposed(const double* src,
                                                                      std::ptrdiff_t, Reg* out) {
        *out = *src;
    }

    static Reg add(Reg a, Reg b) { return a + b; }
    static Reg sub(Reg a, Reg b) { return a - b; }
    static Reg mul(Reg a, Reg b) { return a * b; }
    static Reg div(Reg a, Reg b) { return a / b; }
    static Reg sqrt(Reg a) { return __builtin_sqrt(a); }
    static Reg fma(Reg a, Reg b, Reg c) { return __builtin_fma(a, b, c); }
    static Reg fnma(Reg a, Reg b, Reg c) { return __builtin_fma(-a, b, c); }
    static Reg neg(Reg a) { return -a; }
    static Reg abs(Reg a) { return __builtin_fabs(a); }
    static Reg max(Reg a, Reg b) { return a > b ? a : b; }
    static Reg min(Reg a, Reg b) { return a < b ? a : b; }

    static Mask lt(Reg a, Reg b) { return a < b; }
    static Mask le(Reg a, Reg b) { return a <= b; }
    static Mask gt(Reg a, Reg b) { return a > b; }
    static Mask ge(Reg a, Reg b) { return a >= b; }
    static Mask eq(Reg a, Reg b) { return a == b; }
    static Mask is_nan(Reg a) { return a != a; }
    static Mask both(Mask a, Mask b) { return a && b; }
    static Mask either(Mask a, Mask b) { return a || b; }
    static Reg select(Mask m, Reg a, Reg b) { return m ? a : b; }
    static Int iselect(Mask m, Int a, Int b) { return m ? a : b; }

    static Int to_int(Reg a) { return static_cast<Int>((a + 0x1.8p52) - 0x1.8p52); }
    static Reg from_int(Int a) { return static_cast<Reg>(a); }
    static Int as_int(Reg a) { return __builtin_bit_cast(Int, a); }
    static Reg as_float(Int a) { return __builtin_bit_cast(Reg, a); }
    static Int ibroadcast(std::int64_t x) { return x; }
    static Int iadd(Int a, Int b) {
        return static_cast<Int>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    }
    static Int isub(Int a, Int b) {
        return static_cast<Int>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
    }
    static Int iand(Int a, Int b) { return a & b; }
    static Int ior(Int a, Int b) { return a | b; }
    static Int ixor(Int a, Int b) { return a ^ b; }
    static Mask ieq(Int a, Int b) { return a == b; }
    template <int N>
    static Int shl(Int a) {
        return static_cast<Int>(static_cast<std::uint64_t>(a) << N);
    }
    template <int N>
    static Int shr(Int a) {
        return static_cast<Int>(static_cast<std::uint64_t>(a) >> N);
    }
    template <int N>
    static Int sar(Int a) {
        return a >> N;
    }
};

struct VecU {
    using Scalar = std::uint32_t;
    using Reg = std::uint32_t;
    static constexpr int kWidth = 1;

    static Reg broadcast(std::uint32_t x) { return x; }
    static Reg load(const std::uint32_t* p) { return *p; }
    static void store(std::uint32_t* p, Reg a) { *p = a; }
    static Reg add(Reg a, Reg b) { return a + b; }
    static Reg bxor(Reg a, Reg b, Reg c) { return a ^ b ^ c; }
    static Reg ramp() { return 0; }  // lane l: l
    // The two halves of a b.
    static void multiply(Reg a, Reg b, Reg& high, Reg& low) {
        const std::uint64_t product = static_cast<std::uint64_t>(a) * b;
        high = static_cast<Reg>(product >> 32);
        low = static_cast<Reg>(product);
    }
    template <int N>
    static Reg shr(Reg a) {
        return a >> N;
    }
    // Runs of four lanes: run r of w[0], w[1], w[2], w[3], then run r + 1 of each.
    static void interleave_runs(Reg (&)[4]) {}
    static VecF::Reg to_float(Reg a) { return static_cast<float>(a); }
};
