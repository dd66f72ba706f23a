// Op cases of softmax and the losses.

#include "soma/autograd/ops/loss.h"

#include "support/op_cases.h"

namespace soma::test {
namespace {

using Inputs = std::span<const Var>;
using Columns = std::vector<Scalars>;

constexpr std::size_t kRows = 3, kClasses = 5;
constexpr std::int32_t kLabels[] = {4, 0, 2};
constexpr float kWeights[] = {1.5F, 0, 0.25F};

// log softmax of row r of x, [rows, classes].
Scalars log_softmax_row(const Scalars& x, std::size_t r) {
    Scalar sum = 0;
    for (std::size_t c = 0; c < kClasses; ++c) sum += exp(x[r * kClasses + c]);
    Scalars y;
    for (std::size_t c = 0; c < kClasses; ++c) y.push_back(x[r * kClasses + c] - log(sum));
    return y;
}

Scalars log_softmax_oracle(const Columns& in) {
    Scalars y;
    for (std::size_t r = 0; r < kRows; ++r) {
        for (const Scalar& v : log_softmax_row(in[0], r)) y.push_back(v);
    }
    return y;
}

OpCase softmax_case() {
    return {.name = "softmax",
            .inputs = {{kRows, kClasses}},
            .op = [](Tape&, Inputs x) { return softmax(x[0]); },
            .oracle =
                [](const Columns& in) {
                    Scalars y = log_softmax_oracle(in);
                    for (Scalar& v : y) v = exp(v);
                    return y;
                },
            .bad =
                [](Tape& t) {
                    softmax(t.constant(Tensor::zeros({3, 0})));
                }};
}

OpCase log_softmax_case() {
    return {.name = "log_softmax",
            .inputs = {{kRows, 1, kClasses}},
            .op = [](Tape&, Inputs x) { return log_softmax(x[0]); },
            .oracle = log_softmax_oracle,
            .bad = [](Tape& t) { log_softmax(t.constant(Tensor::zeros({0}))); }};
}

// sum_r scale weight_r sum_c -q[r, c] log softmax(x)[r, c]
Scalars cross_entropy_oracle(const Scalars& x, const std::function<double(std::size_t)>& q,
                             bool weighted, double scale) {
    Scalar loss = 0;
    for (std::size_t r = 0; r < kRows; ++r) {
        const double weight = weighted ? kWeights[r] : 1;
        const Scalars y = log_softmax_row(x, r);
        for (std::size_t c = 0; c < kClasses; ++c) {
            loss += Scalar(-scale * weight * q(r * kClasses + c)) * y[c];
        }
    }
    return {loss};
}

double onehot(std::size_t i) {
    return kLabels[i / kClasses] == static_cast<std::int32_t>(i % kClasses) ? 1 : 0;
}

OpCase cross_entropy_case() {
    return {
        .name = "softmax_cross_entropy",
        .inputs = {{kRows, kClasses}},
        .op = [](Tape&, Inputs x) { return softmax_cross_entropy(x[0], kLabels); },
        .oracle = [](const Columns& in) { return cross_entropy_oracle(in[0], onehot, false, 1); },
        .bad =
            [](Tape& t) {
                const std::int32_t labels[] = {0, 5};
                softmax_cross_entropy(t.constant(Tensor::zeros({2, 5})), labels);
            }};
}

OpCase cross_entropy_options_case() {
    return {.name = "softmax_cross_entropy/weights_smoothing_scale",
            .inputs = {{kRows, kClasses}},
            .op =
                [](Tape&, Inputs x) {
                    return softmax_cross_entropy(
                        x[0], kLabels,
                        {.weights = kWeights, .scale = 0.5, .label_smoothing = 0.25});
                },
            .oracle =
                [](const Columns& in) {
                    const auto q = [](std::size_t i) {
                        return 0.75 * onehot(i) + 0.25 / static_cast<double>(kClasses);
                    };
                    return cross_entropy_oracle(in[0], q, true, 0.5);
                },
            .bad =
                [](Tape& t) {
                    softmax_cross_entropy(t.constant(Tensor::zeros({3, 5})), kLabels,
                                          {.weights = std::span(kWeights, 2)});
                }};
}

// Targets that do not sum to 1 keep the general formula honest.
double soft_target(std::size_t i) { return 0.0625 * static_cast<double>(i % 7); }

OpCase cross_entropy_soft_case() {
    return {
        .name = "softmax_cross_entropy/soft",
        .inputs = {{kRows, kClasses}},
        .op =
            [](Tape& tape, Inputs x) {
                std::vector<double> q;
                for (std::size_t i = 0; i < kRows * kClasses; ++i) q.push_back(soft_target(i));
                const Var targets = tape.constant(Tensor::from({kRows, kClasses}, q, x[0].dtype()));
                return softmax_cross_entropy(x[0], targets, {.weights = kWeights});
            },
        .oracle =
            [](const Columns& in) { return cross_entropy_oracle(in[0], soft_target, true, 1); },
        .bad =
            [](Tape& t) {
                softmax_cross_entropy(t.constant(Tensor::zeros({2, 5})),
                                      t.constant(Tensor::zeros({2, 4})));
            }};
}

// sum_i scale weight(row of i) loss(y_i, t_i) over [3, 4].
using PairLoss = std::function<Scalar(const Scalar&, const Scalar&)>;
std::function<Scalars(const Columns&)> pair_oracle(bool weighted, double scale, PairLoss loss) {
    return [=](const Columns& in) {
        Scalar sum = 0;
        for (std::size_t i = 0; i < in[0].size(); ++i) {
            const double weight = weighted ? kWeights[i / 4] : 1;
            sum += Scalar(scale * weight) * loss(in[0][i], in[1][i]);
        }
        return Scalars{sum};
    };
}

void bad_pair(Tape& t, Var (*loss)(Var, Var, const LossOptions&)) {
    loss(t.constant(Tensor::zeros({2, 3})), t.constant(Tensor::zeros({3, 2})), {});
}

Scalar half_square(const Scalar& y, const Scalar& t) { return Scalar(0.5) * (y - t) * (y - t); }

OpCase squared_error_case(bool weighted) {
    return {.name = weighted ? "squared_error/weighted" : "squared_error",
            .inputs = {{3, 4}, {3, 4}},
            .op =
                [=](Tape&, Inputs x) {
                    LossOptions options{.scale = 0.75};
                    if (weighted) options.weights = kWeights;
                    return squared_error(x[0], x[1], options);
                },
            .oracle = pair_oracle(weighted, 0.75, half_square),
            .bad = [](Tape& t) { bad_pair(t, squared_error); },
            .depth = 12};
}

OpCase mse_case() {
    return {
        .name = "mse",
        .inputs = {{3, 4}, {3, 4}},
        .op = [](Tape&, Inputs x) { return mse(x[0], x[1]); },
        .oracle = pair_oracle(false, 2.0 / 12, half_square),
        .bad = [](Tape& t) { mse(t.constant(Tensor::zeros({2})), t.constant(Tensor::zeros({3}))); },
        .depth = 12};
}

OpCase huber_case() {
    const auto loss = [](const Scalar& y, const Scalar& t) {
        const Scalar e = y - t, a = e.value() < 0 ? -e : e;
        return a.value() <= 0.75 ? Scalar(0.5) * e * e : Scalar(0.75) * (a - Scalar(0.375));
    };
    return {.name = "huber",
            .inputs = {{3, 4}, {3, 4}},
            .op = [](Tape&, Inputs x) { return huber(x[0], x[1], 0.75, {.weights = kWeights}); },
            .oracle = pair_oracle(true, 1, loss),
            .bad =
                [](Tape& t) {
                    const Var x = t.constant(Tensor::zeros({2}));
                    huber(x, x, 0);
                },
            .depth = 12};
}

OpCase bce_case() {
    const auto loss = [](const Scalar& x, const Scalar& t) {
        return log(Scalar(1) + exp(x)) - x * t;
    };
    return {
        .name = "bce_with_logits",
        .inputs = {{3, 4}, {3, 4}},
        .op = [](Tape&, Inputs x) { return bce_with_logits(x[0], x[1], {.weights = kWeights}); },
        .oracle = pair_oracle(true, 1, loss),
        .bad = [](Tape& t) { bad_pair(t, bce_with_logits); },
        .depth = 12};
}

}  // namespace

std::vector<OpCase> loss_cases() {
    return {softmax_case(),
            log_softmax_case(),
            cross_entropy_case(),
            cross_entropy_options_case(),
            cross_entropy_soft_case(),
            squared_error_case(false),
            squared_error_case(true),
            mse_case(),
            huber_case(),
            bce_case()};
}

}  // namespace soma::test
