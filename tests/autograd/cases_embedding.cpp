// Op cases of embedding.

#include "soma/autograd/ops/embedding.h"

#include "support/op_cases.h"

namespace soma::test {
namespace {

// A row that is never asked for, one asked for once, and one asked for three times.
OpCase embedding_case() {
    static constexpr std::int32_t kIds[] = {2, 0, 2, 3, 2, 4};
    return {.name = "embedding",
            .inputs = {{5, 3}},
            .op =
                [](Tape&, std::span<const Var> x) {
                    return embedding(x[0], kIds, {2, 3});
                },
            .oracle =
                [](const std::vector<Scalars>& in) {
                    Scalars y;
                    for (const std::int32_t id : kIds) {
                        for (std::size_t c = 0; c < 3; ++c) {
                            y.push_back(in[0][static_cast<std::size_t>(id) * 3 + c]);
                        }
                    }
                    return y;
                },
            .bad =
                [](Tape& t) {
                    const std::int32_t ids[] = {0, 5};
                    embedding(t.constant(Tensor::zeros({5, 3})), ids);
                }};
}

// More positions of one row than a leaf of the sum holds.
OpCase embedding_leaves_case() {
    return {.name = "embedding/leaves",
            .inputs = {{2, 1}},
            .op =
                [](Tape&, std::span<const Var> x) {
                    return embedding(x[0], std::vector<std::int32_t>(300, 1));
                },
            .oracle = [](const std::vector<Scalars>& in) { return Scalars(300, in[0][1]); },
            .depth = 300};
}

}  // namespace

std::vector<OpCase> embedding_cases() { return {embedding_case(), embedding_leaves_case()}; }

}  // namespace soma::test
