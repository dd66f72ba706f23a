#pragma once
// The matrices of Winograd's F(4x4, 3x3), applied to W channels at a time (16_winograd.cpp).
// Points 0, 1, -1, 2, -2 and infinity (Lavin & Gray, "Fast Algorithms for Convolutional Neural
// Networks", 2016, section 4.3).

#include "isa.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

constexpr float kBT[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                             {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
constexpr float kG[6][3] = {{1 / 4.0f, 0, 0},
                            {-1 / 6.0f, -1 / 6.0f, -1 / 6.0f},
                            {-1 / 6.0f, 1 / 6.0f, -1 / 6.0f},
                            {1 / 24.0f, 1 / 12.0f, 1 / 6.0f},
                            {1 / 24.0f, -1 / 12.0f, 1 / 6.0f},
                            {0, 0, 1}};
constexpr float kAT[4][6] = {
    {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

// sum over k of m[k] in[k step]: zeros vanish when the loop is unrolled, as m is a constant.
template <int IN>
inline __attribute__((always_inline)) Reg combine(const float (&m)[IN], const Reg* in, int step) {
    Reg sum = V::zero();
#pragma GCC unroll 6
    for (int k = 0; k < IN; ++k)
        if (m[k] != 0) sum = V::fma(V::broadcast(m[k]), in[k * step], sum);
    return sum;
}

// out [OUT, OUT] = m in m^T,  in [IN, IN]
template <int OUT, int IN>
inline __attribute__((always_inline)) void sandwich(const float (&m)[OUT][IN], const Reg* in,
                                                    Reg* out) {
    Reg half[OUT * IN];
#pragma GCC unroll 6
    for (int c = 0; c < IN; ++c)
#pragma GCC unroll 6
        for (int r = 0; r < OUT; ++r) half[r * IN + c] = combine(m[r], in + c, IN);
#pragma GCC unroll 6
    for (int r = 0; r < OUT; ++r)
#pragma GCC unroll 6
        for (int c = 0; c < OUT; ++c) out[r * OUT + c] = combine(m[c], half + r * IN, 1);
}

}  // namespace
}  // namespace soma::ladder::SOMA_LADDER_ISA
