#pragma once
// Reference convolution: the definition of conv2d and of its two backward passes as plain loops.
//
// Slow, obvious, and accumulated in a wider type (double for f32, long double for f64): the
// specification the kernels are tested against. Legend and formulas: soma/kernels/conv.h.

#include <type_traits>

#include "soma/kernels/conv.h"

namespace soma::kernels::ref {

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;

// Calls f(n, oh, ow, ih, iw, kh, kw) for every tap of every output pixel; (ih, iw) may lie outside
// the image, where the input is pad_value.
template <class F>
void for_each_tap(const ConvGeometry& g, F&& f) {
    for (Index n = 0; n < g.n; ++n)
        for (Index oh = 0; oh < g.oh(); ++oh)
            for (Index ow = 0; ow < g.ow(); ++ow)
                for (Index kh = 0; kh < g.kh; ++kh)
                    for (Index kw = 0; kw < g.kw; ++kw)
                        f(n, oh, ow, oh * g.stride_h + kh * g.dilation_h - g.pad_top,
                          ow * g.stride_w + kw * g.dilation_w - g.pad_left, kh, kw);
}

// Indices into the four arrays, and the input as the taps see it.
template <class T>
struct ConvView {
    const ConvGeometry& g;

    bool inside(Index ih, Index iw) const { return ih >= 0 && ih < g.h && iw >= 0 && iw < g.w; }
    Index x(Index n, Index ih, Index iw, Index c) const {
        return ((n * g.h + ih) * g.w + iw) * g.c + c;
    }
    Index y(Index n, Index oh, Index ow, Index o) const {
        return ((n * g.oh() + oh) * g.ow() + ow) * g.oc + o;
    }
    Index w(Index kh, Index kw, Index c, Index o) const {
        return ((kh * g.kw + kw) * g.group_c() + c) * g.oc + o;
    }
    Wide<T> input(const T* data, Index n, Index ih, Index iw, Index c) const {
        return inside(ih, iw) ? Wide<T>(data[x(n, ih, iw, c)]) : Wide<T>(T(g.pad_value));
    }
};

// Calls f(c, o, ci) for every connected pair: c input channel, o output channel, ci index of c
// within its group.
template <class F>
void for_each_channel_pair(const ConvGeometry& g, F&& f) {
    for (Index group = 0; group < g.groups; ++group)
        for (Index ci = 0; ci < g.group_c(); ++ci)
            for (Index oi = 0; oi < g.group_oc(); ++oi)
                f(group * g.group_c() + ci, group * g.group_oc() + oi, ci);
}

// sum[n, oh, ow, o] = sum over taps and channels of x w, without bias or activation.
template <class T>
void conv2d(const ConvGeometry& g, const T* x, const T* w, Wide<T>* sum) {
    const ConvView<T> at{g};
    for (Index i = 0; i < g.n * g.oh() * g.ow() * g.oc; ++i) sum[i] = 0;
    for_each_tap(g, [&](Index n, Index oh, Index ow, Index ih, Index iw, Index kh, Index kw) {
        for_each_channel_pair(g, [&](Index c, Index o, Index ci) {
            sum[at.y(n, oh, ow, o)] += at.input(x, n, ih, iw, c) * Wide<T>(w[at.w(kh, kw, ci, o)]);
        });
    });
}

// dx[n, ih, iw, c] = sum over the taps that read it of dy w; what falls on padding is dropped.
template <class T>
void conv2d_backward_data(const ConvGeometry& g, const T* dy, const T* w, Wide<T>* dx) {
    const ConvView<T> at{g};
    for (Index i = 0; i < g.n * g.h * g.w * g.c; ++i) dx[i] = 0;
    for_each_tap(g, [&](Index n, Index oh, Index ow, Index ih, Index iw, Index kh, Index kw) {
        if (!at.inside(ih, iw)) return;
        for_each_channel_pair(g, [&](Index c, Index o, Index ci) {
            dx[at.x(n, ih, iw, c)] +=
                Wide<T>(dy[at.y(n, oh, ow, o)]) * Wide<T>(w[at.w(kh, kw, ci, o)]);
        });
    });
}

// dw[kh, kw, ci, o] = sum over pixels of x dy; padding contributes pad_value * dy.
template <class T>
void conv2d_backward_weights(const ConvGeometry& g, const T* x, const T* dy, Wide<T>* dw) {
    const ConvView<T> at{g};
    for (Index i = 0; i < g.weight_count(); ++i) dw[i] = 0;
    for_each_tap(g, [&](Index n, Index oh, Index ow, Index ih, Index iw, Index kh, Index kw) {
        for_each_channel_pair(g, [&](Index c, Index o, Index ci) {
            dw[at.w(kh, kw, ci, o)] += at.input(x, n, ih, iw, c) * Wide<T>(dy[at.y(n, oh, ow, o)]);
        });
    });
}

}  // namespace soma::kernels::ref
