#pragma once
// The kinds of rate networks (neuro.md 2.2, 2.3). Plain data: ISA units include it.

#include <cstdint>

namespace soma {

// How a leaky recurrent unit steps; alpha = dt / tau, xi ~ N(0, 1), p = r_{t-1} w_rec + u_t w_in +
// b.
enum class Convention : std::uint8_t {
    current,         // x_t = (1 - alpha) x_{t-1} + alpha p + sigma xi,  r_t = f(x_t)
    current_sde,     // the same with sigma sqrt(2 alpha) xi
    rate,            // r_t = (1 - alpha) r_{t-1} + alpha f(p + sigma sqrt(2 / alpha) xi)
    rectified_leak,  // r_t = f((1 - alpha) r_{t-1} + alpha p + sigma sqrt(2 alpha) xi)
};

// Whether the state is the current x; otherwise it is the rate r.
constexpr bool keeps_current(Convention c) {
    return c == Convention::current || c == Convention::current_sde;
}

// f; each gives its slope from its value alone, so that only rates are stored.
enum class Nonlinearity : std::uint8_t {
    tanh,
    relu,      // max(x, 0)
    softplus,  // log(1 + e^x)
    retanh,    // tanh(max(x, 0))
    relu2,     // max(x, 0)^2
    sigmoid,   // 1 / (1 + e^-x)
};

constexpr const char* name_of(Convention c) {
    constexpr const char* kNames[] = {"current", "current_sde", "rate", "rectified_leak"};
    return kNames[static_cast<int>(c)];
}
constexpr const char* name_of(Nonlinearity f) {
    constexpr const char* kNames[] = {"tanh", "relu", "softplus", "retanh", "relu2", "sigmoid"};
    return kNames[static_cast<int>(f)];
}

}  // namespace soma
