// NEON (AArch64) vectors. Included inside an anonymous namespace by isa/neon.cpp.
// vec/generic.h documents the interface that all four headers share.
// LANES16 (kernels.md 6.2): four VecF or eight VecD.

struct VecF {
    using Scalar = float;
    using Reg = float32x4_t;
    using Int = int32x4_t;
    using Mask = uint32x4_t;  // all bits of a lane set or clear
    static constexpr int kWidth = 4;

    static Reg zero() { return vdupq_n_f32(0); }
    static Reg broadcast(float x) { return vdupq_n_f32(x); }
    static Reg load(const float* p) { return vld1q_f32(p); }
    static void store(float* p, Reg a) { vst1q_f32(p, a); }
    static Mask first(int n) {
        static const std::uint32_t lane[] = {0, 1, 2, 3};
        return vcltq_u32(vld1q_u32(lane), vdupq_n_u32(static_cast<std::uint32_t>(n)));
    }
    // NEON has no masked memory access: lane by lane, through the stack.
    static Reg load_masked(const float* p, Mask m) {
        std::uint32_t on[kWidth];
        float lane[kWidth];
        vst1q_u32(on, m);
        for (int i = 0; i < kWidth; ++i) lane[i] = on[i] ? p[i] : 0;
        return load(lane);
    }
    static void store_masked(float* p, Mask m, Reg a) {
        std::uint32_t on[kWidth];
        float lane[kWidth];
        vst1q_u32(on, m);
        store(lane, a);
        for (int i = 0; i < kWidth; ++i) {
            if (on[i]) p[i] = lane[i];
        }
    }
    static inline __attribute__((always_inline)) void load_transposed(const float* src,
                                                                      std::ptrdiff_t lds,
                                                                      Reg* out) {
        const Reg a = load(src), b = load(src + lds);
        const Reg c = load(src + 2 * lds), d = load(src + 3 * lds);
        const float64x2_t ab_even = vreinterpretq_f64_f32(vtrn1q_f32(a, b));
        const float64x2_t ab_odd = vreinterpretq_f64_f32(vtrn2q_f32(a, b));
        const float64x2_t cd_even = vreinterpretq_f64_f32(vtrn1q_f32(c, d));
        const float64x2_t cd_odd = vreinterpretq_f64_f32(vtrn2q_f32(c, d));
        out[0] = vreinterpretq_f32_f64(vtrn1q_f64(ab_even, cd_even));
        out[1] = vreinterpretq_f32_f64(vtrn1q_f64(ab_odd, cd_odd));
        out[2] = vreinterpretq_f32_f64(vtrn2q_f64(ab_even, cd_even));
        out[3] = vreinterpretq_f32_f64(vtrn2q_f64(ab_odd, cd_odd));
    }

    static Reg add(Reg a, Reg b) { return vaddq_f32(a, b); }
    static Reg sub(Reg a, Reg b) { return vsubq_f32(a, b); }
    static Reg mul(Reg a, Reg b) { return vmulq_f32(a, b); }
    static Reg div(Reg a, Reg b) { return vdivq_f32(a, b); }
    static Reg sqrt(Reg a) { return vsqrtq_f32(a); }
    static Reg fma(Reg a, Reg b, Reg c) { return vfmaq_f32(c, a, b); }
    static Reg fnma(Reg a, Reg b, Reg c) { return vfmsq_f32(c, a, b); }
    static Reg neg(Reg a) { return vnegq_f32(a); }
    static Reg abs(Reg a) { return vabsq_f32(a); }
    // Not FMAX, FMIN: they treat NaN otherwise than the comparison does.
    static Reg max(Reg a, Reg b) { return select(gt(a, b), a, b); }
    static Reg min(Reg a, Reg b) { return select(lt(a, b), a, b); }

