#pragma once
// The published lists that soma is judged by (kernels.md 18). Losses are printed, too.
//
//     class    products C[M, N] = op(A) op(B), each as NN, NT (B transposed) and TN
//     tiny     4, 8, 12, 16, 24, 32 cubed
//     small    48, 64, 80, 96, 128 cubed
//     odd      17, 33, 65, 100, 129 cubed; 257, 1000 with --long
//     medium   192, 256, 384, 512, 768 cubed
//     large    1024 cubed; 2048, 4096 with --long
//     skinny   M = 1, 2, 4, 8; N = K = 256, 1024, 4096; NN and NT
//     narrow   N = 1: matrix times vector
//     heads    attention, 8 heads of width 64, T = 64..512: Q K^T (NT) and P V (NN), one batch each
//     network  layers of nets as products: convolutions, hidden layers, weight gradients, RNNs
//
//     net      convolutions; all with every pass
//     resnet50, vgg16, alexnet (one GPU), alexnet2 (two groups), lenet, zip1989, dcgan

#include <string>
#include <vector>

#include "soma/kernels/conv.h"
#include "soma/kernels/gemm.h"

namespace soma::bench {

// Shapes of more work than this are timed in fewer rounds: half a second a call is steady enough.
inline constexpr double kLongFlop = 1e10;
inline constexpr int kLongRounds = 5;

struct GemmCase {
    std::string group;
    Index m = 0, n = 0, k = 0;
    kernels::Op op_a = kernels::Op::N, op_b = kernels::Op::N;
    Index batch = 1;
    bool slow = false;  // only with --long

    std::string name() const;  // "64x64x64 NT", "8 x 64x64x64 NN"
    double flop() const;
    double elements() const;  // of A, B and C: what must move at least
};
std::vector<GemmCase> gemm_cases();

struct ConvCase {
    std::string net, layer;
    kernels::ConvGeometry geometry;

    std::string name() const;  // "conv2 1x56x56x64 3x3 64"
};
std::vector<ConvCase> conv_cases();

// The groups of a list, in the order of appearance.
std::vector<std::string> gemm_classes();
std::vector<std::string> conv_nets();

}  // namespace soma::bench
