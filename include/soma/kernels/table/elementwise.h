#pragma once
// Kernel table, elementwise family: contiguous arrays of n elements, one thread, one ISA.
//
// Every entry is noexcept and allocation-free, allows n == 0 and exact overlap of its output with
// an input (in place), and reads or writes nothing outside its arrays. Each output element depends
// on the elements at its own position only, so any split of n gives the same bits.
// `accumulate`: false writes the result, true adds it to what is there with one further rounding.
// A step of 0 makes one of two operands a scalar that is read once, 1 an array.
// Traffic: 4 or 8 bytes per element for every array named, once.

#include "soma/core/types.h"
#include "soma/kernels/activation.h"

namespace soma::kernels {

enum class Unary : std::uint8_t { neg, abs, square, sqrt, exp, log, sin, cos, erf };
enum class Binary : std::uint8_t { add, sub, mul, div, max, min };

template <class T>
struct ElementwiseTable {
    // y = f(x); accuracy of each f in vmath.h.
    void (*unary)(Unary f, Index n, const T* x, T* y) noexcept;
    // dx (+)= dy f'(x); y = f(x) is given as well.
    void (*unary_backward)(Unary f, Index n, const T* x, const T* y, const T* dy, bool accumulate,
                           T* dx) noexcept;
    // y = f(x). slope: of leaky_relu.
    void (*activation)(Activation f, T slope, Index n, const T* x, T* y) noexcept;
    // dx (+)= dy f'; `saved` is x for gelu, gelu_tanh, silu and softplus, y for the others.
    void (*activation_backward)(Activation f, T slope, Index n, const T* saved, const T* dy,
                                bool accumulate, T* dx) noexcept;
    // hx (+)= hy f'^2; `saved` as above.
    void (*activation_curvature)(Activation f, T slope, Index n, const T* saved, const T* hy,
                                 bool accumulate, T* hx) noexcept;

    // y = f(a, b). max(a, b) = a > b ? a : b, min(a, b) = a < b ? a : b.
    void (*binary)(Binary f, Index n, const T* a, Index a_step, const T* b, Index b_step,
                   T* y) noexcept;
    // d (+)= dy df/da (side 0) or dy df/db (side 1).
    void (*binary_backward)(Binary f, int side, Index n, const T* dy, const T* a, Index a_step,
                            const T* b, Index b_step, bool accumulate, T* d) noexcept;

    void (*fill)(Index n, T value, T* y) noexcept;
    void (*scale)(Index n, T a, const T* x, T* y) noexcept;                   // y = a x
    void (*shift)(Index n, T b, const T* x, T* y) noexcept;                   // y = x + b
    void (*affine)(Index n, T a, T b, const T* x, T* y) noexcept;             // y = fma(a, x, b)
    void (*axpy)(Index n, T a, const T* x, T* y) noexcept;                    // y = fma(a, x, y)
    void (*axpby)(Index n, T a, const T* x, T b, T* y) noexcept;              // y = fma(a, x, b y)
    void (*fma)(Index n, const T* a, const T* b, const T* c, T* y) noexcept;  // y = fma(a, b, c)
    // y = x < low ? low : x > high ? high : x; NaN passes.
    void (*clip)(Index n, T low, T high, const T* x, T* y) noexcept;
    // dx (+)= low <= x <= high ? dy : 0.
    void (*clip_backward)(Index n, T low, T high, const T* x, const T* dy, bool accumulate,
                          T* dx) noexcept;
    // y = mask != 0 ? a : b.
    void (*where)(Index n, const T* mask, const T* a, const T* b, T* y) noexcept;
    // d (+)= (mask != 0) == (side == 0) ? dy : 0.
    void (*where_backward)(int side, Index n, const T* mask, const T* dy, bool accumulate,
                           T* d) noexcept;
};

}  // namespace soma::kernels
