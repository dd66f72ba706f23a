// Op cases of the normalisation layers: one oracle, told which elements share their statistics.

#include "soma/autograd/ops/norm.h"

#include "support/op_cases.h"

namespace soma::test {
namespace {

using Inputs = std::span<const Var>;
using Columns = std::vector<Scalars>;
constexpr double kEps = 1e-3;

// Inputs 0 x, 1 gamma, 2 beta (each may be missing); group(i) numbers the statistics of element i.
struct NormOracle {
    std::size_t channels, groups;
    std::function<std::size_t(std::size_t)> group;
    bool centred = true;

    Scalars means(const Scalars& x) const {
        Scalars sum(groups);
        std::vector<double> count(groups);
        for (std::size_t i = 0; i < x.size(); ++i) sum[group(i)] += x[i], count[group(i)] += 1;
        for (std::size_t g = 0; g < groups; ++g) sum[g] = sum[g] * Scalar(1 / count[g]);
        return sum;
    }

    Scalars operator()(const Columns& in) const {
        Scalars d = in[0];
        const Scalars mean = means(d);
        for (std::size_t i = 0; centred && i < d.size(); ++i) d[i] = d[i] - mean[group(i)];
        Scalars squares = d;
        for (Scalar& v : squares) v = v * v;
        const Scalars variance = means(squares);
        Scalars y;
        for (std::size_t i = 0; i < d.size(); ++i) {
            const Scalar xh = d[i] / sqrt(variance[group(i)] + Scalar(kEps));
            const Scalar scaled = in.size() > 1 ? xh * in[1][i % channels] : xh;
            y.push_back(in.size() > 2 ? scaled + in[2][i % channels] : scaled);
        }
        return y;
    }
};

Var at(Inputs x, std::size_t i) { return i < x.size() ? x[i] : Var{}; }

// f32 bounds: a variance near 0 would magnify the rounding of x by 1 / sd; kEps and the spread of
// the uniform inputs (sd about 1.1) keep the factor near 1. depth counts the sums of both passes
// and of the backward.
OpCase layer_norm_case(bool affine) {
    return {
        .name = affine ? "layer_norm" : "layer_norm/plain",
        .inputs = affine ? std::vector<Shape>{{2, 3, 7}, {7}, {7}} : std::vector<Shape>{{2, 3, 7}},
        .op = [](Tape&, Inputs x) { return layer_norm(x[0], at(x, 1), at(x, 2), kEps); },
        .oracle = NormOracle{7, 6, [](std::size_t i) { return i / 7; }},
        .bad =
            [](Tape& t) {
                layer_norm(t.constant(Tensor::zeros({2, 7})), t.constant(Tensor::zeros({6})), {});
            },
        .depth = 24};
}

OpCase rms_norm_case() {
    return {.name = "rms_norm",
            .inputs = {{5, 18}, {18}},
            .op = [](Tape&, Inputs x) { return rms_norm(x[0], x[1], kEps); },
            .oracle = NormOracle{18, 5, [](std::size_t i) { return i / 18; }, false},
            .bad =
                [](Tape& t) {
                    rms_norm(t.constant(Tensor::zeros({2, 7})), {}, 0);
                },
            .depth = 40};
}

OpCase group_norm_case() {
    return {.name = "group_norm",
            .inputs = {{2, 2, 3, 6}, {6}, {6}},
            .op = [](Tape&, Inputs x) { return group_norm(x[0], x[1], x[2], 2, kEps); },
            .oracle = NormOracle{6, 4, [](std::size_t i) { return i / 36 * 2 + i % 6 / 3; }},
            .bad =
                [](Tape& t) {
                    group_norm(t.constant(Tensor::zeros({2, 7})), {}, {}, 2);
                },
            .depth = 48};
}

OpCase group_norm_plain_case() {
    return {.name = "group_norm/plain",
            .inputs = {{2, 5, 4}},
            .op = [](Tape&, Inputs x) { return group_norm(x[0], {}, {}, 1, kEps); },
            .oracle = NormOracle{4, 2, [](std::size_t i) { return i / 20; }},
            .depth = 48};
}

OpCase batch_norm_case(bool affine) {
    return {
        .name = affine ? "batch_norm" : "batch_norm/plain",
        .inputs = affine ? std::vector<Shape>{{2, 5, 3}, {3}, {3}} : std::vector<Shape>{{10, 3}},
        .op = [](Tape&, Inputs x) { return batch_norm(x[0], at(x, 1), at(x, 2), kEps); },
        .oracle = NormOracle{3, 3, [](std::size_t i) { return i % 3; }},
        .bad =
            [](Tape& t) {
                batch_norm(t.constant(Tensor::zeros({0, 3})), {}, {});
            },
        .depth = 30};
}

OpCase batch_norm_eval_case() {
    return {.name = "batch_norm_eval",
            .inputs = {{4, 3}, {3}, {3}},
            .op =
                [](Tape&, Inputs x) {
                    const DType t = x[0].dtype();
                    return batch_norm_eval(x[0], x[1], x[2], Tensor::from({3}, {0.5, -1, 0}, t),
                                           Tensor::from({3}, {1, 0.25, 4}, t), kEps);
                },
            .oracle =
                [](const Columns& in) {
                    const double mean[] = {0.5, -1, 0}, variance[] = {1, 0.25, 4};
                    Scalars y;
                    for (std::size_t i = 0; i < in[0].size(); ++i) {
                        const std::size_t c = i % 3;
                        const Scalar xh = (in[0][i] - Scalar(mean[c])) *
                                          Scalar(1 / std::sqrt(variance[c] + kEps));
                        y.push_back(xh * in[1][c] + in[2][c]);
                    }
                    return y;
                },
            .bad =
                [](Tape& t) {
                    const Tensor two = Tensor::zeros({2});
                    batch_norm_eval(t.constant(Tensor::zeros({4, 3})), {}, {}, two, two);
                }};
}

}  // namespace

std::vector<OpCase> norm_cases() {
    return {layer_norm_case(true),  layer_norm_case(false),  rms_norm_case(),
            group_norm_case(),      group_norm_plain_case(), batch_norm_case(true),
            batch_norm_case(false), batch_norm_eval_case()};
}

}  // namespace soma::test
