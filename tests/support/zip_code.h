#pragma once
// The two convolutions of the 1989 digit network: the small shapes that latency is judged by.

#include "soma/kernels/conv.h"

namespace soma::test {

inline kernels::ConvGeometry zip_code_h1(Index n) {
    return {.n = n,
            .h = 16,
            .w = 16,
            .c = 1,
            .kh = 5,
            .kw = 5,
            .oc = 12,
            .stride_h = 2,
            .stride_w = 2,
            .pad_top = 2,
            .pad_bottom = 2,
            .pad_left = 2,
            .pad_right = 2,
            .pad_value = -1};
}

inline kernels::ConvGeometry zip_code_h2(Index n) {
    kernels::ConvGeometry g = zip_code_h1(n);
    g.h = g.w = 8;
    g.c = 12;
    return g;
}

}  // namespace soma::test
