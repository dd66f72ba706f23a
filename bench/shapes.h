#pragma once
// The published list of products that GEMM is judged by (kernels.md 18). Losses are printed, too.

#include <vector>

#include "soma/kernels/gemm.h"

namespace soma::bench {

struct GemmCase {
    const char* group;
    Index m, n, k;
    kernels::Op op_a = kernels::Op::N, op_b = kernels::Op::N;
};

inline std::vector<GemmCase> gemm_cases() {
    using kernels::Op;
    std::vector<GemmCase> list;
    const auto cubes = [&](const char* group, std::initializer_list<Index> sizes) {
        for (const Index n : sizes) {
            list.push_back({group, n, n, n});
            list.push_back({group, n, n, n, Op::N, Op::T});
            list.push_back({group, n, n, n, Op::T, Op::N});
        }
    };
    cubes("tiny", {4, 8, 12, 16, 24, 32});
    cubes("small", {48, 64, 80, 96, 128});
    cubes("odd", {17, 33, 65, 100, 129});
    cubes("medium", {192, 256, 384, 512, 768});
    cubes("large", {1024});
    for (const Index m : {1, 2, 4, 8}) {
        for (const Index n : {256, 1024}) {
            list.push_back({"skinny", m, n, n});
            list.push_back({"skinny", m, n, n, Op::N, Op::T});
        }
    }
    list.push_back({"narrow", 256, 1, 256});
    list.push_back({"narrow", 1024, 1, 1024});
    list.push_back({"network", 3136, 64, 64});                 // 1x1 convolution of ResNet-50
    list.push_back({"network", 64, 512, 576});                 // im2col of VGG
    list.push_back({"network", 256, 120, 400});                // a layer of LeNet
    list.push_back({"network", 784, 128, 256, Op::T, Op::N});  // its kind of weight gradient
    return list;
}

}  // namespace soma::bench
