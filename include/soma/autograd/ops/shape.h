#pragma once
// Ops that move elements without computing: the gradient moves them back.
//
// All are linear with coefficients 0 or 1, so the curvature sweep (tape.h) is the gradient sweep.
// Axes may be negative, counted from the last. reshape shares its input's buffer; everything else
// copies once (kernels/copy.h). Values and gradients are the same bits for any thread count.
// Errors: Error(usage) naming the op and the shapes, before anything is recorded.

#include <initializer_list>
#include <span>

#include "soma/autograd/tape.h"

namespace soma {

// The same elements in row-major order under another shape of equal count; no copy.
Var reshape(Var x, const Shape& shape);

// y.shape()[i] == x.shape()[order[i]]; `order` is a permutation of 0..rank-1.
Var permute(Var x, std::span<const int> order);
inline Var permute(Var x, std::initializer_list<int> order) {
    return permute(x, std::span(order.begin(), order.size()));
}

// Elements [begin, end) along one axis.
Var slice(Var x, int axis, Index begin, Index end);

// The inputs one after the other along one axis; any number >= 1 of them, equal in dtype and in
// all other sizes.
Var concatenate(std::span<const Var> xs, int axis);
inline Var concatenate(std::initializer_list<Var> xs, int axis) {
    return concatenate(std::span(xs.begin(), xs.size()), axis);
}

// Inputs of one shape along a new axis: result.shape()[axis] == xs.size().
Var stack(std::span<const Var> xs, int axis);
inline Var stack(std::initializer_list<Var> xs, int axis) {
    return stack(std::span(xs.begin(), xs.size()), axis);
}

struct Padding {
    Index before = 0, after = 0;  // >= 0
};
// `value` around x; one Padding an axis.
Var pad(Var x, std::span<const Padding> padding, double value = 0);
inline Var pad(Var x, std::initializer_list<Padding> padding, double value = 0) {
    return pad(x, std::span(padding.begin(), padding.size()), value);
}

// y[(i + shift) mod n] = x[i] along one axis of size n; shift may be negative.
Var roll(Var x, int axis, Index shift);

// x repeated along its axes of size 1 and along new leading axes (NumPy's rule). The gradient sums
// over the repetitions (kernels/reduce.h).
Var broadcast_to(Var x, const Shape& shape);

}  // namespace soma
