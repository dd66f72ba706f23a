// Op-case rows of autograd/ops/dropout.h, and what a row cannot say about its mask.

#include <gtest/gtest.h>

#include <cmath>

#include "soma/autograd/ops/dropout.h"
#include "support/op_cases.h"

namespace soma::test {
namespace {

const DropoutOptions kOptions{.p = 0.25, .key = make_key(3, Purpose::dropout), .step = 4};

// The mask once more, number by number.
double factor(std::uint32_t id, std::uint32_t unit) {
    const float u =
        uniform01(random_word(kOptions.key, unit, {.step = kOptions.step, .trial = id}));
    return u < 0.75f ? 1 / 0.75 : 0;
}

OpCase row(const char* name, const Shape& shape, const std::vector<std::uint32_t>& ids) {
    return {.name = name,
            .inputs = {shape},
            .op = [ids](Tape&, std::span<const Var> in) { return dropout(in[0], ids, kOptions); },
            .oracle =
                [ids](const std::vector<Scalars>& in) {
                    const std::size_t cols = in[0].size() / ids.size();
                    Scalars y;
                    for (std::size_t i = 0; i < in[0].size(); ++i) {
                        const auto unit = static_cast<std::uint32_t>(i % cols);
                        y.push_back(in[0][i] * Scalar(factor(ids[i / cols], unit)));
                    }
                    return y;
                },
            .bad =
                [](Tape& tape) {
                    const std::uint32_t three[] = {1, 2, 3};
                    dropout(tape.input(Tensor::zeros({2, 5})), three, kOptions);
                }};
}

TEST(Dropout, MaskFollowsTheSampleNotItsPlace) {
    Tape tape;
    const Var x = tape.constant(Tensor::full({3, 40}, 1));
    const std::uint32_t order[] = {11, 22, 33}, reversed[] = {33, 22, 11};

    const Tensor a = dropout(x, order, kOptions).tensor();
    const Tensor b = dropout(x, reversed, kOptions).tensor();

    for (Index r = 0; r < 3; ++r) {
        for (Index c = 0; c < 40; ++c) EXPECT_EQ(a.at(r * 40 + c), b.at((2 - r) * 40 + c));
    }
}

// The share of dropped elements is binomial: within 4 standard errors of p.
TEST(Dropout, DropsTheShareP) {
    constexpr Index n = 100000;
    Tape tape;
    const std::uint32_t id[] = {5};
    const Var x = tape.constant(Tensor::full({1, n}, 1));

    const Tensor y = dropout(x, id, kOptions).tensor();

    Index dropped = 0;
    for (Index i = 0; i < n; ++i) dropped += y.at(i) == 0;
    EXPECT_NEAR(static_cast<double>(dropped) / n, 0.25, 4 * std::sqrt(0.25 * 0.75 / n));
}

TEST(Dropout, NoDropoutIsTheIdentity) {
    Tape tape;
    const std::uint32_t id[] = {5};
    const Var x = tape.constant(Tensor::zeros({1, 3}));

    EXPECT_EQ(dropout(x, id, {.p = 0}).index(), x.index());
}

}  // namespace

std::vector<OpCase> dropout_cases() {
    return {
        row("dropout/samples", {4, 21}, {7, 3, 3, 100}),
        row("dropout/sequence", {2, 3, 5}, {10, 20, 30, 11, 21, 31}),
        row("dropout/single", {17}, {9, 1, 2, 3, 4, 5, 6, 7, 8, 0, 11, 12, 13, 14, 15, 16, 17})};
}

}  // namespace soma::test