    static Mask lt(Reg a, Reg b) { return vcltq_f32(a, b); }
    static Mask le(Reg a, Reg b) { return vcleq_f32(a, b); }
    static Mask gt(Reg a, Reg b) { return vcgtq_f32(a, b); }
    static Mask ge(Reg a, Reg b) { return vcgeq_f32(a, b); }
    static Mask eq(Reg a, Reg b) { return vceqq_f32(a, b); }
    static Mask is_nan(Reg a) { return vmvnq_u32(vceqq_f32(a, a)); }
    static Mask both(Mask a, Mask b) { return vandq_u32(a, b); }
    static Mask either(Mask a, Mask b) { return vorrq_u32(a, b); }
    static Reg select(Mask m, Reg a, Reg b) { return vbslq_f32(m, a, b); }
    static Int iselect(Mask m, Int a, Int b) { return vbslq_s32(m, a, b); }

    static Int to_int(Reg a) { return vcvtnq_s32_f32(a); }
    static Reg from_int(Int a) { return vcvtq_f32_s32(a); }
    static Int as_int(Reg a) { return vreinterpretq_s32_f32(a); }
    static Reg as_float(Int a) { return vreinterpretq_f32_s32(a); }
    static Int ibroadcast(std::int32_t x) { return vdupq_n_s32(x); }
    static Int iadd(Int a, Int b) { return vaddq_s32(a, b); }
    static Int isub(Int a, Int b) { return vsubq_s32(a, b); }
    static Int iand(Int a, Int b) { return vandq_s32(a, b); }
    static Int ior(Int a, Int b) { return vorrq_s32(a, b); }
    static Int ixor(Int a, Int b) { return veorq_s32(a, b); }
    static Mask ieq(Int a, Int b) { return vceqq_s32(a, b); }
    template <int N>
    static Int shl(Int a) {
        return vshlq_n_s32(a, N);
    }
    template <int N>
    static Int shr(Int a) {
        return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), N));
    }
    template <int N>
    static Int sar(Int a) {
        return vshrq_n_s32(a, N);
    }
    static Int iload(const std::int32_t* p) { return vld1q_s32(p); }
    static void istore(std::int32_t* p, Int a) { vst1q_s32(p, a); }
};

struct VecD {
    using Scalar = double;
    using Reg = float64x2_t;
    using Int = int64x2_t;
    using Mask = uint64x2_t;  // all bits of a lane set or clear
    static constexpr int kWidth = 2;

    static Reg zero() { return vdupq_n_f64(0); }
    static Reg broadcast(double x) { return vdupq_n_f64(x); }
    static Reg load(const double* p) { return vld1q_f64(p); }
    static Reg load_widened(const float* p) { return vcvt_f64_f32(vld1_f32(p)); }
    static void store(double* p, Reg a) { vst1q_f64(p, a); }
    static Mask first(int n) {
        static const std::uint64_t lane[] = {0, 1};
        return vcltq_u64(vld1q_u64(lane), vdupq_n_u64(static_cast<std::uint64_t>(n)));
    }
    // NEON has no masked memory access: lane by lane, through the stack.
    static Reg load_masked(const double* p, Mask m) {
        std::uint64_t on[kWidth];
        double lane[kWidth];
        vst1q_u64(on, m);
        for (int i = 0; i < kWidth; ++i) lane[i] = on[i] ? p[i] : 0;
        return load(lane);
    }
    static void store_masked(double* p, Mask m, Reg a) {
        std::uint64_t on[kWidth];
        double lane[kWidth];
        vst1q_u64(on, m);
        store(lane, a);
        for (int i = 0; i < kWidth; ++i) {
            if (on[i]) p[i] = lane[i];
        }
    }
    static inline __attribute__((always_inline)) void load_transposed(const double* src,
                                                                      std::ptrdiff_t lds,
                                                                      Reg* out) {
        const Reg a = load(src), b = load(src + lds);
        out[0] = vtrn1q_f64(a, b);
        out[1] = vtrn2q_f64(a, b);
    }

    static Reg add(Reg a, Reg b) { return vaddq_f64(a, b); }
    static Reg sub(Reg a, Reg b) { return vsubq_f64(a, b); }
    static Reg mul(Reg a, Reg b) { return vmulq_f64(a, b); }
    static Reg div(Reg a, Reg b) { return vdivq_f64(a, b); }
    static Reg sqrt(Reg a) { return vsqrtq_f64(a); }
    static Reg fma(Reg a, Reg b, Reg c) { return vfmaq_f64(c, a, b); }
    static Reg fnma(Reg a, Reg b, Reg c) { return vfmsq_f64(c, a, b); }
    static Reg neg(Reg a) { return vnegq_f64(a); }
    static Reg abs(Reg a) { return vabsq_f64(a); }
    // Not FMAX, FMIN: they treat NaN otherwise than the comparison does.
    static Reg max(Reg a, Reg b) { return select(gt(a, b), a, b); }
    static Reg min(Reg a, Reg b) { return select(lt(a, b), a, b); }

