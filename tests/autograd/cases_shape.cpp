// Op cases of the shape family. Every oracle is the op's index map, written out.

#include "soma/autograd/ops/shape.h"

#include "support/op_cases.h"

namespace soma::test {
namespace {

using Inputs = std::span<const Var>;
using Columns = std::vector<Scalars>;

// y[i] = x[map(i)] for i = 0..count-1.
std::function<Scalars(const Columns&)> picks(Index count, std::function<Index(Index)> map) {
    return [=](const Columns& in) {
        Scalars y;
        for (Index i = 0; i < count; ++i) y.push_back(in[0][static_cast<std::size_t>(map(i))]);
        return y;
    };
}

OpCase reshape_case() {
    return {.name = "reshape",
            .inputs = {{2, 3, 4}},
            .op =
                [](Tape&, Inputs x) {
                    return reshape(x[0], {6, 4});
                },
            .oracle = picks(24, [](Index i) { return i; }),
            .bad =
                [](Tape& t) {
                    reshape(t.constant(Tensor::zeros({2, 3})), {7});
                }};
}

OpCase permute_case() {
    return {.name = "permute",
            .inputs = {{2, 3, 4}},
            .op =
                [](Tape&, Inputs x) {
                    return permute(x[0], {2, 0, 1});
                },
            .oracle = picks(24,
                            [](Index i) {
                                const Index c = i / 6, a = i / 3 % 2, b = i % 3;
                                return (a * 3 + b) * 4 + c;
                            }),
            .bad =
                [](Tape& t) {
                    permute(t.constant(Tensor::zeros({2, 3})), {0, 0});
                }};
}

OpCase permute_tiles_case() {  // more than one 16 x 16 tile, with remainders
    return {.name = "permute/tiles",
            .inputs = {{17, 35}},
            .op =
                [](Tape&, Inputs x) {
                    return permute(x[0], {1, 0});
                },
            .oracle = picks(17 * 35, [](Index i) { return i % 17 * 35 + i / 17; })};
}

OpCase slice_case(int axis) {
    return {.name = "slice/axis" + std::to_string(axis),
            .inputs = {{4, 5}},
            .op = [=](Tape&, Inputs x) { return slice(x[0], axis, 1, 3); },
            .oracle = axis == 0 ? picks(10, [](Index i) { return i + 5; })
                                : picks(8, [](Index i) { return i / 2 * 5 + i % 2 + 1; }),
            .bad =
                [](Tape& t) {
                    slice(t.constant(Tensor::zeros({2, 3})), 1, 2, 4);
                }};
}

OpCase concatenate_case() {
    return {.name = "concatenate",
            .inputs = {{2, 3}, {2, 1}, {2, 2}},
            .op = [](Tape&, Inputs x) { return concatenate(x, -1); },
            .oracle =
                [](const Columns& in) {
                    Scalars y;
                    for (std::size_t r = 0; r < 2; ++r) {
                        for (const Scalars& x : in) {
                            const std::size_t n = x.size() / 2;
                            for (std::size_t c = 0; c < n; ++c) y.push_back(x[r * n + c]);
                        }
                    }
                    return y;
                },
            .bad =
                [](Tape& t) {
                    concatenate(
                        {t.constant(Tensor::zeros({2, 3})), t.constant(Tensor::zeros({3, 3}))}, 1);
                }};
}

OpCase concatenate_many_case() {  // more inputs than a node holds, one of them twice
    return {.name = "concatenate/many",
            .inputs = std::vector<Shape>(11, Shape{1, 2}),
            .op =
                [](Tape&, Inputs x) {
                    std::vector<Var> all(x.begin(), x.end());
                    all.push_back(x[3]);
                    return concatenate(all, 0);
                },
            .oracle =
                [](const Columns& in) {
                    Scalars y;
                    for (const Scalars& x : in) y.insert(y.end(), x.begin(), x.end());
                    y.insert(y.end(), in[3].begin(), in[3].end());
                    return y;
                }};
}

OpCase stack_case() {
    return {.name = "stack",
            .inputs = {{2, 3}, {2, 3}},
            .op = [](Tape&, Inputs x) { return stack(x, 1); },
            .oracle =
                [](const Columns& in) {
                    Scalars y;
                    for (std::size_t r = 0; r < 2; ++r) {
                        for (const Scalars& x : in) {
                            for (std::size_t c = 0; c < 3; ++c) y.push_back(x[r * 3 + c]);
                        }
                    }
                    return y;
                },
            .bad =
                [](Tape& t) {
                    stack({t.constant(Tensor::zeros({2})), t.constant(Tensor::zeros({3}))}, 0);
                }};
}

OpCase pad_case() {
    return {.name = "pad",
            .inputs = {{2, 3}},
            .op =
                [](Tape&, Inputs x) {
                    return pad(x[0], {{1, 0}, {2, 1}}, -1);
                },
            .oracle =
                [](const Columns& in) {
                    Scalars y(18, Scalar(-1));
                    for (std::size_t i = 0; i < 6; ++i) y[(i / 3 + 1) * 6 + i % 3 + 2] = in[0][i];
                    return y;
                },
            .bad =
                [](Tape& t) {
                    pad(t.constant(Tensor::zeros({2, 3})), {{1, 1}});
                }};
}

OpCase roll_case() {
    return {.name = "roll",
            .inputs = {{2, 5, 3}},
            .op = [](Tape&, Inputs x) { return roll(x[0], 1, -2); },
            .oracle = picks(30,
                            [](Index i) {
                                const Index a = i / 15, b = i / 3 % 5, c = i % 3;
                                return (a * 5 + (b + 2) % 5) * 3 + c;
                            }),
            .bad =
                [](Tape& t) {
                    roll(t.constant(Tensor::zeros({2, 3})), 2, 1);
                }};
}

OpCase broadcast_case() {
    return {.name = "broadcast_to",
            .inputs = {{3, 1, 2, 1}},
            .op =
                [](Tape&, Inputs x) {
                    return broadcast_to(x[0], {2, 3, 4, 2, 5});
                },
            .oracle = picks(240,
                            [](Index i) {
                                const Index b = i / 40 % 3, d = i / 5 % 2;
                                return b * 2 + d;
                            }),
            .bad =
                [](Tape& t) {
                    broadcast_to(t.constant(Tensor::zeros({2, 3})), {2, 6});
                },
            .depth = 11};  // 2 + 4 + 5 additions
}

OpCase broadcast_same_case() {
    return {.name = "broadcast_to/same",
            .inputs = {{2, 3}},
            .op =
                [](Tape&, Inputs x) {
                    return broadcast_to(x[0], {2, 3});
                },
            .oracle = picks(6, [](Index i) { return i; })};
}

}  // namespace

std::vector<OpCase> shape_cases() {
    return {reshape_case(), permute_case(),     permute_tiles_case(),    slice_case(0),
            slice_case(1),  concatenate_case(), concatenate_many_case(), stack_case(),
            pad_case(),     roll_case(),        broadcast_case(),        broadcast_same_case()};
}

}  // namespace soma::test
