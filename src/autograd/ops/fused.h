#pragma once
// What the fused ops (linear, conv2d) share: op(x, w) + bias, then an activation.
//
// Their two sweeps are one function. The gradient carries dy f'(y) and the operands as they are;
// the curvature carries h_y f'^2 and the squares of the operands (tape.h).

#include "soma/autograd/tape.h"
#include "soma/kernels/activation.h"
#include "soma/kernels/elementwise.h"

namespace soma::fused {

enum class Sweep { gradient, curvature };

// Part of an op's saved record.
struct SavedActivation {
    Activation kind = Activation::none;
    double slope = 0;           // of leaky ReLU
    const void* pre = nullptr;  // the pre-activation, where f' is not a function of y
};

// a = dy f'(y), or h_y f'^2: in scratch, or dy itself without an activation.
template <class T>
const T* through_activation(ScratchScope& scratch, Sweep sweep, const Node& node,
                            const SavedActivation& f) {
    if (f.kind == Activation::none) return node.dy<T>();
    const Index n = node.shape.count();
    const T* saved = f.pre != nullptr ? static_cast<const T*>(f.pre) : node.y<T>();
    T* a = scratch.array<T>(n);
    const auto kernel = sweep == Sweep::gradient ? kernels::activation_backward<T>
                                                 : kernels::activation_curvature<T>;
    kernel(f.kind, static_cast<T>(f.slope), n, saved, node.dy<T>(), false, a);
    return a;
}

// n elements of an operand as they are, or their squares in scratch.
template <class T>
const T* operand(ScratchScope& scratch, Sweep sweep, Index n, const T* x) {
    if (sweep == Sweep::gradient) return x;
    T* squares = scratch.array<T>(n);
    kernels::unary(kernels::Unary::square, n, x, squares);
    return squares;
}

}  // namespace soma::fused