    static Mask lt(Reg a, Reg b) { return vcltq_f64(a, b); }
    static Mask le(Reg a, Reg b) { return vcleq_f64(a, b); }
    static Mask gt(Reg a, Reg b) { return vcgtq_f64(a, b); }
    static Mask ge(Reg a, Reg b) { return vcgeq_f64(a, b); }
    static Mask eq(Reg a, Reg b) { return vceqq_f64(a, b); }
    static Mask is_nan(Reg a) { return veorq_u64(vceqq_f64(a, a), vdupq_n_u64(~std::uint64_t{0})); }
    static Mask both(Mask a, Mask b) { return vandq_u64(a, b); }
    static Mask either(Mask a, Mask b) { return vorrq_u64(a, b); }
    static Reg select(Mask m, Reg a, Reg b) { return vbslq_f64(m, a, b); }
    static Int iselect(Mask m, Int a, Int b) { return vbslq_s64(m, a, b); }

    static Int to_int(Reg a) { return vcvtnq_s64_f64(a); }
    static Reg from_int(Int a) { return vcvtq_f64_s64(a); }
    static Int as_int(Reg a) { return vreinterpretq_s64_f64(a); }
    static Reg as_float(Int a) { return vreinterpretq_f64_s64(a); }
    static Int ibroadcast(std::int64_t x) { return vdupq_n_s64(x); }
    static Int iadd(Int a, Int b) { return vaddq_s64(a, b); }
    static Int isub(Int a, Int b) { return vsubq_s64(a, b); }
    static Int iand(Int a, Int b) { return vandq_s64(a, b); }
    static Int ior(Int a, Int b) { return vorrq_s64(a, b); }
    static Int ixor(Int a, Int b) { return veorq_s64(a, b); }
    static Mask ieq(Int a, Int b) { return vceqq_s64(a, b); }
    template <int N>
    static Int shl(Int a) {
        return vshlq_n_s64(a, N);
    }
    template <int N>
    static Int shr(Int a) {
        return vreinterpretq_s64_u64(vshrq_n_u64(vreinterpretq_u64_s64(a), N));
    }
    template <int N>
    static Int sar(Int a) {
        return vshrq_n_s64(a, N);
    }
};

struct VecU {
    using Scalar = std::uint32_t;
    using Reg = uint32x4_t;
    static constexpr int kWidth = 4;

    static Reg broadcast(std::uint32_t x) { return vdupq_n_u32(x); }
    static Reg load(const std::uint32_t* p) { return vld1q_u32(p); }
    static void store(std::uint32_t* p, Reg a) { vst1q_u32(p, a); }
    static Reg add(Reg a, Reg b) { return vaddq_u32(a, b); }
    static Reg bxor(Reg a, Reg b, Reg c) { return veorq_u32(veorq_u32(a, b), c); }
    static Reg ramp() { return vcombine_u32(vcreate_u32(1ull << 32), vcreate_u32(3ull << 32 | 2)); }
    static void multiply(Reg a, Reg b, Reg& high, Reg& low) {
        const uint64x2_t first = vmull_u32(vget_low_u32(a), vget_low_u32(b));
        const uint64x2_t last = vmull_high_u32(a, b);
        high = vuzp2q_u32(vreinterpretq_u32_u64(first), vreinterpretq_u32_u64(last));
        low = vuzp1q_u32(vreinterpretq_u32_u64(first), vreinterpretq_u32_u64(last));
    }
    template <int N>
    static Reg shr(Reg a) {
        return vshrq_n_u32(a, N);
    }
    static void interleave_runs(Reg (&)[4]) {}
    static VecF::Reg to_float(Reg a) { return vcvtq_f32_u32(a); }
};
