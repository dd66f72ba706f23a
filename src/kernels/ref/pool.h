#pragma once
// Reference pooling: the definition as plain loops, sums in a wider type. See soma/kernels/pool.h.

#include <algorithm>
#include <vector>

#include "soma/kernels/pool.h"

namespace soma::kernels::ref {

// Calls f(y, x, tap) for every tap inside the image of every window: y and x are element indices.
template <class F>
void for_each_pool_tap(const PoolGeometry& g, F&& f) {
    Index y = 0;
    for (Index n = 0; n < g.n; ++n)
        for (Index oh = 0; oh < g.oh(); ++oh)
            for (Index ow = 0; ow < g.ow(); ++ow)
                for (Index c = 0; c < g.c; ++c, ++y)
                    for (Index tap = 0; tap < g.kh * g.kw; ++tap) {
                        const Index ih = oh * g.stride_h + tap / g.kw - g.pad_top;
                        const Index iw = ow * g.stride_w + tap % g.kw - g.pad_left;
                        if (ih < 0 || ih >= g.h || iw < 0 || iw >= g.w) continue;
                        f(y, ((n * g.h + ih) * g.w + iw) * g.c + c, tap);
                    }
}

template <class T>
void max_pool2d(const PoolGeometry& g, const T* x, T* y, std::uint8_t* argmax) {
    Index last = -1;
    for_each_pool_tap(g, [&](Index iy, Index ix, Index tap) {
        const bool first = iy != last;
        last = iy;
        if (!first && !(x[ix] > y[iy]) && x[ix] == x[ix]) return;
        if (!first && y[iy] != y[iy]) return;
        y[iy] = x[ix];
        argmax[iy] = static_cast<std::uint8_t>(tap);
    });
}

template <class T>
void avg_pool2d(const PoolGeometry& g, bool count_padding, const T* x, double* y) {
    std::fill_n(y, g.y_count(), 0.0);
    for_each_pool_tap(g, [&](Index iy, Index ix, Index) { y[iy] += static_cast<double>(x[ix]); });
    std::vector<Index> inside(static_cast<std::size_t>(g.y_count()), 0);
    for_each_pool_tap(g, [&](Index iy, Index, Index) { ++inside[static_cast<std::size_t>(iy)]; });
    for (Index i = 0; i < g.y_count(); ++i) {
        y[i] /=
            static_cast<double>(count_padding ? g.kh * g.kw : inside[static_cast<std::size_t>(i)]);
    }
}

}  // namespace soma::kernels::ref
