#pragma once
// Elementwise kernels over whole arrays: the entries of table/elementwise.h, split over threads.
//
// Formulas, aliasing (in place allowed) and the meaning of `accumulate` stand in the table header.
// T is float or double. Binary functions broadcast by NumPy's rule.

#include <span>

#include "soma/kernels/table/elementwise.h"

namespace soma::kernels {

// The loops of y = f(a, b) under broadcasting, y contiguous. Neighbouring axes that repeat the same
// operand (or none) are merged and axes of size 1 dropped, so a bias row or a column of factors is
// two loops and nearly everything is at most three:
//     a [8, 4, 3], b [4, 3]      ->  8 x 12, b repeats on the outer loop
//     a [8, 4, 3], b [8, 1, 1]   ->  8 x 12, b repeats on the inner loop
// The innermost loop is a kernel call on steps 0 or 1.
struct Broadcast {
    struct Loop {
        Index size;
        Index a_stride, b_stride;  // in elements; 0 on a repeated axis
    };
    static constexpr int kMaxLoops = 8;

    // Sizes must agree or be 1 after aligning the last axes (checked by the caller).
    Broadcast(std::span<const Index> a, std::span<const Index> b);
    // Two equal shapes, or plain arrays, of n elements.
    explicit Broadcast(Index n) : count(n) { loops[0] = {n, 1, 1}; }

    Index count = 1;     // elements of y
    int loop_count = 1;  // outermost first; always at least one
    Loop loops[kMaxLoops];

    bool repeats(int side) const;  // does operand 0 (a) or 1 (b) occur more than once?
};

// y = a + b on the calling thread alone: for sums that are folded beside other work (dist).
template <class T>
void add(T* y, const T* a, const T* b, Index n);
template <class T>
void binary(Binary f, const Broadcast& loops, const T* a, const T* b, T* y);
// d (+)= the gradient of operand `side`, summed over the axes on which it repeats (LANES16 along
// the last axis, else TREE; reduce.h).
template <class T>
void binary_backward(Binary f, int side, const Broadcast& loops, const T* dy, const T* a,
                     const T* b, bool accumulate, T* d);
// y (+)= alpha * x summed over the axes on which operand `side` repeats; x has loops.count
// elements.
template <class T>
void sum_repeated(int side, const Broadcast& loops, const T* x, T alpha, T* y, bool accumulate);

template <class T>
void unary(Unary f, Index n, const T* x, T* y);
template <class T>
void unary_backward(Unary f, Index n, const T* x, const T* y, const T* dy, bool accumulate, T* dx);
template <class T>
void activation(Activation f, T slope, Index n, const T* x, T* y);
template <class T>
void activation_backward(Activation f, T slope, Index n, const T* saved, const T* dy,
                         bool accumulate, T* dx);
template <class T>
void activation_curvature(Activation f, T slope, Index n, const T* saved, const T* hy,
                          bool accumulate, T* hx);

template <class T>
void fill(Index n, T value, T* y);
template <class T>
void scale(Index n, T a, const T* x, T* y);
template <class T>
void shift(Index n, T b, const T* x, T* y);
template <class T>
void axpy(Index n, T a, const T* x, T* y);
template <class T>
void axpby(Index n, T a, const T* x, T b, T* y);
template <class T>
void fma(Index n, const T* a, const T* b, const T* c, T* y);
template <class T>
void clip(Index n, T low, T high, const T* x, T* y);
template <class T>
void clip_backward(Index n, T low, T high, const T* x, const T* dy, bool accumulate, T* dx);
template <class T>
void where(Index n, const T* mask, const T* a, const T* b, T* y);
template <class T>
void where_backward(int side, Index n, const T* mask, const T* dy, bool accumulate, T* d);
// y = x^p (soma::pow in autograd/ops/math.h states the semantics), one thread.
template <class T>
void pow(Index n, double p, const T* x, T* y);

}  // namespace soma::kernels
