#pragma once
// Elementary functions by the C library in long double: the oracle of vmath and elementwise. In
// R = double they are estimates, off by some 1e-6 ULP of an f32 result, that cost a fraction.
//
// Phi's tail is a continued fraction beyond 3, where erfcl loses digits in its own argument.

#include <cmath>
#include <type_traits>

#include "soma/kernels/activation.h"
#include "soma/kernels/table/elementwise.h"

namespace soma::kernels::ref {

using Wide = long double;

template <class R = Wide>
R sigmoid(std::type_identity_t<R> x) {
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

// The standard normal distribution function.
template <class R = Wide>
R normal_cdf(std::type_identity_t<R> x) {
    if (x > -3 || sizeof(R) == sizeof(double)) return std::erfc(-x * std::sqrt(R{0.5})) / 2;
    R f = -x;  // Phi(-a) = phi(a) / (a + 1 / (a + 2 / (a + ...)))
    for (int k = 200; k > 0; --k) f = -x + static_cast<R>(k) / f;
    return std::exp(-x * x / 2) / (std::sqrt(2 * std::acos(R{-1})) * f);
}

template <class R = Wide>
R unary(Unary f, std::type_identity_t<R> x) {
    switch (f) {
        case Unary::neg:
            return -x;
        case Unary::abs:
            return std::fabs(x);
        case Unary::square:
            return x * x;
        case Unary::sqrt:
            return std::sqrt(x);
        case Unary::exp:
            return std::exp(x);
        case Unary::log:
            return std::log(x);
        case Unary::sin:
            return std::sin(x);
        case Unary::cos:
            return std::cos(x);
        case Unary::erf:
            return std::erf(x);
    }
    return x;
}

// Limits at -Inf, where the products below are Inf * 0.
template <class R = Wide>
R activation(Activation f, std::type_identity_t<R> slope, std::type_identity_t<R> x) {
    const bool vanishes = std::isinf(x) && x < 0;
    switch (f) {
        case Activation::none:
            return x;
        case Activation::relu:
            return 0 > x ? 0 : x;
        case Activation::leaky_relu:
            return x < 0 ? slope * x : x;
        case Activation::tanh:
            return std::tanh(x);
        case Activation::scaled_tanh:
            return static_cast<R>(1.7159L) * std::tanh(2 * x / 3);
        case Activation::sigmoid:
            return sigmoid<R>(x);
        case Activation::gelu:
            return vanishes ? -R{0} : x * normal_cdf<R>(x);
        case Activation::gelu_tanh: {
            const R v =
                2 * std::sqrt(2 / std::acos(R{-1})) * (x + static_cast<R>(0.044715L) * x * x * x);
            return vanishes ? -R{0} : x * sigmoid<R>(v);
        }
        case Activation::silu:
            return vanishes ? -R{0} : x * sigmoid<R>(x);
        case Activation::softplus:
            return std::fmax(x, R{0}) + std::log1p(std::exp(-std::fabs(x)));
    }
    return x;
}

// |actual - exact| in units of the last place of `exact` in T, subnormal numbers included.
template <class T>
double ulp_error(T actual, Wide exact) {
    const T rounded = static_cast<T>(exact);
    if (std::isnan(rounded)) return std::isnan(actual) ? 0 : HUGE_VAL;
    if (std::isinf(rounded) || std::isinf(actual)) return actual == rounded ? 0 : HUGE_VAL;
    constexpr int kDigits = sizeof(T) == 4 ? 24 : 53, kLowest = sizeof(T) == 4 ? -125 : -1021;
    int exponent = kLowest;
    if (rounded != 0) std::frexp(rounded, &exponent);
    const Wide unit = std::ldexp(Wide{1}, (exponent < kLowest ? kLowest : exponent) - kDigits);
    return static_cast<double>(std::fabs(static_cast<Wide>(actual) - exact) / unit);
}

}  // namespace soma::kernels::ref
