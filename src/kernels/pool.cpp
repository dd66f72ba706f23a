// Pooling: geometry checks and threads; the arithmetic is in pool.inl.
//
// Forward splits output rows over threads; backward splits images, because windows may overlap.

#include "soma/kernels/pool.h"

#include <algorithm>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {

void check_geometry(const char* op, const PoolGeometry& g) {
    const auto pair = [](Index a, Index b) { return concat("[", a, ", ", b, "]"); };
    SOMA_CHECK(g.n >= 0 && g.h >= 1 && g.w >= 1 && g.c >= 1, op, ": x is [", g.n, ", ", g.h, ", ",
               g.w, ", ", g.c, "]; need at least one pixel and one channel");
    SOMA_CHECK(g.kh >= 1 && g.kw >= 1, op, ": window is ", pair(g.kh, g.kw), "; need at least 1");
    SOMA_CHECK(g.stride_h >= 1 && g.stride_w >= 1, op, ": stride is ", pair(g.stride_h, g.stride_w),
               "; need at least 1");
    SOMA_CHECK(
        std::min({g.pad_top, g.pad_bottom, g.pad_left, g.pad_right}) >= 0 &&
            std::max(g.pad_top, g.pad_bottom) < g.kh && std::max(g.pad_left, g.pad_right) < g.kw,
        op, ": padding is [", g.pad_top, ", ", g.pad_bottom, ", ", g.pad_left, ", ", g.pad_right,
        "], window is ", pair(g.kh, g.kw), "; need 0 <= padding < window on every side");
    const Index full_h = g.h + g.pad_top + g.pad_bottom, full_w = g.w + g.pad_left + g.pad_right;
    SOMA_CHECK(g.kh <= full_h && g.kw <= full_w, op, ": window is ", pair(g.kh, g.kw),
               ", the padded image is ", pair(full_h, full_w), "; need a window that fits");
}

namespace {

constexpr Index kGrain = 1 << 15;  // window elements worth a thread

PoolWindow window_of(const PoolGeometry& g, bool count_padding) {
    return {g.h,  g.w,        g.c,        g.oh(),    g.ow(),     g.kh,
            g.kw, g.stride_h, g.stride_w, g.pad_top, g.pad_left, count_padding};
}

// Calls rows(image, begin, end) on pieces of the flattened (n, oh) rows, over threads.
template <class F>
void for_each_image_rows(const PoolGeometry& g, F&& rows) {
    const Index oh = g.oh(), row_work = g.ow() * g.c * g.kh * g.kw;
    parallel_for(g.n * oh, std::max<Index>(1, kGrain / row_work), [&](Index begin, Index end) {
        while (begin < end) {
            const Index image = begin / oh, stop = std::min(end, (image + 1) * oh);
            rows(image, begin - image * oh, stop - image * oh);
            begin = stop;
        }
    });
}

// Calls image(x, y) with each image's offsets into x and y, over threads.
template <class F>
void for_each_image(const PoolGeometry& g, F&& image) {
    if (g.n == 0) return;
    const Index x = g.x_count() / g.n, y = g.y_count() / g.n;
    parallel_for(g.n, std::max<Index>(1, kGrain / (y * g.kh * g.kw)), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) image(i * x, i * y);
    });
}

template <class T>
void scatter_maxima(const PoolWindow& p, const T* dy, const std::uint8_t* argmax, T* dx) {
    for (Index oh = 0; oh < p.oh; ++oh) {
        for (Index ow = 0; ow < p.ow; ++ow, dy += p.c, argmax += p.c) {
            const Index corner = (oh * p.stride_h - p.pad_top) * p.w + ow * p.stride_w - p.pad_left;
            for (Index c = 0; c < p.c; ++c) {
                const Index tap = argmax[c];
                dx[(corner + tap / p.kw * p.w + tap % p.kw) * p.c + c] += dy[c];
            }
        }
    }
}

}  // namespace

template <class T>
void max_pool2d(const PoolGeometry& g, const T* x, T* y, std::uint8_t* argmax) {
    const PoolWindow p = window_of(g, false);
    for_each_image_rows(g, [&](Index image, Index begin, Index end) {
        const Index out = image * p.oh * p.ow * p.c;
        table<T>().pool.max_rows(p, begin, end, x + image * p.h * p.w * p.c, y + out,
                                 argmax == nullptr ? nullptr : argmax + out);
    });
}

template <class T>
void max_pool2d_backward(const PoolGeometry& g, const T* dy, const std::uint8_t* argmax,
                         bool accumulate, T* dx) {
    const PoolWindow p = window_of(g, false);
    for_each_image(g, [&](Index ix, Index iy) {
        if (!accumulate) std::fill_n(dx + ix, p.h * p.w * p.c, T{0});
        scatter_maxima(p, dy + iy, argmax + iy, dx + ix);
    });
}

template <class T>
void avg_pool2d(const PoolGeometry& g, bool count_padding, const T* x, T* y) {
    const PoolWindow p = window_of(g, count_padding);
    for_each_image_rows(g, [&](Index image, Index begin, Index end) {
        table<T>().pool.avg_rows(p, begin, end, x + image * p.h * p.w * p.c,
                                 y + image * p.oh * p.ow * p.c);
    });
}

template <class T>
void avg_pool2d_backward(const PoolGeometry& g, bool count_padding, int power, const T* dy,
                         bool accumulate, T* dx) {
    const PoolWindow p = window_of(g, count_padding);
    for_each_image(g, [&](Index ix, Index iy) {
        if (!accumulate) std::fill_n(dx + ix, p.h * p.w * p.c, T{0});
        table<T>().pool.avg_backward(p, power, dy + iy, dx + ix);
    });
}

#define SOMA_INSTANTIATE(T)                                                                     \
    template void max_pool2d(const PoolGeometry&, const T*, T*, std::uint8_t*);                 \
    template void max_pool2d_backward(const PoolGeometry&, const T*, const std::uint8_t*, bool, \
                                      T*);                                                      \
    template void avg_pool2d(const PoolGeometry&, bool, const T*, T*);                          \
    template void avg_pool2d_backward(const PoolGeometry&, bool, int, const T*, bool, T*);
SOMA_INSTANTIATE(float)
SOMA_INSTANTIATE(double)
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
