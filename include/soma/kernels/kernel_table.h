#pragma once
// KernelTable: all kernels of one instruction set, as plain function pointers.
//
// One struct a family, declared with its contract in table/<family>.h; src/kernels/kernels.inl
// fills them, once for each ISA. Drivers (gemm.cpp, conv.cpp, ...) hold the loops and the threads
// and reach the kernels through table<T>() of dispatch.h.

#include "soma/core/types.h"
// families, in alphabetical order:
#include "soma/kernels/table/conv.h"
#include "soma/kernels/table/elementwise.h"
#include "soma/kernels/table/gated.h"
#include "soma/kernels/table/gemm.h"
#include "soma/kernels/table/lrn.h"
#include "soma/kernels/table/norm.h"
#include "soma/kernels/table/optim.h"
#include "soma/kernels/table/pool.h"
#include "soma/kernels/table/probe.h"
#include "soma/kernels/table/random.h"
#include "soma/kernels/table/reduce.h"
#include "soma/kernels/table/rnn.h"
#include "soma/kernels/table/softmax.h"
#include "soma/kernels/table/winograd.h"

namespace soma::kernels {

// The families in one element type.
template <class T>
struct TypedKernels {
    int width;  // elements in a vector
    ConvTable<T> conv;
    ElementwiseTable<T> elementwise;
    GatedTable<T> gated;
    GemmTable<T> gemm;
    LrnTable<T> lrn;
    NormTable<T> norm;
    OptimTable<T> optim;
    PoolTable<T> pool;
    ProbeTable<T> probe;
    ReduceTable<T> reduce;
    RnnTable<T> rnn;
    SoftmaxTable<T> softmax;
    WinogradTable<T> winograd;
};

struct KernelTable {
    const char* isa;  // "generic", "avx2", "avx512", "neon"
    TypedKernels<float> f32;
    TypedKernels<double> f64;
    RandomTable random;
};

}  // namespace soma::kernels
