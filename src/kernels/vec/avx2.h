// AVX2 + FMA vectors. Included inside an anonymous namespace by isa/avx2.cpp.
// vec/generic.h documents the interface that all four headers share.
// LANES16 (kernels.md 6.2): two VecF or four VecD.

struct VecF {
    using Scalar = float;
    using Reg = __m256;
    using Int = __m256i;
    using Mask = __m256;  // all bits of a lane set or clear
    static constexpr int kWidth = 8;

    static Reg zero() { return _mm256_setzero_ps(); }
    static Reg broadcast(float x) { return _mm256_set1_ps(x); }
    static Reg load(const float* p) { return _mm256_loadu_ps(p); }
    static void store(float* p, Reg a) { _mm256_storeu_ps(p, a); }
    static Mask first(int n) {
        const Int lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return as_float(_mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
    }
    static Reg load_masked(const float* p, Mask m) { return _mm256_maskload_ps(p, as_int(m)); }
    static void store_masked(float* p, Mask m, Reg a) { _mm256_maskstore_ps(p, as_int(m), a); }
    static inline __attribute__((always_inline)) void load_transposed(const float* src,
                                                                      std::ptrdiff_t lds,
                                                                      Reg* out) {
        Reg x[2][4];  // [q][s], 128-bit lane l: columns 4 q .. 4 q + 3 of row 4 l + s
#pragma GCC unroll 4
        for (int s = 0; s < 4; ++s) {
            const float* r0 = src + s * lds;
            const float* r1 = r0 + 4 * lds;
#pragma GCC unroll 2
            for (int q = 0; q < 2; ++q) {
                const Reg low = _mm256_castps128_ps256(_mm_loadu_ps(r0 + 4 * q));
                x[q][s] = _mm256_insertf128_ps(low, _mm_loadu_ps(r1 + 4 * q), 1);
            }
        }
#pragma GCC unroll 2
        for (int q = 0; q < 2; ++q) {
            const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(x[q][0], x[q][1]));
            const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(x[q][0], x[q][1]));
            const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(x[q][2], x[q][3]));
            const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(x[q][2], x[q][3]));
            out[4 * q] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
            out[4 * q + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
            out[4 * q + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
            out[4 * q + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
        }
    }

    static Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
    static Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
    static Reg mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
    static Reg div(Reg a, Reg b) { return _mm256_div_ps(a, b); }
    static Reg sqrt(Reg a) { return _mm256_sqrt_ps(a); }
    static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
    static Reg fnma(Reg a, Reg b, Reg c) { return _mm256_fnmadd_ps(a, b, c); }
    static Reg neg(Reg a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
    static Reg abs(Reg a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
    static Reg max(Reg a, Reg b) { return _mm256_max_ps(a, b); }
    static Reg min(Reg a, Reg b) { return _mm256_min_ps(a, b); }

    static Mask lt(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
    static Mask le(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
    static Mask gt(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
    static Mask ge(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
    static Mask eq(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
    static Mask is_nan(Reg a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
    static Mask both(Mask a, Mask b) { return _mm256_and_ps(a, b); }
    static Mask either(Mask a, Mask b) { return _mm256_or_ps(a, b); }
    static Reg select(Mask m, Reg a, Reg b) { return _mm256_blendv_ps(b, a, m); }
    static Int iselect(Mask m, Int a, Int b) { return as_int(select(m, as_float(a), as_float(b))); }

    static Int to_int(Reg a) { return _mm256_cvtps_epi32(a); }
    static Reg from_int(Int a) { return _mm256_cvtepi32_ps(a); }
    static Int as_int(Reg a) { return _mm256_castps_si256(a); }
    static Reg as_float(Int a) { return _mm256_castsi256_ps(a); }
    static Int ibroadcast(std::int32_t x) { return _mm256_set1_epi32(x); }
    static Int iadd(Int a, Int b) { return _mm256_add_epi32(a, b); }
    static Int isub(Int a, Int b) { return _mm256_sub_epi32(a, b); }
    static Int iand(Int a, Int b) { return _mm256_and_si256(a, b); }
    static Int ior(Int a, Int b) { return _mm256_or_si256(a, b); }
    static Int ixor(Int a, Int b) { return _mm256_xor_si256(a, b); }
    static Mask ieq(Int a, Int b) { return as_float(_mm256_cmpeq_epi32(a, b)); }
    template <int N>
    static Int shl(Int a) {
        return _mm256_slli_epi32(a, N);
    }
    template <int N>
    static Int shr(Int a) {
        return _mm256_srli_epi32(a, N);
    }
    template <int N>
    static Int sar(Int a) {
        return _mm256_srai_epi32(a, N);
    }
    static Int iload(const std::int32_t* p) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    static void istore(std::int32_t* p, Int a) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a);
    }
};

struct VecD {
    using Scalar = double;
    using Reg = __m256d;
    using Int = __m256i;
    using Mask = __m256d;  // all bits of a lane set or clear
    static constexpr int kWidth = 4;

    static Reg zero() { return _mm256_setzero_pd(); }
    static Reg broadcast(double x) { return _mm256_set1_pd(x); }
    static Reg load(const double* p) { return _mm256_loadu_pd(p); }
    static Reg load_widened(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
    static void store(double* p, Reg a) { _mm256_storeu_pd(p, a); }
    static Mask first(int n) {
        const Int lane = _mm256_setr_epi64x(0, 1, 2, 3);
        return as_float(_mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lane));
    }
    static Reg load_masked(const double* p, Mask m) { return _mm256_maskload_pd(p, as_int(m)); }
    static void store_masked(double* p, Mask m, Reg a) { _mm256_maskstore_pd(p, as_int(m), a); }
    static inline __attribute__((always_inline)) void load_transposed(const double* src,
                                                                      std::ptrdiff_t lds,
                                                                      Reg* out) {
#pragma GCC unroll 2
        for (int q = 0; q < 2;
             ++q) {  // 128-bit lane l: columns 2 q, 2 q + 1 of rows 2 l and 2 l + 1
            const double* p = src + 2 * q;
            const Reg even = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)),
                                                  _mm_loadu_pd(p + 2 * lds), 1);
            const Reg odd = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p + lds)),
                                                 _mm_loadu_pd(p + 3 * lds), 1);
            out[2 * q] = _mm256_unpacklo_pd(even, odd);
            out[2 * q + 1] = _mm256_unpackhi_pd(even, odd);
        }
    }

    static Reg add(Reg a, Reg b) { return _mm256_add_pd(a, b); }
    static Reg sub(Reg a, Reg b) { return _mm256_sub_pd(a, b); }
    static Reg mul(Reg a, Reg b) { return _mm256_mul_pd(a, b); }
    static Reg div(Reg a, Reg b) { return _mm256_div_pd(a, b); }
    static Reg sqrt(Reg a) { return _mm256_sqrt_pd(a); }
    static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_pd(a, b, c); }
    static Reg fnma(Reg a, Reg b, Reg c) { return _mm256_fnmadd_pd(a, b, c); }
    static Reg neg(Reg a) { return _mm256_xor_pd(a, _mm256_set1_pd(-0.0)); }
    static Reg abs(Reg a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a); }
    static Reg max(Reg a, Reg b) { return _mm256_max_pd(a, b); }
    static Reg min(Reg a, Reg b) { return _mm256_min_pd(a, b); }

    static Mask lt(Reg a, Reg b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
    static Mask le(Reg a, Reg b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
    static Mask gt(Reg a, Reg b) { return _mm256_cmp_pd(a, b, _CMP_GT_OQ); }
    static Mask ge(Reg a, Reg b) { return _mm256_cmp_pd(a, b, _CMP_GE_OQ); }
    static Mask eq(Reg a, Reg b) { return _mm256_cmp_pd(a, b, _CMP_EQ_OQ); }
    static Mask is_nan(Reg a) { return _mm256_cmp_pd(a, a, _CMP_UNORD_Q); }
    static Mask both(Mask a, Mask b) { return _mm256_and_pd(a, b); }
    static Mask either(Mask a, Mask b) { return _mm256_or_pd(a, b); }
    static Reg select(Mask m, Reg a, Reg b) { return _mm256_blendv_pd(b, a, m); }
    static Int iselect(Mask m, Int a, Int b) { return as_int(select(m, as_float(a), as_float(b))); }

    // AVX2 has no conversion between f64 and i64: 1.5 2^52 puts the integer in the mantissa.
    static Int to_int(Reg a) { return isub(as_int(add(a, magic())), as_int(magic())); }
    static Reg from_int(Int a) { return sub(as_float(iadd(a, as_int(magic()))), magic()); }
    static Int as_int(Reg a) { return _mm256_castpd_si256(a); }
    static Reg as_float(Int a) { return _mm256_castsi256_pd(a); }
    static Int ibroadcast(std::int64_t x) { return _mm256_set1_epi64x(x); }
    static Int iadd(Int a, Int b) { return _mm256_add_epi64(a, b); }
    static Int isub(Int a, Int b) { return _mm256_sub_epi64(a, b); }
    static Int iand(Int a, Int b) { return _mm256_and_si256(a, b); }
    static Int ior(Int a, Int b) { return _mm256_or_si256(a, b); }
    static Int ixor(Int a, Int b) { return _mm256_xor_si256(a, b); }
    static Mask ieq(Int a, Int b) { return as_float(_mm256_cmpeq_epi64(a, b)); }
    template <int N>
    static Int shl(Int a) {
        return _mm256_slli_epi64(a, N);
    }
    template <int N>
    static Int shr(Int a) {
        return _mm256_srli_epi64(a, N);
    }
    // AVX2 has no arithmetic shift of 64-bit lanes: extend the sign of the logical one.
    template <int N>
    static Int sar(Int a) {
        const Int sign = ibroadcast(std::int64_t{1} << (63 - N));
        return isub(ixor(shr<N>(a), sign), sign);
    }

private:
    static Reg magic() { return broadcast(0x1.8p52); }
};

struct VecU {
    using Scalar = std::uint32_t;
    using Reg = __m256i;
    static constexpr int kWidth = 8;

    static Reg broadcast(std::uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
    static Reg load(const std::uint32_t* p) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    static void store(std::uint32_t* p, Reg a) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a);
    }
    static Reg add(Reg a, Reg b) { return _mm256_add_epi32(a, b); }
    static Reg bxor(Reg a, Reg b, Reg c) { return _mm256_xor_si256(_mm256_xor_si256(a, b), c); }
    static Reg ramp() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
    static void multiply(Reg a, Reg b, Reg& high, Reg& low) {
        const Reg even = _mm256_mul_epu32(a, b);
        const Reg odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
        high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
        low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    }
    template <int N>
    static Reg shr(Reg a) {
        return _mm256_srli_epi32(a, N);
    }
    static void interleave_runs(Reg (&w)[4]) {
        const Reg a = w[0], b = w[1], c = w[2], d = w[3];
        w[0] = _mm256_permute2x128_si256(a, b, 0x20);
        w[1] = _mm256_permute2x128_si256(c, d, 0x20);
        w[2] = _mm256_permute2x128_si256(a, b, 0x31);
        w[3] = _mm256_permute2x128_si256(c, d, 0x31);
    }
    static VecF::Reg to_float(Reg a) { return _mm256_cvtepi32_ps(a); }
};
