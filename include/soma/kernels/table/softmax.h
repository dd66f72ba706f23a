#pragma once
// Kernel table, softmax family: rows of a contiguous [rows, cols] matrix, one thread, one ISA.
//
// Per row: m = max x; e = exp(x - m); s = LANES16 sum of e; one division 1 / s (kernels.md 10).
// exp and log are vmath's. A row depends on itself alone, so any split of rows gives the same bits.
// Entries are noexcept and allocation-free; cols >= 1. `accumulate`: false writes dx, true adds.
// A row holding NaN or +Inf, or nothing but -Inf, gives NaN.
// Traffic: reads x once from memory and twice from cache, writes y once.

#include "soma/core/types.h"

namespace soma::kernels {

// What cross-entropy compares each row with; exactly one of labels and targets is set.
template <class T>
struct CrossEntropyTargets {
    const std::int32_t* labels = nullptr;  // [rows], each in [0, cols)
    const T* targets = nullptr;            // [rows, cols], usually rows that sum to 1
    const float* weights = nullptr;        // [rows]; nullptr: all 1
    double smoothing = 0;                  // with labels: target (1 - a) onehot + a / cols
};

template <class T>
struct SoftmaxTable {
    // y = e / s. y may be x.
    void (*softmax)(Index rows, Index cols, const T* x, T* y) noexcept;
    // y = (x - m) - log s. y may be x.
    void (*log_softmax)(Index rows, Index cols, const T* x, T* y) noexcept;
    // dx (+)= y (dy - LANES16 dot(dy, y)).
    void (*softmax_backward)(Index rows, Index cols, const T* y, const T* dy, bool accumulate,
                             T* dx) noexcept;
    // dx (+)= dy - exp(y) LANES16 sum(dy).
    void (*log_softmax_backward)(Index rows, Index cols, const T* y, const T* dy, bool accumulate,
                                 T* dx) noexcept;
    // With z = x - m, target row q and weight w:
    //     losses[r] = sum(q) log s - q . z          (q = onehot: log s - z[label])
    //     dx = w (e sum(q) / s - q)                 (dx == nullptr: not computed)
    // A row of weight 0 is padding: loss 0 and dx 0 whatever it holds. losses are unweighted
    // otherwise, in T.
    void (*cross_entropy)(Index rows, Index cols, const T* x, const CrossEntropyTargets<T>& target,
                          T* losses, T* dx) noexcept;
};

}  // namespace soma::kernels
