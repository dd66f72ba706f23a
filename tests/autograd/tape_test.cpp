#include "soma/autograd/tape.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "soma/autograd/ops/linear.h"
#include "soma/autograd/ops/math.h"

namespace soma {
namespace {

Tensor f64(const Shape& shape, const std::vector<double>& values) {
    return Tensor::from(shape, values, DType::f64);
}

TEST(Tape, BackwardGivesTheGradientOfASum) {
    Tape tape;
    const Var x = tape.input(f64({3}, {1, 2, 3}));

    tape.backward(sum(x * x));

    const Tensor g = x.gradient();
    EXPECT_EQ(g.at(0), 2);
    EXPECT_EQ(g.at(1), 4);
    EXPECT_EQ(g.at(2), 6);
}

TEST(Tape, UsesOfOneValueAddUp) {
    Tape tape;
    const Var x = tape.input(f64({1}, {3}));
    const Var y = 2.0 * x;

    tape.backward(sum(y + y + x));

    EXPECT_EQ(x.gradient().at(0), 5);
}

TEST(Tape, ParametersAreAddedToAndInputsOverwritten) {
    Tape tape;
    double value[] = {2}, gradient[] = {100};
    const Var w = tape.parameter({1}, DType::f64, value, gradient);
    const Var x = tape.input(f64({1}, {5}));
    const Var loss = sum(w * x);

    tape.backward(loss);
    tape.backward(loss);

    EXPECT_EQ(gradient[0], 110);  // 100 + 5 + 5
    EXPECT_EQ(x.gradient().at(0), 2);
}

// h = x a; y = h b + h c, where a is also used in a later node and has a second leaf.
TEST(Tape, AnnouncesEachParameterOnceWhenItsGradientIsFinal) {
    Tape tape;
    double a[] = {2}, b[] = {3}, unused[] = {1}, da[] = {0}, db[] = {0}, du[] = {0};
    std::vector<std::pair<const void*, double>> seen;
    tape.on_gradient_ready([&](const void* gradient) {
        seen.emplace_back(gradient, *static_cast<const double*>(gradient));
    });
    const Var x = tape.constant(f64({1}, {5}));
    const Var h = x * tape.parameter({1}, DType::f64, a, da);
    tape.parameter({1}, DType::f64, unused, du);
    const Var y = h * tape.parameter({1}, DType::f64, b, db);
    const Var z = y * tape.parameter({1}, DType::f64, a, da);

    tape.backward(sum(z));  // z = x a b a

    const std::vector<std::pair<const void*, double>> expected{{db, 20}, {du, 0}, {da, 60}};
    EXPECT_EQ(seen, expected);
    tape.on_gradient_ready(nullptr);
    tape.backward(sum(z));
    EXPECT_EQ(seen.size(), 3u);
}

TEST(Tape, FrozenParametersGetNoGradient) {
    Tape tape;
    double value[] = {2};
    const Var w = tape.parameter({1}, DType::f64, value, nullptr);

    EXPECT_FALSE((w * w).needs_grad());
}

TEST(Tape, RetainedGradientsAreReadable) {
    Tape tape;
    const Var x = tape.input(f64({1}, {2}));
    const Var y = square(x);
    tape.retain_gradient(y);

    tape.backward(sum(3.0 * y));

    EXPECT_EQ(y.gradient().at(0), 3);
    EXPECT_EQ(x.gradient().at(0), 12);
}

TEST(Tape, SeedGivesTheVectorJacobianProduct) {
    Tape tape;
    const Var x = tape.input(f64({2}, {3, 5}));

    tape.backward(square(x), f64({2}, {1, -1}));

    EXPECT_EQ(x.gradient().at(0), 6);
    EXPECT_EQ(x.gradient().at(1), -10);
}

// h of y = c x is c^2 h, of tanh (1 - y^2)^2 h; both exact for elementwise chains.
TEST(Tape, CurvatureCarriesSquaredDerivatives) {
    Tape tape;
    const Var x = tape.input(f64({1}, {0.5}));
    const Var y = tanh(3.0 * x);

    tape.curvature(y, f64({1}, {2}));

    const double slope = 1 - std::tanh(1.5) * std::tanh(1.5);
    EXPECT_NEAR(x.gradient().at(0), 2 * slope * slope * 9, 16 * 0x1p-53 * 18);
}

TEST(Tape, CurvatureNamesTheOpThatLacksIt) {
    Tape tape;
    const Var y = exp(tape.input(f64({1}, {0})));

    try {
        tape.curvature(y, f64({1}, {1}));
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()), "curvature: op exp does not support it");
    }
}

