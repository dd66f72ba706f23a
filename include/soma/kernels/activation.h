#pragma once
// The activation functions that kernels can fuse. Plain data: ISA units include it.

#include <cstdint>

namespace soma {

enum class Activation : std::uint8_t {
    none,
    relu,        // x > 0 ? x : 0 (NaN passes)
    leaky_relu,  // x < 0 ? slope x : x
    tanh,
    scaled_tanh,  // 1.7159 tanh(2 x / 3): LeCun 1989
    sigmoid,
    gelu,       // x Phi(x), by erf
    gelu_tanh,  // its tanh approximation
    silu,       // x sigmoid(x)
    softplus,   // log(1 + e^x)
};

// Whether the derivative needs the pre-activation; the others differentiate from the output alone.
constexpr bool needs_pre_activation(Activation a) {
    return a == Activation::gelu || a == Activation::gelu_tanh || a == Activation::silu ||
           a == Activation::softplus;
}

}  // namespace soma
