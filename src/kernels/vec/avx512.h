// AVX-512 vectors (F, BW, DQ, VL). Included inside an anonymous namespace by isa/avx512.cpp.
// vec/generic.h documents the interface that all four headers share.
// LANES16 (kernels.md 6.2): one VecF or two VecD.

struct VecF {
    using Scalar = float;
    using Reg = __m512;
    using Int = __m512i;
    using Mask = __mmask16;
    static constexpr int kWidth = 16;

    static Reg zero() { return _mm512_setzero_ps(); }
    static Reg broadcast(float x) { return _mm512_set1_ps(x); }
    static Reg load(const float* p) { return _mm512_loadu_ps(p); }
    static void store(float* p, Reg a) { _mm512_storeu_ps(p, a); }
    static Mask first(int n) { return static_cast<Mask>((1u << n) - 1u); }
    static Reg load_masked(const float* p, Mask m) { return _mm512_maskz_loadu_ps(m, p); }
    static void store_masked(float* p, Mask m, Reg a) { _mm512_mask_storeu_ps(p, m, a); }
    static inline __attribute__((always_inline)) void load_transposed(const float* src,
                                                                      std::ptrdiff_t lds,
                                                                      Reg* out) {
        Reg x[4][4];  // [q][s], 128-bit lane l: columns 4 q .. 4 q + 3 of row 4 l + s
#pragma GCC unroll 4
        for (int s = 0; s < 4; ++s) {
            const float* r0 = src + s * lds;
            const float* r1 = r0 + 4 * lds;
            const float* r2 = r1 + 4 * lds;
            const float* r3 = r2 + 4 * lds;
#pragma GCC unroll 4
            for (int q = 0; q < 4; ++q) {
                Reg v = _mm512_broadcast_f32x4(_mm_loadu_ps(r0 + 4 * q));
                v = _mm512_mask_broadcast_f32x4(v, 0x00f0, _mm_loadu_ps(r1 + 4 * q));
                v = _mm512_mask_broadcast_f32x4(v, 0x0f00, _mm_loadu_ps(r2 + 4 * q));
                x[q][s] = _mm512_mask_broadcast_f32x4(v, 0xf000, _mm_loadu_ps(r3 + 4 * q));
            }
        }
#pragma GCC unroll 4
        for (int q = 0; q < 4; ++q) {
            const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(x[q][0], x[q][1]));
            const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(x[q][0], x[q][1]));
            const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(x[q][2], x[q][3]));
            const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(x[q][2], x[q][3]));
            out[4 * q] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
            out[4 * q + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
            out[4 * q + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
            out[4 * q + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
        }
    }

    static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
    static Reg sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
    static Reg mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
    static Reg div(Reg a, Reg b) { return _mm512_div_ps(a, b); }
    static Reg sqrt(Reg a) { return _mm512_sqrt_ps(a); }
    static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
    static Reg fnma(Reg a, Reg b, Reg c) { return _mm512_fnmadd_ps(a, b, c); }
    // a 2^n for integral n, rounded once; the other ISAs compose it (vmath.inl, scale_by_power).
    static Reg scalef(Reg a, Reg n) { return _mm512_scalef_ps(a, n); }
    static Reg neg(Reg a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
    static Reg abs(Reg a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
    static Reg max(Reg a, Reg b) { return _mm512_max_ps(a, b); }
    static Reg min(Reg a, Reg b) { return _mm512_min_ps(a, b); }

    static Mask lt(Reg a, Reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
    static Mask le(Reg a, Reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
    static Mask gt(Reg a, Reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
    static Mask ge(Reg a, Reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
    static Mask eq(Reg a, Reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
    static Mask is_nan(Reg a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
    static Mask both(Mask a, Mask b) { return static_cast<Mask>(a & b); }
    static Mask either(Mask a, Mask b) { return static_cast<Mask>(a | b); }
    static Reg select(Mask m, Reg a, Reg b) { return _mm512_mask_blend_ps(m, b, a); }
    static Int iselect(Mask m, Int a, Int b) { return _mm512_mask_blend_epi32(m, b, a); }

    static Int to_int(Reg a) { return _mm512_cvtps_epi32(a); }
    static Reg from_int(Int a) { return _mm512_cvtepi32_ps(a); }
    static Int as_int(Reg a) { return _mm512_castps_si512(a); }
    static Reg as_float(Int a) { return _mm512_castsi512_ps(a); }
    static Int ibroadcast(std::int32_t x) { return _mm512_set1_epi32(x); }
    static Int iadd(Int a, Int b) { return _mm512_add_epi32(a, b); }
    static Int isub(Int a, Int b) { return _mm512_sub_epi32(a, b); }
    static Int iand(Int a, Int b) { return _mm512_and_si512(a, b); }
    static Int ior(Int a, Int b) { return _mm512_or_si512(a, b); }
    static Int ixor(Int a, Int b) { return _mm512_xor_si512(a, b); }
    static Mask ieq(Int a, Int b) { return _mm512_cmpeq_epi32_mask(a, b); }
    template <int N>
    static Int shl(Int a) {
        return _mm512_slli_epi32(a, N);
    }
    template <int N>
    static Int shr(Int a) {
        return _mm512_srli_epi32(a, N);
    }
    template <int N>
    static Int sar(Int a) {
        return _mm512_srai_epi32(a, N);
    }
    static Int iload(const std::int32_t* p) { return _mm512_loadu_si512(p); }
    static void istore(std::int32_t* p, Int a) { _mm512_storeu_si512(p, a); }
};

struct VecD {
    using Scalar = double;
    using Reg = __m512d;
    using Int = __m512i;
    using Mask = __mmask8;
    static constexpr int kWidth = 8;

    static Reg zero() { return _mm512_setzero_pd(); }
    static Reg broadcast(double x) { return _mm512_set1_pd(x); }
    static Reg load(const double* p) { return _mm512_loadu_pd(p); }
    static Reg load_widened(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
    static void store(double* p, Reg a) { _mm512_storeu_pd(p, a); }
    static Mask first(int n) { return static_cast<Mask>((1u << n) - 1u); }
    static Reg load_masked(const double* p, Mask m) { return _mm512_maskz_loadu_pd(m, p); }
    static void store_masked(double* p, Mask m, Reg a) { _mm512_mask_storeu_pd(p, m, a); }
    static inline __attribute__((always_inline)) void load_transposed(const double* src,
                                                                      std::ptrdiff_t lds,
                                                                      Reg* out) {
        Reg x[4][2];  // [q][s], 128-bit lane l: columns 2 q, 2 q + 1 of row 2 l + s
#pragma GCC unroll 2
        for (int s = 0; s < 2; ++s) {
            const double* r0 = src + s * lds;
            const double* r1 = r0 + 2 * lds;
            const double* r2 = r1 + 2 * lds;
            const double* r3 = r2 + 2 * lds;
#pragma GCC unroll 4
            for (int q = 0; q < 4; ++q) {
                Reg v = _mm512_broadcast_f64x2(_mm_loadu_pd(r0 + 2 * q));
                v = _mm512_mask_broadcast_f64x2(v, 0x0c, _mm_loadu_pd(r1 + 2 * q));
                v = _mm512_mask_broadcast_f64x2(v, 0x30, _mm_loadu_pd(r2 + 2 * q));
                x[q][s] = _mm512_mask_broadcast_f64x2(v, 0xc0, _mm_loadu_pd(r3 + 2 * q));
            }
        }
#pragma GCC unroll 4
        for (int q = 0; q < 4; ++q) {
            out[2 * q] = _mm512_unpacklo_pd(x[q][0], x[q][1]);
            out[2 * q + 1] = _mm512_unpackhi_pd(x[q][0], x[q][1]);
        }
    }

    static Reg add(Reg a, Reg b) { return _mm512_add_pd(a, b); }
    static Reg sub(Reg a, Reg b) { return _mm512_sub_pd(a, b); }
    static Reg mul(Reg a, Reg b) { return _mm512_mul_pd(a, b); }
    static Reg div(Reg a, Reg b) { return _mm512_div_pd(a, b); }
    static Reg sqrt(Reg a) { return _mm512_sqrt_pd(a); }
    static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_pd(a, b, c); }
    static Reg fnma(Reg a, Reg b, Reg c) { return _mm512_fnmadd_pd(a, b, c); }
    // a 2^n for integral n, rounded once; the other ISAs compose it (vmath.inl, scale_by_power).
    static Reg scalef(Reg a, Reg n) { return _mm512_scalef_pd(a, n); }
    static Reg neg(Reg a) { return _mm512_xor_pd(a, _mm512_set1_pd(-0.0)); }
    static Reg abs(Reg a) { return _mm512_andnot_pd(_mm512_set1_pd(-0.0), a); }
    static Reg max(Reg a, Reg b) { return _mm512_max_pd(a, b); }
    static Reg min(Reg a, Reg b) { return _mm512_min_pd(a, b); }

    static Mask lt(Reg a, Reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
    static Mask le(Reg a, Reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
    static Mask gt(Reg a, Reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ); }
    static Mask ge(Reg a, Reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_GE_OQ); }
    static Mask eq(Reg a, Reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
    static Mask is_nan(Reg a) { return _mm512_cmp_pd_mask(a, a, _CMP_UNORD_Q); }
    static Mask both(Mask a, Mask b) { return static_cast<Mask>(a & b); }
    static Mask either(Mask a, Mask b) { return static_cast<Mask>(a | b); }
    static Reg select(Mask m, Reg a, Reg b) { return _mm512_mask_blend_pd(m, b, a); }
    static Int iselect(Mask m, Int a, Int b) { return _mm512_mask_blend_epi64(m, b, a); }

    static Int to_int(Reg a) { return _mm512_cvtpd_epi64(a); }
    static Reg from_int(Int a) { return _mm512_cvtepi64_pd(a); }
    static Int as_int(Reg a) { return _mm512_castpd_si512(a); }
    static Reg as_float(Int a) { return _mm512_castsi512_pd(a); }
    static Int ibroadcast(std::int64_t x) { return _mm512_set1_epi64(x); }
    static Int iadd(Int a, Int b) { return _mm512_add_epi64(a, b); }
    static Int isub(Int a, Int b) { return _mm512_sub_epi64(a, b); }
    static Int iand(Int a, Int b) { return _mm512_and_si512(a, b); }
    static Int ior(Int a, Int b) { return _mm512_or_si512(a, b); }
    static Int ixor(Int a, Int b) { return _mm512_xor_si512(a, b); }
    static Mask ieq(Int a, Int b) { return _mm512_cmpeq_epi64_mask(a, b); }
    template <int N>
    static Int shl(Int a) {
        return _mm512_slli_epi64(a, N);
    }
    template <int N>
    static Int shr(Int a) {
        return _mm512_srli_epi64(a, N);
    }
    template <int N>
    static Int sar(Int a) {
        return _mm512_srai_epi64(a, N);
    }
};

struct VecU {
    using Scalar = std::uint32_t;
    using Reg = __m512i;
    static constexpr int kWidth = 16;

    static Reg broadcast(std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
    static Reg load(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
    static void store(std::uint32_t* p, Reg a) { _mm512_storeu_si512(p, a); }
    static Reg add(Reg a, Reg b) { return _mm512_add_epi32(a, b); }
    static Reg bxor(Reg a, Reg b, Reg c) { return _mm512_ternarylogic_epi32(a, b, c, 0x96); }
    static Reg ramp() {
        return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    }
    static void multiply(Reg a, Reg b, Reg& high, Reg& low) {
        const Reg even = _mm512_mul_epu32(a, b);
        const Reg odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
        high = _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
        low = _mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_CCAA);
    }
    template <int N>
    static Reg shr(Reg a) {
        return _mm512_srli_epi32(a, N);
    }
    static void interleave_runs(Reg (&w)[4]) {
        const Reg a = _mm512_shuffle_i32x4(w[0], w[1], 0x88);
        const Reg b = _mm512_shuffle_i32x4(w[0], w[1], 0xdd);
        const Reg c = _mm512_shuffle_i32x4(w[2], w[3], 0x88);
        const Reg d = _mm512_shuffle_i32x4(w[2], w[3], 0xdd);
        w[0] = _mm512_shuffle_i32x4(a, c, 0x88);
        w[1] = _mm512_shuffle_i32x4(b, d, 0x88);
        w[2] = _mm512_shuffle_i32x4(a, c, 0xdd);
        w[3] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
    static VecF::Reg to_float(Reg a) { return _mm512_cvtepi32_ps(a); }
};