TEST(Tape, NoGradTapesKeepNothingForASweep) {
    Tape tape(Tape::Mode::no_grad);
    const Var x = tape.input(f64({1}, {2}));
    const Var y = square(x);

    EXPECT_FALSE(y.needs_grad());
    EXPECT_EQ(y.item(), 4);
    EXPECT_THROW(tape.backward(y), Error);
}

TEST(Tape, RewindForgetsTheNodesSinceTheMark) {
    Tape tape;
    const Var x = tape.input(f64({1}, {2}));
    const Tape::Mark mark = tape.mark();
    square(square(x));

    tape.rewind(mark);

    EXPECT_EQ(tape.size(), 1);
    EXPECT_EQ(square(x).item(), 4);
}

TEST(Tape, AnOpMayTakeItsShapeFromAnyNodeWhileTheTapeGrows) {
    Tape tape;
    Var x = tape.input(f64({2, 3}, {1, 1, 1, 1, 1, 1}));

    for (int i = 0; i < 1000; ++i) x = add_scalar(x, 1);

    EXPECT_EQ(x.shape(), Shape({2, 3}));
    EXPECT_EQ(x.tensor().at(5), 1001);
}

TEST(Tape, ARepeatedStepUsesTheSameMemory) {
    Tape tape;
    const Tensor x = f64({4}, {1, 2, 3, 4});
    const void* first = nullptr;
    for (int step = 0; step < 4; ++step) {
        tape.reset();
        const Var y = square(tape.input(x));
        tape.backward(sum(y));
        if (step == 1) first = tape.node(y).value;
        EXPECT_TRUE(step <= 1 || tape.node(y).value == first) << step;
    }
}

TEST(Tape, CheckFiniteNamesTheFirstBadOp) {
    Tape tape;
    tape.check_finite(true);
    const Var x = tape.input(f64({2}, {1, -1}));

    try {
        tape.backward(sum(square(log(x))));
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::non_finite);
        EXPECT_EQ(std::string(e.what()).rfind("log:", 0), 0u) << e.what();
    }
}

TEST(Tape, LossMustBeOneElement) {
    Tape tape;
    const Var x = tape.input(f64({2}, {1, 2}));

    EXPECT_THROW(tape.backward(x), Error);
    EXPECT_THROW(x.item(), Error);
    EXPECT_THROW(x.value<float>(), Error);
}

TEST(Tape, OperandsOfTwoTapesOrDtypesAreRefused) {
    Tape tape, other;
    const Var a = tape.input(f64({1}, {1})), b = other.input(f64({1}, {1}));
    const Var c = tape.input(Tensor::zeros({1}));

    EXPECT_THROW(a + b, Error);
    EXPECT_THROW(a * c, Error);
}

TEST(Tape, InputsOfTwoTapesAreAnErrorNamingTheOp) {
    Tape one, other;
    const Var a = one.constant(Tensor::zeros({2})), b = other.constant(Tensor::zeros({2}));
    const Var w = other.constant(Tensor::zeros({2, 2}));
    try {
        linear(a, w);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()).rfind("linear:", 0), 0u) << e.what();
    }
    EXPECT_THROW(add(a, b), Error);
}

TEST(Tape, RewindReleasesTheBuffersOfItsLeaves) {
    Tape tape(Tape::Mode::no_grad);
    tape.constant(Tensor::zeros({1}));
    const Tape::Mark mark = tape.mark();
    auto owner = std::make_shared<float>(1.0f);
    tape.constant(Tensor::view({1}, DType::f32, owner.get(), owner));
    ASSERT_EQ(owner.use_count(), 2);

    tape.rewind(mark);

    EXPECT_EQ(owner.use_count(), 1);
    EXPECT_EQ(tape.size(), 1);
}

TEST(Tape, CurvatureOfAnUnsupportedOpChangesNothing) {
    float value[2] = {1, 2}, gradient[2] = {0, 0};
    Tape tape;
    const Var w = tape.parameter({2}, DType::f32, value, gradient);
    const Var y = mul(exp(w), w);  // neither op carries curvature
    EXPECT_THROW(tape.curvature(y, Tensor::full({2}, 1)), Error);
    EXPECT_EQ(gradient[0], 0);
    EXPECT_EQ(gradient[1], 0);
}

}  // namespace
}  // namespace soma
