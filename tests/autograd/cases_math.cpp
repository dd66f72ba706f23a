// Op-case rows of autograd/ops/math.h.

#include <cmath>

#include "soma/autograd/ops/math.h"
#include "support/op_cases.h"

namespace soma::test {
namespace {

using Unary = Scalar (*)(const Scalar&);
using Binary = Scalar (*)(const Scalar&, const Scalar&);

auto elementwise(Unary f) {
    return [f](const std::vector<Scalars>& in) {
        Scalars y;
        for (const Scalar& x : in[0]) y.push_back(f(x));
        return y;
    };
}

// Position of output element i of `shape` in an operand of shape `of`, by NumPy's rule.
std::size_t source(Index i, const Shape& shape, const Shape& of) {
    Index position = 0, stride = 1;
    for (int d = 1; d <= shape.rank(); ++d) {
        const Index at = i % shape[-d];
        i /= shape[-d];
        if (d > of.rank()) continue;
        position += of[-d] == 1 ? 0 : at * stride;
        stride *= of[-d];
    }
    return static_cast<std::size_t>(position);
}

auto broadcasting(Binary f, const Shape& a, const Shape& b) {
    return [=](const std::vector<Scalars>& in) {
        const Shape shape = broadcast("oracle", a, b);
        Scalars y;
        for (Index i = 0; i < shape.count(); ++i) {
            y.push_back(f(in[0][source(i, shape, a)], in[1][source(i, shape, b)]));
        }
        return y;
    };
}

// ---- oracles of functions ----

Scalar logistic(const Scalar& x) { return Scalar(1) / (Scalar(1) + exp(-x)); }
Scalar gelu_oracle(const Scalar& x) {
    return Scalar(0.5) * x * (Scalar(1) + erf(x * Scalar(std::sqrt(0.5))));
}
Scalar gelu_tanh_oracle(const Scalar& x) {
    const Scalar inner = Scalar(std::sqrt(2 / M_PI)) * (x + Scalar(0.044715) * x * x * x);
    return Scalar(0.5) * x * (Scalar(1) + tanh(inner));
}

OpCase unary_row(const char* name, Var (*op)(Var), Unary oracle) {
    return {.name = name,
            .inputs = {{3, 7}},
            .op = [op](Tape&, std::span<const Var> in) { return op(in[0]); },
            .oracle = elementwise(oracle)};
}

std::vector<OpCase> function_rows() {
    std::vector<OpCase> rows{
        unary_row("neg", neg, [](const Scalar& x) { return -x; }),
        unary_row("square", square, [](const Scalar& x) { return x * x; }),
        unary_row("abs", soma::abs, [](const Scalar& x) { return max(x, -x); }),
        unary_row("sqrt", soma::sqrt, [](const Scalar& x) { return sqrt(x); }),
        unary_row("exp", soma::exp, [](const Scalar& x) { return exp(x); }),
        unary_row("log", soma::log, [](const Scalar& x) { return log(x); }),
        unary_row("sin", soma::sin, [](const Scalar& x) { return sin(x); }),
        unary_row("cos", soma::cos, [](const Scalar& x) { return cos(x); }),
        unary_row("relu", relu, [](const Scalar& x) { return max(x, Scalar(0)); }),
        unary_row("tanh", soma::tanh, [](const Scalar& x) { return tanh(x); }),
        unary_row("scaled_tanh", scaled_tanh,
                  [](const Scalar& x) { return Scalar(1.7159) * tanh(x * Scalar(2.0 / 3)); }),
        unary_row("sigmoid", sigmoid, logistic),
        unary_row("gelu", gelu, gelu_oracle),
        unary_row("gelu_tanh", gelu_tanh, gelu_tanh_oracle),
        unary_row("silu", silu, [](const Scalar& x) { return x * logistic(x); }),
        unary_row("softplus", softplus, [](const Scalar& x) { return log(Scalar(1) + exp(x)); }),
    };
    for (OpCase& row : rows) {
        if (row.name != "sqrt" && row.name != "log") continue;
        row.low = 0.5;  // keeps the derivative of order 1
    }
    return rows;
}

std::vector<OpCase> constant_rows() {
    const std::vector<Shape> shape{{2, 9}};
    return {
        {.name = "scale",
         .inputs = shape,
         .op = [](Tape&, std::span<const Var> in) { return -1.5 * in[0]; },
         .oracle = elementwise([](const Scalar& x) { return Scalar(-1.5) * x; })},
        {.name = "add_scalar",
         .inputs = shape,
         .op = [](Tape&, std::span<const Var> in) { return in[0] - 0.75; },
         .oracle = elementwise([](const Scalar& x) { return x - Scalar(0.75); })},
        {.name = "leaky_relu",
         .inputs = shape,
         .op = [](Tape&, std::span<const Var> in) { return leaky_relu(in[0], 0.125); },
         .oracle = elementwise([](const Scalar& x) { return max(x, Scalar(0.125) * x); }),
         .bad = [](Tape& tape) { leaky_relu(tape.input(Tensor::zeros({2})), 0); }},
        {.name = "clip",
         .inputs = shape,
         .op = [](Tape&, std::span<const Var> in) { return clip(in[0], -0.5, 1.25); },
         .oracle = elementwise(
             [](const Scalar& x) { return -max(-max(x, Scalar(-0.5)), Scalar(-1.25)); }),
         .bad = [](Tape& tape) { clip(tape.input(Tensor::zeros({2})), 1, 0); }},
        {.name = "pow/cube",
         .inputs = shape,
         .op = [](Tape&, std::span<const Var> in) { return pow(in[0], 3); },
         .oracle = elementwise([](const Scalar& x) { return x * x * x; })},
        {.name = "pow/fraction",
         .inputs = shape,
         .op = [](Tape&, std::span<const Var> in) { return pow(in[0], -1.5); },
         .oracle = elementwise([](const Scalar& x) { return Scalar(1) / (x * sqrt(x)); }),
         .low = 0.5},
    };
}

OpCase binary_row(const std::string& name, Var (*op)(Var, Var), Binary oracle, const Shape& a,
                  const Shape& b) {
    return {.name = name,
            .inputs = {a, b},
            .op = [op](Tape&, std::span<const Var> in) { return op(in[0], in[1]); },
            .oracle = broadcasting(oracle, a, b),
            .bad =
                [op](Tape& tape) {
                    op(tape.input(Tensor::zeros({3, 2})), tape.input(Tensor::zeros({3})));
                }};
}

std::vector<OpCase> binary_rows() {
    struct Kind {
        const char* name;
        Var (*op)(Var, Var);
        Binary oracle;
    };
    const Kind kinds[] = {
        {"add", add, [](const Scalar& a, const Scalar& b) { return a + b; }},
        {"sub", sub, [](const Scalar& a, const Scalar& b) { return a - b; }},
        {"mul", mul, [](const Scalar& a, const Scalar& b) { return a * b; }},
        {"div", div, [](const Scalar& a, const Scalar& b) { return a / b; }},
        {"maximum", maximum, [](const Scalar& a, const Scalar& b) { return a > b ? a : b; }},
        {"minimum", minimum, [](const Scalar& a, const Scalar& b) { return a < b ? a : b; }},
    };
    struct Pair {
        const char* name;
        Shape a, b;
    };
    const Pair pairs[] = {
        {"equal", {4, 5}, {4, 5}},        {"row", {6, 5}, {5}},
        {"column", {6, 1}, {6, 5}},       {"scalar", {}, {3, 3}},
        {"outer", {4, 1}, {1, 5}},        {"middle", {2, 3, 1, 2}, {2, 1, 3, 2}},
        {"both_ends", {3, 4, 2}, {4, 1}},
    };
    std::vector<OpCase> rows;
    for (const Kind& kind : kinds) {
        for (const Pair& pair : pairs) {
            OpCase row = binary_row(std::string(kind.name) + "/" + pair.name, kind.op, kind.oracle,
                                    pair.a, pair.b);
            if (row.name.rfind("div", 0) == 0) row.low = 0.5;
            rows.push_back(row);
        }
    }
    return rows;
}

OpCase where_row() {
    const auto pick = [](double m) { return m != 0; };
    const Tensor mask = Tensor::from({2, 3}, {1, 0, 0, 2, 1, 0}, DType::f64);
    return {.name = "where",
            .inputs = {{2, 3}, {2, 3}},
            .op =
                [mask](Tape& tape, std::span<const Var> in) {
                    return where(tape.constant(mask.to(in[0].dtype())), in[0], in[1]);
                },
            .oracle =
                [mask, pick](const std::vector<Scalars>& in) {
                    Scalars y;
                    for (std::size_t i = 0; i < in[0].size(); ++i) {
                        y.push_back(in[pick(mask.at(static_cast<Index>(i))) ? 0 : 1][i]);
                    }
                    return y;
                },
            .bad =
                [](Tape& tape) {
                    const Var x = tape.constant(Tensor::zeros({2}));
                    where(x, x, tape.constant(Tensor::zeros({3})));
                }};
}

// ---- reductions over the axis of x[outer, n, inner] ----

struct Axis {
    Index outer, n, inner;
};

using Fold = Scalar (*)(const Scalars&);

auto reducing(Axis a, Fold fold) {
    return [=](const std::vector<Scalars>& in) {
        Scalars y;
        for (Index o = 0; o < a.outer; ++o) {
            for (Index i = 0; i < a.inner; ++i) {
                Scalars line;
                for (Index k = 0; k < a.n; ++k) {
                    line.push_back(in[0][static_cast<std::size_t>((o * a.n + k) * a.inner + i)]);
                }
                y.push_back(fold(line));
            }
        }
        return y;
    };
}

Scalar sum_of(const Scalars& line) {
    Scalar sum(0);
    for (const Scalar& x : line) sum += x;
    return sum;
}
Scalar mean_of(const Scalars& line) {
    return sum_of(line) / Scalar(static_cast<double>(line.size()));
}
Scalar max_of(const Scalars& line) {
    Scalar best = line[0];
    for (const Scalar& x : line) best = x > best ? x : best;
    return best;
}

OpCase axis_row(const std::string& name, Var (*op)(Var, int), Fold fold, Axis a, int axis) {
    return {.name = name,
            .inputs = {a.inner == 1 ? Shape{a.outer, a.n} : Shape{a.outer, a.n, a.inner}},
            .op = [=](Tape&, std::span<const Var> in) { return op(in[0], axis); },
            .oracle = reducing(a, fold),
            .bad =
                [op](Tape& tape) {
                    op(tape.input(Tensor::zeros({3, 2})), 2);
                },
            .depth = a.n};
}

std::vector<OpCase> reduction_rows() {
    const std::vector<Shape> shape{{7, 11}};
    return {
        {.name = "sum/all",
         .inputs = shape,
         .op = [](Tape&, std::span<const Var> in) { return sum(in[0]); },
         .oracle = reducing({1, 77, 1}, sum_of),
         .depth = 77},
        {.name = "mean/all",
         .inputs = shape,
         .op = [](Tape&, std::span<const Var> in) { return mean(in[0]); },
         .oracle = reducing({1, 77, 1}, mean_of),
         .bad =
             [](Tape& tape) {
                 mean(tape.input(Tensor::zeros({0, 2})));
             },
         .depth = 77},
        axis_row("sum/last", sum, sum_of, {3, 19, 1}, -1),
        axis_row("sum/middle", sum, sum_of, {2, 5, 3}, 1),
        axis_row("sum/leaves", sum, sum_of, {1, 300, 2}, 1),
        axis_row("mean/last", mean, mean_of, {3, 19, 1}, 1),
        axis_row("mean/middle", mean, mean_of, {2, 5, 3}, -2),
        axis_row("max/last", soma::max, max_of, {3, 19, 1}, 1),
        axis_row("max/middle", soma::max, max_of, {2, 5, 3}, 1),
    };
}

}  // namespace

std::vector<OpCase> math_cases() {
    std::vector<OpCase> rows = function_rows();
    for (const auto& more : {constant_rows(), binary_rows(), reduction_rows()}) {
        rows.insert(rows.end(), more.begin(), more.end());
    }
    rows.push_back(where_row());
    return rows;
}

}  // namespace soma::test
