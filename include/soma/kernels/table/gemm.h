#pragma once
// Kernel table, GEMM family: one block of C on one thread. Loops over cache blocks, threads and
// batches are in gemm.cpp.
//
//     C[i, j] = relu(r[i, j] + bias[j]),   r = the CHAIN of kernels.md 6.2 over slices of 256 k:
//     s_p  = one FMA chain from +0 over the k of slice p, ascending
//     r    = beta == 0 ? alpha s_0 : fma(alpha, s_0, beta C)
//     r    = fma(alpha, s_p, r)            for p = 1, 2, ...
//
// A is addressed as a[i a_row + k a_k], so A and its transpose cost the same. B is either the
// matrix itself, b[k ldb + j], or panels written by `pack` or `pack_transposed`: for every strip of
// 1 to 5 vectors, in ascending columns, all its k rows one after the other,
//
//     B = [ 0 1 2 3 | 4 5 6 . ]      panels = 0 1 2 3 (k = 0), 0 1 2 3 (k = 1), ...,
//          strip 0     strip 1                4 5 6 0 (k = 0), 4 5 6 0 (k = 1), ...
//
// Lanes past the last column are 0. Panels of [k, n] take k * round_up(n, width) elements.
// Entries are noexcept and allocation-free, need no alignment, and touch only what is described.

#include "soma/core/types.h"

namespace soma::kernels {

inline constexpr Index kGemmSlice = 256;  // KS: part of the numerics (kernels.md 6.2)
inline constexpr int kPackingRows = 24;   // fewest rows that pack B while they are computed
inline constexpr int kPanelVectors = 5;   // widest strip
inline constexpr int kDotRows = 8;        // most rows that GemmTable::dots takes,
inline constexpr int kFarRows = 8;        // and GemmTable::stream

// A piece of a reduction: klen values, A from offset a (steps a_k), B from offset b (steps b_k).
struct GemmSegment {
    Index a, b, klen;
};

template <class T>
struct GemmBlock {
    Index m, n, k;
    T alpha;
    const T* a;
    Index a_row, a_k;
    const T* b;
    Index ldb;  // kPanels: b points to panels of exactly [k, n]
    T beta;     // 0: C is not read
    T* c;
    Index ldc;
    const T* bias = nullptr;  // [n]; nullptr: none
    bool relu = false;
    bool far_c = false;  // C is not in L1 or L2: it is prefetched
    // Room for the panel of one strip, kPanelVectors vectors a k, or nullptr: every strip of B is
    // packed here, used by all rows, and overwritten by the next. m >= kPackingRows unless
    // b_transposed (b[n, k], row stride ldb).
    T* panel = nullptr;
    bool b_transposed = false;

    static constexpr Index kPanels = -1;
};

template <class T>
struct GemmTable {
    void (*block)(const GemmBlock<T>& g) noexcept;
    // As block for m <= kDotRows with B stored transposed and read in place, b[j ldb + k].
    void (*dots)(const GemmBlock<T>& g) noexcept;
    // As block for m <= kFarRows, k >= 1 and B read in place, row after row; `sums` holds
    // m * round_up(n, width) elements.
    void (*stream)(const GemmBlock<T>& g, T* sums) noexcept;
    // Panels of B[k, n], stored as b[k, n] with row stride ldb, or as b[n, k].
    void (*pack)(Index k, Index n, const T* b, Index ldb, T* panels) noexcept;
    void (*pack_transposed)(Index k, Index n, const T* b, Index ldb, T* panels) noexcept;
    // y[j ldy + i] = x[i ldx + j] for i < m, j < n. Rows of y are written up to round_up(m, width),
    // with zeros after m.
    void (*transpose)(Index m, Index n, const T* x, Index ldx, T* y, Index ldy) noexcept;
    // y = beta == 0 ? alpha x : fma(alpha, x, beta y) on [m, n]: one merge of TREE.
    void (*combine)(Index m, Index n, T alpha, const T* x, Index ldx, T beta, T* y,
                    Index ldy) noexcept;
};

}  // namespace soma::kernels
