// Op cases of ops/lrn.h: the paper's power, another one, an even window and one wider than the row.

#include "soma/autograd/ops/lrn.h"

#include <algorithm>

#include "support/op_cases.h"

namespace soma::test {
namespace {

Scalars lrn_oracle(const Scalars& x, Index cols, const LocalResponseNormOptions& o) {
    Scalars y;
    for (Index at = 0; at < std::ssize(x); ++at) {
        const Index row = at / cols * cols, i = at - row;
        const Index first = std::max<Index>(i - o.size / 2, 0);
        const Index last = std::min(i + (o.size - 1) / 2, cols - 1);
        Scalar sum;
        for (Index j = first; j <= last; ++j) {
            const Scalar& a = x[static_cast<std::size_t>(row + j)];
            sum += a * a;
        }
        const Scalar d = Scalar(o.k) + Scalar(o.alpha) * sum;
        y.push_back(x[static_cast<std::size_t>(at)] * exp(Scalar(-o.beta) * log(d)));
    }
    return y;
}

OpCase lrn_case(const std::string& variant, const Shape& x, const LocalResponseNormOptions& o) {
    return {
        .name = "local_response_norm" + variant,
        .inputs = {x},
        .op = [o](Tape&, std::span<const Var> v) { return local_response_norm(v[0], o); },
        .oracle = [o, x](const std::vector<Scalars>& v) { return lrn_oracle(v[0], x.cols(), o); },
        .bad =
            [](Tape& tape) {
                local_response_norm(tape.constant(Tensor::zeros({2, 3})), {.k = 0});
            },
        .depth = 2 * o.size + 8};
}

}  // namespace

std::vector<OpCase> lrn_cases() {
    return {lrn_case("", {2, 2, 3, 19}, {.alpha = 0.5}),
            lrn_case("/square_root", {3, 7}, {.size = 3, .alpha = 0.25, .beta = 0.5, .k = 1}),
            lrn_case("/even_window", {3, 9}, {.size = 4, .alpha = 0.5}),
            lrn_case("/wider_than_the_row", {2, 3}, {.size = 9, .alpha = 0.5})};
}

}  // namespace soma::test
