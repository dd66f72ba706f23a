#pragma once
// Kernel table, optimizer family: one pass over flat arrays of n elements.
//
// The formulas are written term by term because the order of operations is part of the bits; every
// `a b + c` in one pair of fma() is one rounding, everything else one rounding an operation:
//
//     g = scale * gradient, then g = fma(decay, w, g)      loss scale, clipping; L2 decay
//
// Scalars are computed once by the caller in f64 and rounded to T. Arrays do not overlap.
// Entries are noexcept. Traffic in f32: sgd 12, momentum 20, adam 28 bytes an element.

#include "soma/core/types.h"

namespace soma::kernels {

enum class MomentumForm : std::uint8_t {
    classic,   // v = fma(mu, v, g);                      w = fma(-rate, v, w)
    nesterov,  // v = fma(mu, v, g);                      w = fma(-rate, fma(mu, v, g), w)
    alexnet,   // v = fma(mu, v, -(rate g));              w = w + v      (decay inside, 2012)
};

// rate: of this step; scale: of the stored gradient; decay: added to the gradient as decay * w.
template <class T>
struct SgdStep {
    T rate, scale = 1, decay = 0;
};
template <class T>
struct MomentumStep {
    T rate, scale = 1, decay = 0, mu = 0;
    MomentumForm form = MomentumForm::classic;
};
// s = fma(rho, s, (1 - rho) (g g)); w = fma(-rate, g / (sqrt(s) + eps), w)
template <class T>
struct RmspropStep {
    T rate, scale = 1, decay = 0, rho, one_minus_rho, eps;
};
// s = fma(rho, s, (1 - rho) (g g)); d = sqrt(u + eps) / sqrt(s + eps) g;
// u = fma(rho, u, (1 - rho) (d d)); w = fma(-rate, d, w)
template <class T>
struct AdadeltaStep {
    T rate, scale = 1, decay = 0, rho, one_minus_rho, eps;
};
// m = fma(beta1, m, (1 - beta1) g); v = fma(beta2, v, (1 - beta2) (g g));
// w = fma(-shrink, w, w); w = fma(-rate, m / fma(sqrt(v), root, eps), w)
// with the bias corrections in the scalars: rate = lr / (1 - beta1^t),
// root = 1 / sqrt(1 - beta2^t); shrink = lr * decoupled decay (AdamW), 0 for Adam.
template <class T>
struct AdamStep {
    T rate, scale = 1, decay = 0, beta1, one_minus_beta1, beta2, one_minus_beta2, root, eps,
            shrink = 0;
};

template <class T>
struct OptimTable {
    // w = fma(-rate, g, w)
    void (*sgd)(const SgdStep<T>& s, Index n, const T* gradient, T* w) noexcept;
    void (*momentum)(const MomentumStep<T>& s, Index n, const T* gradient, T* w, T* v) noexcept;
    void (*rmsprop)(const RmspropStep<T>& s, Index n, const T* gradient, T* w, T* square) noexcept;
    void (*adadelta)(const AdadeltaStep<T>& s, Index n, const T* gradient, T* w, T* square,
                     T* change) noexcept;
    void (*adam)(const AdamStep<T>& s, Index n, const T* gradient, T* w, T* m, T* v) noexcept;
    // w = fma(-(rate eta_k), g, w): a step size of its own for every weight (diagonal curvature).
    void (*per_weight)(const SgdStep<T>& s, Index n, const T* eta, const T* gradient,
                       T* w) noexcept;
    // average = fma(rate, w - average, average)
    void (*ema)(Index n, T rate, const T* w, T* average) noexcept;
};

}  // namespace soma::kernels
