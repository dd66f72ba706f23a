// Driver of copy_box: simplify the box, pick one of its three inner loops, and split all outer
// ones, flattened, over threads. A transposition walks tiles so that each cache line it loads on
// either side is used whole.

#include "soma/kernels/copy.h"

#include <algorithm>
#include <cstring>

#include "soma/core/parallel.h"

namespace soma::kernels {
namespace {

constexpr Index kTile = 16;           // 16 x 16 f32: 16 cache lines on either side
constexpr Index kElements = 1 << 16;  // elements worth a thread

// The same elements with fewer dimensions: no size 1, no two neighbours that one stride covers.
Box simplified(const Box& box) {
    Box out;
    for (int d = 0; d < box.rank; ++d) {
        const Box::Dim dim = box.dims[d];
        if (dim.size == 1) continue;
        if (out.rank > 0) {
            Box::Dim& outer = out.dims[out.rank - 1];
            if (outer.xs == dim.xs * dim.size && outer.ys == dim.ys * dim.size) {
                outer = {outer.size * dim.size, dim.xs, dim.ys};
                continue;
            }
        }
        out.dims[out.rank++] = dim;
    }
    if (out.rank == 0) out.add(1, 1, 1);
    return out;
}

template <Store S, class T>
void put(T* y, T x) {
    *y = S == Store::add ? *y + x : x;
}

template <Store S, class T>
void copy_run(const Box::Dim& dim, const T* __restrict x, T* __restrict y) {
    if (dim.xs == 1 && dim.ys == 1) {
        if constexpr (S == Store::overwrite) {
            std::memcpy(y, x, static_cast<std::size_t>(dim.size) * sizeof(T));
        } else {
            for (Index i = 0; i < dim.size; ++i) y[i] += x[i];
        }
        return;
    }
    for (Index i = 0; i < dim.size; ++i) put<S>(y + i * dim.ys, x[i * dim.xs]);
}

// One strip of tiles: `a` is contiguous in x and at most kTile long, `b` in y.
template <Store S, class T>
void copy_strip(const Box::Dim& a, const Box::Dim& b, const T* __restrict x, T* __restrict y) {
    for (Index j0 = 0; j0 < b.size; j0 += kTile) {
        const Index j1 = std::min(j0 + kTile, b.size);
        for (Index i = 0; i < a.size; ++i) {
            for (Index j = j0; j < j1; ++j) {
                put<S>(y + i * a.ys + j * b.ys, x[i * a.xs + j * b.xs]);
            }
        }
    }
}

// Removes and returns the dimension that is contiguous in x while the last is not; a dimension of
// size 1 when there is none.
Box::Dim take_transposed(Box& box) {
    if (box.dims[box.rank - 1].xs == 1) return {};
    for (int d = box.rank - 2; d >= 0; --d) {
        if (box.dims[d].xs != 1) continue;
        const Box::Dim found = box.dims[d];
        std::copy(box.dims + d + 1, box.dims + box.rank, box.dims + d);
        --box.rank;
        return found;
    }
    return {};
}

template <Store S, class T>
void copy_all(Box box, const T* x, T* y) {
    const Box::Dim partner = take_transposed(box);
    const Box::Dim last = box.dims[--box.rank];
    const Index strips = ceil_div(partner.size, kTile);
    Index outer = strips;
    for (int d = 0; d < box.rank; ++d) outer *= box.dims[d].size;
    const Index strip_elements = last.size * std::min(partner.size, kTile);
    parallel_for(outer, std::max<Index>(1, kElements / strip_elements),
                 [&](Index begin, Index end) {
                     for (Index o = begin; o < end; ++o) {
                         const Index i0 = o % strips * kTile;
                         Index rest = o / strips, from = i0 * partner.xs, to = i0 * partner.ys;
                         for (int d = box.rank - 1; d >= 0; --d) {
                             const Index i = rest % box.dims[d].size;
                             rest /= box.dims[d].size;
                             from += i * box.dims[d].xs;
                             to += i * box.dims[d].ys;
                         }
                         if (partner.size == 1) {
                             copy_run<S>(last, x + from, y + to);
                             continue;
                         }
                         Box::Dim strip = partner;
                         strip.size = std::min(partner.size - i0, kTile);
                         copy_strip<S>(strip, last, x + from, y + to);
                     }
                 });
}

}  // namespace

template <class T>
void copy_box(const Box& box, const T* x, T* y, Store store) {
    for (int d = 0; d < box.rank; ++d) {
        if (box.dims[d].size == 0) return;
    }
    if (store == Store::add) {
        copy_all<Store::add>(simplified(box), x, y);
    } else {
        copy_all<Store::overwrite>(simplified(box), x, y);
    }
}

template void copy_box<float>(const Box&, const float*, float*, Store);
template void copy_box<double>(const Box&, const double*, double*, Store);

}  // namespace soma::kernels
