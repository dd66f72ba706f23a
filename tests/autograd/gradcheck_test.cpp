#include "soma/autograd/gradcheck.h"

#include <gtest/gtest.h>

#include "soma/autograd/ops/math.h"

namespace soma {
namespace {

// y = x^2 whose backward forgets the factor 2.
void wrong_backward(Tape& tape, const Node& node) {
    const auto dx = tape.grad_slot<double>(node, 0);
    const double* x = tape.input_node(node, 0)->y<double>();
    for (Index i = 0; i < node.shape.count(); ++i) {
        dx.data[i] = (dx.accumulate ? dx.data[i] : 0) + x[i] * node.dy<double>()[i];
    }
}

Var wrong_square(Var x) {
    static constexpr OpInfo op{"wrong_square", wrong_backward};
    const Tape::Output out = x.tape().emit(op, {x}, x.shape(), x.dtype());
    const Node& in = x.tape().node(x);
    for (Index i = 0; i < in.shape.count(); ++i) {
        out.y<double>()[i] = in.y<double>()[i] * in.y<double>()[i];
    }
    return out.var;
}

TEST(Gradcheck, AcceptsACorrectBackward) {
    const auto f = [](Tape&, std::span<const Var> in) { return tanh(in[0] * in[1]); };

    const GradcheckResult r =
        gradcheck(f, {Tensor::from({2}, {0.3, -1}), Tensor::from({2}, {2, 0.5})});

    EXPECT_TRUE(r.ok) << r.message;
    EXPECT_EQ(r.checked, 4);
    EXPECT_LT(r.worst, 1);
}

TEST(Gradcheck, RejectsAWrongBackwardAndNamesTheElement) {
    const auto f = [](Tape&, std::span<const Var> in) { return wrong_square(in[0]); };

    const GradcheckResult r = gradcheck(f, {Tensor::from({2}, {0, 3})});

    EXPECT_FALSE(r.ok);
    EXPECT_NE(r.message.find("element 1 of [2]"), std::string::npos) << r.message;
}

TEST(Gradcheck, SkipsKinks) {
    const auto f = [](Tape&, std::span<const Var> in) { return relu(in[0]); };

    const GradcheckResult r = gradcheck(f, {Tensor::from({3}, {-1, 0, 1})});

    EXPECT_TRUE(r.ok) << r.message;
    EXPECT_EQ(r.checked, 2);
    EXPECT_EQ(r.skipped, 1);
}

}  // namespace
}  // namespace soma
