#pragma once
// GEMM: products of row-major matrices with a fused epilogue, in a fixed order of summation.
//
//     C = act(r + bias + row_bias + residual),   r = alpha op(A) op(B) + beta C
//
//     op(A) [M, K], op(B) [K, N], C [M, N];  op(X) = X or its transpose;  lda, ldb, ldc: elements
//     between neighbouring rows as stored, at least the row length
//
// beta == 0: C is not read. alpha == 0: A and B are not read. K == 0: the product is +0. M == 0 or
// N == 0: nothing happens. C must not overlap A or B. NaN and Inf propagate as IEEE says.
//
// Order of summation (kernels.md 6.2), the same for any threads, ISA, blocking and packing:
//     s_p    one FMA chain from +0 over k = 256 p .. 256 p + 255, ascending
//     chain  r = beta == 0 ? alpha s_0 : fma(alpha, s_0, beta C);  r = fma(alpha, s_p, r), p > 0
//     tree   t = balanced tree over s_0, s_1, ...: pairs of neighbours, pairs of pairs, the rest
//            merged from the right;  r = beta == 0 ? alpha t : fma(alpha, t, beta C)
// chain makes each row of C independent of the other rows (forward passes); tree makes a sum over
// samples splittable at shard borders (gradients of parameters).
// Rounding: |r - r*| <= gamma_d |A||B| (+ 1 for alpha, beta and each addition of the epilogue),
// with d = min(K, 256) + ceil(K / 256) - 1 for chain, min(K, 256) + ceil(log2(ceil(K / 256))) for
// tree.
//
// Threads split C over rows and columns; inside a parallel region gemm is serial. Scratch: each
// thread's arena, at most the size of its L2 cache and 2 MB; arenas keep what they grew to.
// Cost: 2 M N K flop.

#include <memory>

#include "soma/core/arena.h"
#include "soma/core/types.h"
#include "soma/kernels/activation.h"
#include "soma/kernels/backend.h"

namespace soma::kernels {

enum class Op : std::uint8_t { N, T };
enum class Order : std::uint8_t { chain, tree };

// Applied to every finished element, in this order:
//     r = r + bias[j];  r = r + row_bias[i];  r = r + residual[i mod period, j];  pre = r;  act(r)
// Absent parts (nullptr) are not added. residual_period == 0: residual has M rows; otherwise its
// rows repeat: biases of each position, shared over a batch.
template <class T>
struct Epilogue {
    const T* bias = nullptr;      // [N]
    const T* row_bias = nullptr;  // [M]
    const T* residual = nullptr;  // [period or M, N]
    Index residual_ld = 0;
    Index residual_period = 0;
    Activation act = Activation::none;
    T slope = 0;       // of leaky_relu
    T* pre = nullptr;  // [M, N], second output: what act was applied to
    Index pre_ld = 0;
};

template <class T>
struct Gemm {
    Op op_a = Op::N, op_b = Op::N;
    Index m = 0, n = 0, k = 0;
    T alpha = 1;
    const T* a = nullptr;
    Index lda = 0;
    const T* b = nullptr;
    Index ldb = 0;
    T beta = 0;
    T* c = nullptr;
    Index ldc = 0;
    Order order = Order::chain;
    Epilogue<T> epilogue = {};
};

// Throws Error(usage) for a negative size, a leading dimension below the row length, a matrix that
// has no address (too large, or null though it is used) and a C that overlaps A or B, before
// anything is written. A may equal B.
template <class T>
void gemm(const Gemm<T>& g);

// `batch` products; item i uses a + i stride_a, b + i stride_b, c + i stride_c and the bits of gemm
// alone. Strides of a and b may be 0; items of C must not overlap. No pre and no residual.
template <class T>
void gemm_batched(const Gemm<T>& g, Index batch, Index stride_a, Index stride_b, Index stride_c);

// op(B) [K, N] laid out for repeated products with a constant B: recurrent weights over time,
// inference. Holds a copy; later changes of b are not seen.
template <class T>
class PackedB {
public:
    PackedB() = default;
    PackedB(Op op_b, Index k, Index n, const T* b, Index ldb);
    Index k() const { return k_; }
    Index n() const { return n_; }

private:
    template <class U>
    friend void gemm(const Gemm<U>& g, const PackedB<U>& b);

    AlignedBlock panels_;  // blocks of columns, each in blocks of k
    const void* table_ = nullptr;
    Index k_ = 0, n_ = 0;
};

// As gemm, with op(B) = b; g.op_b, g.b and g.ldb are ignored. Order chain only. Error(usage) when
// the sizes differ or the kernel table was switched since b was packed.
template <class T>
void gemm(const Gemm<T>& g, const PackedB<T>& b);

}  // namespace soma::kernels
