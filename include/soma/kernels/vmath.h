#pragma once
// Vector math: soma's own elementary functions, the same bits on every ISA, compiler and C library.
//
// Host code on the training path (schedules, bias corrections, initialisers) calls the scalar
// entries below instead of libm, whose last bits differ between systems. Arrays go through
// elementwise.h (Unary, Activation), which computes exactly the same values.
//
// Largest error in ULP; f32 over all 2^32 inputs (tools/ulp_sweep), f64 over samples:
//
//     function    f32   f64   method
//     exp         1     1     x = n ln2 + r, minimax polynomial on |r| <= ln2 / 2, scaled by 2^n
//     log         1     1     x = 2^e m, atanh series of s = (m - 1) / (m + 1) as a polynomial
//     tanh        2     2     odd polynomial below 0.625, else 1 - 2 / (e^2x + 1)
//     sigmoid     2     2     1 / (1 + e^-x), the power of two of e^-x apart
//     erf         2     2     odd polynomial below 1, else 1 - 2 Phi(-sqrt2 x)
//     gelu        3     4     x / 2 + x^2 P(x^2) below 0.5, else x or 0 less a Phi(-a), where
//                             Phi(-a) = e^(-a^2 / 2) P(t) / (a + k), a^2 in two parts
//     gelu_tanh   2     2     x / (1 + e^u), u in two parts
//     silu        2     2     x / (1 + e^-x)
//     softplus    2     2     max(x, 0) + log1p(e^-|x|)
//     sin, cos    2     2     three-part pi / 2; |x| <= 2^20, beyond it NaN
//
// Special values: odd functions keep the sign of 0; limits at +-Inf are exact; NaN gives NaN;
// exp overflows to Inf and underflows gradually; log(0) = -Inf, log(x < 0) = NaN.

namespace soma::vmath {

float exp(float x);
float log(float x);
float sin(float x);
float cos(float x);
float erf(float x);
float tanh(float x);
float sigmoid(float x);
float softplus(float x);

double exp(double x);
double log(double x);
double sin(double x);
double cos(double x);
double erf(double x);
double tanh(double x);
double sigmoid(double x);
double softplus(double x);

// x^p as exp(p log x); x > 0. Relative error about (2 + |p log x|) u.
double pow(double x, double p);

}  // namespace soma::vmath
