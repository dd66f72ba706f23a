#pragma once
// The libraries that soma is measured against, found at run time (kernels.md 18.7).
//
//     rival      product                                  convolution on NHWC
//     openblas   cblas_[sd]gemm                           -
//     blis       cblas_[sd]gemm                           -
//     mkl        cblas_[sd]gemm, batches strided          -
//     onednn     dnnl_sgemm or matmul, the faster         its primitives, the fastest (3.x)
//     libxsmm    libxsmm_[sd]gemm                         -
//
// A rival that is not there is a blank column. Work is prepared once per shape, so that a rival
// pays for plans and primitives as little as for its choice among them. Products are C = op(A)
// op(B) in row-major order, alpha 1, beta 0.

#include <functional>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "soma/kernels/conv.h"
#include "soma/kernels/gemm.h"

namespace soma::bench {

// A product, or `batch` of them at fixed distances.
template <class T>
struct Product {
    kernels::Gemm<T> gemm;
    Index batch = 1;
    Index stride_a = 0, stride_b = 0, stride_c = 0;

    kernels::Gemm<T> item(Index i) const {
        kernels::Gemm<T> g = gemm;
        g.a += i * stride_a;
        g.b += i * stride_b;
        g.c += i * stride_c;
        return g;
    }
};

enum class ConvPass { forward, data, weights };
inline constexpr ConvPass kConvPasses[] = {ConvPass::forward, ConvPass::data, ConvPass::weights};
const char* name_of(ConvPass pass);

// One pass of a convolution; the pass writes one of the three and reads the other two.
struct ConvCall {
    kernels::ConvGeometry geometry;
    ConvPass pass = ConvPass::forward;
    float *x = nullptr, *w = nullptr, *y = nullptr;
};

struct Rival {
    std::string name, version;
    // Each returns the work for one shape; an empty function, or work, where there is none.
    std::function<Work(const Product<float>&)> sgemm = {};
    std::function<Work(const Product<double>&)> dgemm = {};
    std::function<Work(const ConvCall&)> conv = {};
};

// Those found in `folders` and on the system, set to `threads` threads.
std::vector<Rival> find_rivals(const std::vector<std::string>& folders, int threads);

// The fastest of several ways to do the same, judged by the best of a few short runs; the calls
// overwrite the operands' result. Empty for no ways.
Work fastest(std::vector<Work> ways);

// Whether the work keeps to the calling thread: CPU time of the process and of the thread agree.
bool runs_on_this_thread(const Work& work);

// Keeps this process, and thread pools to come, on its first `threads` processors: libraries that
// take as many threads as there are processors then take no more.
void pin_to(int threads);

}  // namespace soma::bench
