#pragma once
// Kernel table, Winograd family: the three transforms of F(m x m, 3 x 3), m = 2 or 4, on one block
// of tiles. Between them stand e^2 products through GemmTable::block, e = m + 2.
//
//     weights    U[p] [C, OC]       p = (i, j):  U = G g G^T       for every pair (c, o)
//     input      V[p] [tiles, C]                 V = B^T d B       for every tile and c
//     products   M[p] [tiles, OC] = V[p] U[p]                      GemmTable::block
//     output     y [m, m, OC]                    y = A^T M A       for every tile and o
//
// A tile is a list of pixel addresses, so that padding and the edges of an image cost the kernels
// nothing: padding is a shared row of the pad value, a pixel outside the output is nullptr.
// U[p], V[p], M[p] begin `step` elements after one another. Entries are noexcept and
// allocation-free.

#include "soma/core/types.h"

namespace soma::kernels {

template <class T>
struct WinogradTable {
    // Rows [first, last) of U as panels of [c, oc] (table/gemm.h), from w [3, 3, c, oc].
    void (*weights)(int m, Index c, Index oc, Index first, Index last, const T* w, T* u,
                    Index step) noexcept;
    // pixels: e^2 addresses a tile, row by row, of c values each.
    void (*input)(int m, Index tiles, Index c, const T* const* pixels, T* v, Index step) noexcept;
    // pixels: m^2 addresses a tile; t = y, then, each when asked for, t = what stood there + t,
    // t = t + bias[o], t = relu(t).
    void (*output)(int m, Index tiles, Index oc, const T* products, Index step, const T* bias,
                   bool relu, bool accumulate, T* const* pixels) noexcept;
};

}  // namespace soma::kernels
