// Op cases of ops/gated.h: every cell, with each option once.

#include <algorithm>
#include <cmath>

#include "soma/autograd/ops/gated.h"
#include "support/op_cases.h"

namespace soma::test {
namespace {

enum class Cell { lstm, reset_after, reset_before, ugrnn };

struct GatedCase {
    std::string variant;
    Cell cell = Cell::lstm;
    Index steps = 4, batch = 3, units = 5, inputs = 2;
    enum class Start { absent, shared, per_trial } start = Start::per_trial;
    std::vector<Index> lengths = {};
    bool biases = true, peephole = false, cells = false;

    Index gates() const { return cell == Cell::lstm ? 4 : cell == Cell::ugrnn ? 2 : 3; }
    std::string op() const {
        return cell == Cell::lstm ? "lstm" : cell == Cell::ugrnn ? "ugrnn" : "gru";
    }
    Index length(Index b) const {
        return lengths.empty() ? steps : lengths[static_cast<std::size_t>(b)];
    }
    bool has_bias_rec() const { return biases && cell == Cell::reset_after; }
};

// The inputs of a case by name, as Vars or as Scalars: both are built in one order.
template <class V>
struct Inputs {
    V u, w_in, w_rec, bias, bias_rec, peephole, h, c;
};

// f(member of Inputs, shape) for each input that a case has.
template <class V, class F>
void for_each_input(const GatedCase& c, Inputs<V>& in, F f) {
    const Index n = c.units, width = c.gates() * n;
    f(in.u, Shape{c.steps, c.batch, c.inputs});
    f(in.w_in, Shape{c.inputs, width});
    f(in.w_rec, Shape{n, width});
    if (c.biases) f(in.bias, Shape{width});
    if (c.has_bias_rec()) f(in.bias_rec, Shape{n});
    if (c.peephole) f(in.peephole, Shape{3, n});
    if (c.start == GatedCase::Start::absent) return;
    const Shape start = c.start == GatedCase::Start::shared ? Shape{n} : Shape{c.batch, n};
    f(in.h, start);
    if (c.cell == Cell::lstm) f(in.c, start);
}

template <class V, class List>
Inputs<V> named(const GatedCase& c, const List& list) {
    Inputs<V> in;
    std::size_t i = 0;
    for_each_input(c, in, [&](V& v, const Shape&) { v = list[i++]; });
    return in;
}

std::vector<Shape> shapes_of(const GatedCase& c) {
    std::vector<Shape> shapes;
    Inputs<int> unused{};
    for_each_input(c, unused, [&](int&, const Shape& s) { shapes.push_back(s); });
    return shapes;
}

Scalar tanh_of(const Scalar& x) {
    const double y = std::tanh(x.value());
    return Scalar::unary(x, y, 1 - y * y);
}
Scalar sigmoid_of(const Scalar& x) {
    const double y = 1 / (1 + std::exp(-x.value()));
    return Scalar::unary(x, y, y * (1 - y));
}

// The formulas of ops/gated.h, trial by trial.
class GatedOracle {
public:
    GatedOracle(const GatedCase& c, const std::vector<Scalars>& v)
        : c_(c), in_(named<Scalars>(c, v)) {}

    Scalars run() const {
        const Index all = c_.steps * c_.batch * c_.units;
        Scalars y(at(c_.cells ? 2 * all : all));
        for (Index b = 0; b < c_.batch; ++b) {
            Scalars h = start(in_.h, b), c = start(in_.c, b);
            for (Index t = 0; t < c_.length(b); ++t) {
                step((t * c_.batch + b) * c_.inputs, h, c);
                const Index to = (t * c_.batch + b) * c_.units;
                std::copy(h.begin(), h.end(), y.begin() + to);
                if (c_.cells) std::copy(c.begin(), c.end(), y.begin() + all + to);
            }
        }
        return y;
    }

private:
    static std::size_t at(Index i) { return static_cast<std::size_t>(i); }

    Scalars start(const Scalars& given, Index b) const {
        Scalars x(at(c_.units));
        for (Index i = 0; i < c_.units && !given.empty(); ++i) {
            x[at(i)] = given[at(c_.start == GatedCase::Start::shared ? i : b * c_.units + i)];
        }
        return x;
    }

    // Column `unit` of gate k: of u w_in + bias, and of x w_rec.
    Scalar input(Index first, Index k, Index unit) const {
        const Index width = c_.gates() * c_.units, column = k * c_.units + unit;
        Scalar sum = c_.biases ? in_.bias[at(column)] : Scalar(0);
        for (Index i = 0; i < c_.inputs; ++i) {
            sum += in_.u[at(first + i)] * in_.w_in[at(i * width + column)];
        }
        return sum;
    }
    Scalar recurrent(const Scalars& x, Index k, Index unit) const {
        Scalar sum;
        for (Index i = 0; i < c_.units; ++i) {
            sum += x[at(i)] * in_.w_rec[at((i * c_.gates() + k) * c_.units + unit)];
        }
        return sum;
    }

    void step(Index u, Scalars& h, Scalars& c) const {
        const Scalars before = h;
        const auto argument = [&](Index k, Index i) {
            return input(u, k, i) + recurrent(before, k, i);
        };
        for (Index i = 0; i < c_.units; ++i) {
            if (c_.cell == Cell::lstm) {
                lstm(argument, i, h[at(i)], c[at(i)]);
            } else if (c_.cell == Cell::ugrnn) {
                const Scalar g = sigmoid_of(argument(1, i));
                h[at(i)] = (Scalar(1) - g) * tanh_of(argument(0, i)) + g * before[at(i)];
            } else {
                const Scalar z = sigmoid_of(argument(1, i));
                const Scalar n = tanh_of(candidate(u, before, i));
                h[at(i)] = (Scalar(1) - z) * n + z * before[at(i)];
            }
        }
    }

