// Rung 11: bias and ReLU while the tile is still in registers.
//
//     C = max(0, A B + bias)
//
//     apart:   C = A B       write C          fused:   the last block of k finishes the tile:
//              C += bias     read, write               acc + C -> + bias -> max -> store
//              C = relu(C)   read, write
//
// A layer of a net is a product and two cheap passes. Cheap in arithmetic, not in bytes: C [1024,
// 1024] is 4 MB, read and written twice more. Fused they are 2 instructions for each vector of C,
// in registers, once in K turns. The tile takes `finish` as a template parameter, so that a product
// without an epilogue does not pay for one.
//
// Count: 24 additions and 24 maxima for a tile of K x 24 FMAs: 1 / K of the
// arithmetic each, 1 % at K = 192.
// Prediction: rung 9 less 1 %, and less than 0.2 % at K = 1024.
// Limit: registers. An activation with a polynomial (tanh, GELU) does not fit beside 24
// accumulators; the product applies it to rows just written, while they are in L1.

#include "09_blocks.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

struct BiasRelu {
    const float* bias;  // whole vectors: padded past column N
    Reg operator()(Reg r, Index column) const {
        return V::max(V::zero(), V::add(r, V::load(bias + column)));
    }
};

void gemm(Index M, Index N, Index K, const float* A, const float* B, const float* bias, float* C) {
    float* padded = scratch(1, panel_floats(1, N));
    pack(1, N, bias, N, padded);  // one row, zeros behind it
    blocked(
        {.M = M, .N = N, .K = K, .A = A, .a_row = K, .a_k = 1, .B = B, .ldb = N, .C = C, .ldc = N},
        blocks_for(K), BiasRelu{padded});
}

}  // namespace

Rung gemm_11() {
    return {.file = "gemm/11_epilogue",
            .idea = "bias and ReLU in registers",
            .turn = full_tile(kPackCycles + kMR * kNV / 192.0),
            .gemm_bias = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
