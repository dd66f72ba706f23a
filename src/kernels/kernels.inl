// All kernel families of one ISA, and the table that holds them.
// Included by isa/<isa>.cpp inside an anonymous namespace, after vec/<isa>.h.
//
// A family x is: include/soma/kernels/table/x.h  the contract, a plain struct of function pointers
//                src/kernels/x.inl               the kernels, templates on the vector type V
//                one include and one line below
// Families may use those included above them (vmath before all that need exp).

// The order below is the order of use.
// clang-format off
#include "kernels/gemm_ukernel.inl"
#include "kernels/gemm_pack.inl"
#include "kernels/gemm_dots.inl"
#include "kernels/gemm_stream.inl"
#include "kernels/gemm_block.inl"
#include "kernels/probe.inl"
#include "kernels/lanes.inl"
#include "kernels/vmath_tables.inl"
#include "kernels/vmath.inl"
#include "kernels/elementwise.inl"
#include "kernels/reduce.inl"
#include "kernels/random.inl"
#include "kernels/optim_update.inl"
#include "kernels/row_walk.inl"
#include "kernels/channels.inl"
#include "kernels/pool.inl"
#include "kernels/conv_block.inl"
#include "kernels/conv_backward.inl"
#include "kernels/depthwise.inl"
#include "kernels/conv_interleave.inl"
#include "kernels/winograd.inl"
#include "kernels/norm.inl"
#include "kernels/softmax.inl"
#include "kernels/lrn.inl"
#include "kernels/rnn.inl"
#include "kernels/gated.inl"
// clang-format on

template <class V>
constexpr TypedKernels<typename V::Scalar> typed_kernels() {
    TypedKernels<typename V::Scalar> t{};
    t.width = V::kWidth;
    t.gemm = gemm_table<V>();
    t.probe = probe_table<V>();
    t.elementwise = elementwise_table<V>();
    t.reduce = reduce_table<V>();
    t.optim = optim_table<V>();
    t.conv = conv_table<V>();
    t.pool = pool_table<V>();
    t.norm = norm_table<V>();
    t.lrn = lrn_table<V>();
    t.softmax = softmax_table<V>();
    t.rnn = rnn_table<V>();
    t.gated = gated_table<V>();
    t.winograd = winograd_table<V>();
    return t;
}

constexpr KernelTable kTable{kIsa, typed_kernels<VecF>(), typed_kernels<VecD>(), random_table()};
