// Op cases of ops/linear.h: every activation of linear, every transposition of matmul.

#include "soma/autograd/ops/linear.h"
#include "support/op_cases.h"

namespace soma::test {
namespace {

// sum_k a[i, k] b[k, j] of row-major matrices, transposed on request.
Scalars product(const Scalars& a, bool ta, const Scalars& b, bool tb, std::size_t m, std::size_t k,
                std::size_t n) {
    Scalars c(m * n);
    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            Scalar sum;
            for (std::size_t l = 0; l < k; ++l) {
                sum += (ta ? a[l * m + i] : a[i * k + l]) * (tb ? b[j * k + l] : b[l * n + j]);
            }
            c[i * n + j] = sum;
        }
    }
    return c;
}

// f(x w + b); w is [in, out].
OpCase linear_case(const std::string& variant, const Shape& x, Index out, bool bias,
                   Activation activation, Scalar (*f)(const Scalar&)) {
    const Index in = x.cols(), rows = x.rows();
    OpCase c;
    c.name = "linear/" + variant;
    c.inputs = {x, {in, out}};
    if (bias) c.inputs.push_back({out});
    c.op = [=](Tape&, std::span<const Var> v) {
        return linear(v[0], v[1], bias ? v[2] : Var{}, activation);
    };
    c.oracle = [=](const std::vector<Scalars>& v) {
        Scalars y = product(v[0], false, v[1], false, rows, in, out);
        for (std::size_t i = 0; i < y.size(); ++i) {
            if (bias) y[i] += v[2][i % out];
            y[i] = f(y[i]);
        }
        return y;
    };
    c.bad = [=](Tape& tape) {
        linear(tape.input(Tensor::zeros({3, in + 1})), tape.input(Tensor::zeros({in, out})));
    };
    c.depth = std::max({in, out, rows});
    return c;
}

OpCase matmul_case(const std::string& variant, Index batch, Index m, Index k, Index n,
                   const MatmulOptions& options) {
    const bool ta = options.transpose_a, tb = options.transpose_b;
    const auto stack = [=](Index rows, Index cols) {
        return batch == 0 ? Shape{rows, cols} : Shape{batch, rows, cols};
    };
    OpCase c;
    c.name = "matmul/" + variant;
    c.inputs = {ta ? stack(k, m) : stack(m, k), tb ? stack(n, k) : stack(k, n)};
    c.op = [=](Tape&, std::span<const Var> v) { return matmul(v[0], v[1], options); };
    c.oracle = [=](const std::vector<Scalars>& v) {
        Scalars y;
        const Index items = batch == 0 ? 1 : batch;
        for (Index i = 0; i < items; ++i) {
            const Scalars a(v[0].begin() + i * m * k, v[0].begin() + (i + 1) * m * k);
            const Scalars b(v[1].begin() + i * k * n, v[1].begin() + (i + 1) * k * n);
            const Scalars c_i = product(a, ta, b, tb, m, k, n);
            y.insert(y.end(), c_i.begin(), c_i.end());
        }
        return y;
    };
    c.bad = [=](Tape& tape) {
        matmul(tape.input(Tensor::zeros(stack(m, m + 1))),
               tape.input(Tensor::zeros(stack(m + 2, m + 2))), options);
    };
    c.depth = std::max({m, k, n});
    return c;
}

Scalar identity(const Scalar& x) { return x; }
Scalar hyperbolic(const Scalar& x) { return tanh(x); }
Scalar rectifier(const Scalar& x) { return max(x, Scalar(0)); }
Scalar normal_gate(const Scalar& x) {
    return Scalar(0.5) * x * (Scalar(1) + erf(x * Scalar(std::sqrt(0.5))));
}
Scalar logistic(const Scalar& x) { return Scalar(1) / (Scalar(1) + exp(-x)); }

}  // namespace

std::vector<OpCase> linear_cases() {
    std::vector<OpCase> cases = {
        linear_case("plain", {5, 7}, 3, false, Activation::none, identity),
        linear_case("bias", {2, 3, 4}, 6, true, Activation::none, identity),
        linear_case("one row", {9}, 4, true, Activation::none, identity),
        linear_case("one output", {6, 5}, 1, true, Activation::none, identity),
        linear_case("leaves", {530, 2}, 3, true, Activation::none, identity),
        linear_case("slices", {3, 520}, 2, true, Activation::none, identity),
        linear_case("tanh", {5, 7}, 3, true, Activation::tanh, hyperbolic),
        linear_case("relu", {5, 7}, 3, true, Activation::relu, rectifier),
        linear_case("sigmoid", {5, 7}, 3, true, Activation::sigmoid, logistic),
        linear_case("gelu", {5, 7}, 3, true, Activation::gelu, normal_gate),
        linear_case("gelu without bias", {5, 7}, 3, false, Activation::gelu, normal_gate),
    };
    for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
            const std::string ops = std::string(ta ? "T" : "N") + (tb ? "T" : "N");
            const MatmulOptions options{.transpose_a = ta, .transpose_b = tb};
            cases.push_back(matmul_case(ops, 0, 5, 4, 7, options));
            cases.push_back(matmul_case(ops + " stack", 3, 4, 5, 2, options));
        }
    }
    return cases;
}

}  // namespace soma::test
