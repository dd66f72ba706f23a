// What the op-case rows of the losses and norms do not say: padding, messages, curvature, sums.

#include "soma/autograd/ops/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "soma/autograd/ops/norm.h"
#include "soma/autograd/ops/shape.h"

namespace soma {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string message_of(const std::function<void()>& f) {
    try {
        f();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::usage);
        return e.what();
    }
    return "no error";
}

TEST(Loss, RowsOfWeightZeroAddNothingWhateverTheyHold) {
    const float weights[] = {1, 0};
    const std::int32_t labels[] = {1, -7};  // no label is needed on a padding row
    const Tensor x = Tensor::from({2, 2}, {0.5, 0.25, kNan, kNan});
    const Tensor row = Tensor::from({1, 2}, {0.5, 0.25});
    const Tensor target = Tensor::from({2, 2}, {1, 0, kNan, 0});
    const auto run = [&](const Tensor& values, auto&& loss) {
        Tape tape;
        const Var v = tape.input(values);
        const Var e = loss(tape, v);
        tape.backward(e);
        return std::pair(e.item(), v.gradient());
    };
    const LossOptions padded{.weights = weights};

    const auto cross =
        run(x, [&](Tape&, Var v) { return softmax_cross_entropy(v, labels, padded); });
    const auto cross_alone =
        run(row, [&](Tape&, Var v) { return softmax_cross_entropy(v, std::span(labels, 1)); });
    const auto square =
        run(x, [&](Tape& t, Var v) { return squared_error(v, t.constant(target), padded); });
    const auto bce =
        run(x, [&](Tape& t, Var v) { return bce_with_logits(v, t.constant(target), padded); });

    EXPECT_EQ(cross.first, cross_alone.first);
    EXPECT_TRUE(std::isfinite(square.first) && std::isfinite(bce.first));
    for (const Tensor& gradient : {cross.second, square.second, bce.second}) {
        EXPECT_NE(gradient.at(0), 0);
        EXPECT_EQ(gradient.at(2), 0);
        EXPECT_EQ(gradient.at(3), 0);
    }
}

TEST(Loss, InvalidLabelNamesRowAndLabel) {
    Tape tape;
    const Var x = tape.constant(Tensor::zeros({3, 4}));
    const std::int32_t labels[] = {0, 4, 1};

    EXPECT_EQ(message_of([&] { softmax_cross_entropy(x, labels); }),
              "softmax_cross_entropy: label of row 1 is 4, logits are [3, 4]; need 0 <= label < 4");
    EXPECT_EQ(tape.size(), 1) << "nothing may be recorded";
}

// E = scale / 2 sum w (y - t)^2 has second derivative scale w in every y.
TEST(Loss, CurvatureOfSquaredErrorIsScaleTimesWeight) {
    const float weights[] = {1, 0, 0.5F};
    Tape tape;
    const Var y = tape.input(Tensor::from({3, 2}, {1, 2, 3, 4, 5, 6}));
    const Var seen = reshape(y, {3, 1, 2});  // through a view
    const Var e = squared_error(seen, tape.constant(Tensor::zeros({3, 1, 2})),
                                {.weights = weights, .scale = 4});

    tape.curvature(e, Tensor::full({}, 1));

    const Tensor h = y.gradient();
    const double expected[] = {4, 4, 0, 0, 2, 2};
    for (Index i = 0; i < 6; ++i) EXPECT_EQ(h.at(i), expected[i]) << i;
}

// n equal f32 terms: 24 bits each, so their f64 sum is exact, and an f32 one is not.
TEST(Loss, SumsAccumulateInF64) {
    constexpr Index kCount = (Index{1} << 16) + 1;
    constexpr float kError = 1.1F, kTerm = kError * kError / 2;
    float narrow = 0;
    for (Index i = 0; i < kCount; ++i) narrow += kTerm;
    Tape tape;
    const Var y = tape.constant(Tensor::full({kCount}, kError));

    const Var e = squared_error(y, tape.constant(Tensor::zeros({kCount})));

    const auto expected = static_cast<float>(static_cast<double>(kCount) * kTerm);
    EXPECT_EQ(e.item(), expected);
    EXPECT_NE(narrow, expected);
}

TEST(Loss, BceOfConfidentLogitsKeepsItsDigits) {
    Tape tape;
    const Var x = tape.input(Tensor::from({4}, {60, -60, 200, -200}));
    const Var e = bce_with_logits(x, tape.constant(Tensor::from({4}, {1, 0, 0, 1})));

    tape.backward(e);

    EXPECT_EQ(e.item(), 400);  // e^-60 is far below one unit of 400
    const double expected[] = {0, 0, 1, -1};
    for (Index i = 0; i < 4; ++i) EXPECT_NEAR(x.gradient().at(i), expected[i], 0x1p-80) << i;
}

TEST(Loss, ATapeWithoutRecordingGivesTheSameLoss) {
    const std::int32_t labels[] = {2, 0};
    const Tensor x = Tensor::from({2, 3}, {0.1, -0.7, 1.3, 2, 0.5, -1});
    Tape recording, evaluating(Tape::Mode::no_grad);

    const double a = softmax_cross_entropy(recording.input(x), labels).item();
    const double b = softmax_cross_entropy(evaluating.input(x), labels).item();

    EXPECT_EQ(a, b);
}

TEST(Norm, BatchNormReportsItsStatistics) {
    Tape tape;
    BatchStatistics seen;
    const Var x = tape.constant(Tensor::from({2, 2, 2}, {1, 10, 2, 10, 3, 10, 6, 10}));

    batch_norm(x, {}, {}, 1e-5, &seen);

    EXPECT_EQ(seen.count, 4);
    EXPECT_EQ(seen.mean.at(0), 3);
    EXPECT_EQ(seen.mean.at(1), 10);
    EXPECT_EQ(seen.variance.at(0), 3.5);  // (4 + 1 + 0 + 9) / 4
    EXPECT_EQ(seen.variance.at(1), 0);
}

TEST(Norm, EvaluationWithTheBatchsOwnStatisticsGivesTheSameBits) {
    Tape tape;
    BatchStatistics seen;
    const Var x = tape.constant(Tensor::from({3, 2}, {1, -2, 0.5, 4, 3, 0.25}));

    const Var y = batch_norm(x, {}, {}, 1e-5, &seen);
    const Var z = batch_norm_eval(x, {}, {}, seen.mean, seen.variance, 1e-5);

    for (Index i = 0; i < 6; ++i) EXPECT_EQ(y.tensor().at(i), z.tensor().at(i)) << i;
}

}  // namespace
}  // namespace soma
