// Forward convolutions whose weights do not stay in L2: slices of k outermost, chunks of pixels.

#include <gtest/gtest.h>

#include <vector>

#include "soma/core/parallel.h"
#include "soma/kernels/conv.h"
#include "soma/kernels/gemm.h"
#include "support/every_isa.h"

namespace soma::kernels {
namespace {

using test::uniform;
using List = std::vector<float>;

ConvGeometry padded_by_one(Index n, Index size, Index c, Index k, Index oc, Index groups) {
    return {.n = n,
            .h = size,
            .w = size,
            .c = c,
            .kh = k,
            .kw = k,
            .oc = oc,
            .pad_top = 1,
            .pad_bottom = 1,
            .pad_left = 1,
            .pad_right = 1,
            .groups = groups,
            .pad_value = 0.5};
}

// Column blocks with a rest, several slices, chunks of several images and of parts of one.
std::vector<ConvGeometry> shapes() {
    return {padded_by_one(1, 12, 40, 3, 290, 1),   // one chunk
            padded_by_one(3, 16, 130, 2, 530, 1),  // an image and a part of the next per chunk
            padded_by_one(2, 9, 128, 3, 260, 2)};
}

struct Operands {
    List x, w, bias;
};
Operands random_operands(const ConvGeometry& g) {
    return {uniform<float>(g.x_count(), 1), uniform<float>(g.weight_count(), 2),
            uniform<float>(g.oc, 3)};
}

List convolve(const ConvGeometry& g, const Operands& in, Activation activation) {
    List y(static_cast<std::size_t>(g.y_count()), std::numeric_limits<float>::quiet_NaN());
    const ConvEpilogue<float> epilogue{.bias = in.bias.data(), .activation = activation};
    conv2d(g, in.x.data(), in.w.data(), epilogue, y.data());
    return y;
}

List im2col_and_gemm(const ConvGeometry& g, const Operands& in, Activation activation) {
    const Index m = g.n * g.oh() * g.ow(), k = g.kh * g.kw * g.group_c(), n = g.group_oc();
    List columns(static_cast<std::size_t>(m * k)), y(static_cast<std::size_t>(g.y_count()));
    for (Index group = 0; group < g.groups; ++group) {
        im2col(g, group, in.x.data(), columns.data());
        gemm<float>({.m = m,
                     .n = n,
                     .k = k,
                     .a = columns.data(),
                     .lda = k,
                     .b = in.w.data() + group * n,
                     .ldb = g.oc,
                     .c = y.data() + group * n,
                     .ldc = g.oc,
                     .epilogue = {.bias = in.bias.data() + group * n, .act = activation}});
    }
    return y;
}

TEST(ConvChunks, EqualIm2colFollowedByGemmBitForBit) {
    for (const ConvGeometry& g : shapes()) {
        SCOPED_TRACE(g.oc);
        const Operands in = random_operands(g);
        for (const Activation activation : {Activation::relu, Activation::tanh}) {
            EXPECT_EQ(convolve(g, in, activation), im2col_and_gemm(g, in, activation));
        }
    }
}

TEST(ConvChunks, GiveTheSameBitsForEveryThreadCount) {
    for (const ConvGeometry& g : shapes()) {
        SCOPED_TRACE(g.oc);
        const Operands in = random_operands(g);
        const int before = num_threads();
        set_num_threads(1);
        const List expected = convolve(g, in, Activation::none);
        for (const int threads : {2, 3}) {
            set_num_threads(threads);
            EXPECT_EQ(convolve(g, in, Activation::none), expected) << threads;
        }
        set_num_threads(before);
    }
}

}  // namespace
}  // namespace soma::kernels