    template <class F>
    void lstm(F argument, Index i, Scalar& h, Scalar& c) const {
        const auto peep = [&](Index k) {
            return c_.peephole ? in_.peephole[at(k * c_.units + i)] * c : Scalar(0);
        };
        const Scalar in = sigmoid_of(argument(0, i) + peep(0));
        const Scalar forget = sigmoid_of(argument(1, i) + peep(1));
        c = forget * c + in * tanh_of(argument(2, i));
        h = sigmoid_of(argument(3, i) + peep(2)) * tanh_of(c);
    }

    // The argument of n.
    Scalar candidate(Index u, const Scalars& h, Index i) const {
        const auto reset = [&](Index k) { return sigmoid_of(input(u, 0, k) + recurrent(h, 0, k)); };
        if (c_.cell == Cell::reset_after) {
            Scalar m = recurrent(h, 2, i);
            if (c_.has_bias_rec()) m += in_.bias_rec[at(i)];
            return input(u, 2, i) + reset(i) * m;
        }
        Scalars rh;
        for (Index k = 0; k < c_.units; ++k) rh.push_back(reset(k) * h[at(k)]);
        return input(u, 2, i) + recurrent(rh, 2, i);
    }

    const GatedCase& c_;
    Inputs<Scalars> in_;
};

Var run(const GatedCase& c, std::span<const Var> v) {
    const auto in = named<Var>(c, v);
    const GatedWeights w{in.w_in, in.w_rec, in.bias, in.bias_rec, in.peephole};
    switch (c.cell) {
        case Cell::lstm:
            return lstm({in.h, in.c}, in.u, w, {.lengths = c.lengths, .cells = c.cells});
        case Cell::reset_after:
            return gru(in.h, in.u, w, GruForm::reset_after, {.lengths = c.lengths});
        case Cell::reset_before:
            return gru(in.h, in.u, w, GruForm::reset_before, {.lengths = c.lengths});
        case Cell::ugrnn:
            return ugrnn(in.h, in.u, w, {.lengths = c.lengths});
    }
    return {};
}

OpCase gated_case(const GatedCase& c) {
    return {.name = c.op() + "/" + c.variant,
            .inputs = shapes_of(c),
            .op = [c](Tape&, std::span<const Var> v) { return run(c, v); },
            .oracle = [c](const std::vector<Scalars>& v) { return GatedOracle(c, v).run(); },
            .bad =
                [c](Tape& tape) {
                    std::vector<Var> v;
                    for (const Shape& s : shapes_of(c))
                        v.push_back(tape.constant(Tensor::zeros(s)));
                    v[1] = tape.constant(Tensor::zeros({c.inputs, c.units}));  // one gate only
                    run(c, v);
                },
            .low = -1,
            .high = 1,
            .depth = c.steps * (c.gates() * c.units + c.inputs + 8)};
}

// Each trial's own steps, last first.
OpCase reverse_case(const std::string& variant, const std::vector<Index>& lengths) {
    return {.name = "reverse_time/" + variant,
            .inputs = {{3, 2, 4}},
            .op = [lengths](Tape&, std::span<const Var> v) { return reverse_time(v[0], lengths); },
            .oracle =
                [lengths](const std::vector<Scalars>& v) {
                    Scalars y = v[0];
                    for (Index b = 0; b < 2; ++b) {
                        const Index n = lengths.empty() ? 3 : lengths[static_cast<std::size_t>(b)];
                        for (Index t = 0; t < n; ++t) {
                            std::copy_n(v[0].begin() + ((n - 1 - t) * 2 + b) * 4, 4,
                                        y.begin() + (t * 2 + b) * 4);
                        }
                    }
                    return y;
                },
            .bad =
                [](Tape& tape) {
                    reverse_time(tape.constant(Tensor::zeros({3, 2})));
                }};
}

}  // namespace

std::vector<OpCase> gated_cases() {
    std::vector<OpCase> cases;
    const std::pair<Cell, std::string> cells[] = {{Cell::lstm, "lstm"},
                                                  {Cell::reset_after, "reset_after"},
                                                  {Cell::reset_before, "reset_before"},
                                                  {Cell::ugrnn, "ugrnn"}};
    using Start = GatedCase::Start;
    for (const auto& [cell, name] : cells) {
        const auto add = [&cases, cell = cell, name = name](GatedCase c) {
            c.variant = name + "_" + c.variant;
            c.cell = cell;
            cases.push_back(gated_case(c));
        };
        add({.variant = "starts"});
        add({.variant = "shared_start", .start = Start::shared});
        add({.variant = "bare", .start = Start::absent, .biases = false});
        add({.variant = "lengths", .batch = 4, .lengths = {4, 3, 1, 0}});
        add({.variant = "one_step", .steps = 1});
        add({.variant = "wide", .batch = 17, .units = 20, .inputs = 9});
    }
    cases.push_back(gated_case({.variant = "peephole", .peephole = true}));
    cases.push_back(gated_case(
        {.variant = "peephole_lengths", .batch = 4, .lengths = {4, 2, 2, 0}, .peephole = true}));
    cases.push_back(gated_case({.variant = "cells", .cells = true}));
    cases.push_back(gated_case({.variant = "cells_lengths",
                                .batch = 4,
                                .lengths = {4, 3, 1, 0},
                                .peephole = true,
                                .cells = true}));
    cases.push_back(reverse_case("whole", {}));
    cases.push_back(reverse_case("lengths", {3, 2}));
    return cases;
}

}  // namespace soma::test
