// What the op-case rows of linear do not show: layers without outputs.

#include "soma/autograd/ops/linear.h"

#include <gtest/gtest.h>

namespace soma {
namespace {

TEST(Linear, WithoutOutputsGivesAnEmptyRowAndZeroGradients) {
    Tape tape;
    const Var x = tape.input(Tensor::full({3, 4}, 1)), w = tape.input(Tensor::zeros({4, 0}));
    const Var b = tape.input(Tensor::zeros({0}));

    const Var y = linear(x, w, b, Activation::gelu);
    tape.backward(y, Tensor::zeros({3, 0}));

    EXPECT_EQ(y.shape(), Shape({3, 0}));
    for (Index i = 0; i < 12; ++i) EXPECT_EQ(x.gradient().at(i), 0);
}

}  // namespace
}  // namespace soma
