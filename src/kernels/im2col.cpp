// im2col: the matrix whose product with the weights is the convolution.
//
// The product path never builds it; tests prove with it that convolution equals im2col + GEMM bit
// for bit (kernels.md 6.2), and backends without a direct convolution may use it.

#include "soma/kernels/conv.h"

namespace soma::kernels {

template <class T>
void im2col(const ConvGeometry& g, Index group, const T* x, T* columns) {
    const Index c0 = group * g.group_c();
    for (Index n = 0; n < g.n; ++n) {
        for (Index pixel = 0; pixel < g.oh() * g.ow(); ++pixel) {
            for (Index tap = 0; tap < g.kh * g.kw; ++tap) {
                const Index ih =
                    pixel / g.ow() * g.stride_h + tap / g.kw * g.dilation_h - g.pad_top;
                const Index iw =
                    pixel % g.ow() * g.stride_w + tap % g.kw * g.dilation_w - g.pad_left;
                const bool inside = ih >= 0 && ih < g.h && iw >= 0 && iw < g.w;
                const T* source = x + ((n * g.h + ih) * g.w + iw) * g.c + c0;
                for (Index c = 0; c < g.group_c(); ++c) {
                    *columns++ = inside ? source[c] : static_cast<T>(g.pad_value);
                }
            }
        }
    }
}

template void im2col(const ConvGeometry&, Index, const float*, float*);
template void im2col(const ConvGeometry&, Index, const double*, double*);

}  // namespace soma::kernels
