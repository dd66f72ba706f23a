#include "soma/neuro/ctrnn_dynamics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "soma/core/arena.h"
#include "soma/core/error.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/vmath.h"

namespace soma::neuro {
namespace {

template <class F>
void map_values(Index n, const double* x, double* y, F f) {
    for (Index i = 0; i < n; ++i) y[i] = f(x[i]);
}

void check_size(const char* matrix, const std::vector<double>& values, Index rows, Index cols) {
    SOMA_CHECK(values.empty() || static_cast<Index>(values.size()) == rows * cols,
               "ctrnn: ", matrix, " has ", values.size(), " values; need ", rows, " x ", cols,
               " or none");
}

// Checks all sizes and replaces empty matrices by zeros.
CtrnnWeights complete(CtrnnWeights w) {
    SOMA_CHECK(w.units >= 1 && w.inputs >= 0 && w.rank >= 0, "ctrnn: ", w.units, " units, ",
               w.inputs, " inputs, rank ", w.rank, "; need at least 1, 0 and 0");
    check_size("w_rec", w.w_rec, w.units, w.units);
    check_size("m", w.m, w.units, w.rank);
    check_size("n", w.n, w.units, w.rank);
    check_size("w_in", w.w_in, w.inputs, w.units);
    check_size("bias", w.bias, 1, w.units);
    w.m.resize(static_cast<std::size_t>(w.units * w.rank));
    w.n.resize(static_cast<std::size_t>(w.units * w.rank));
    w.w_in.resize(static_cast<std::size_t>(w.inputs * w.units));
    w.bias.resize(static_cast<std::size_t>(w.units));
    return w;
}

// d = bias + u w_in.
void input_drive(Index units, Values u, const std::vector<double>& w_in,
                 const std::vector<double>& bias, double* d) {
    std::copy(bias.begin(), bias.end(), d);
    for (Index k = 0; k < static_cast<Index>(u.size()); ++k) {
        const double* w = w_in.data() + k * units;
        for (Index i = 0; i < units; ++i) d[i] += u[static_cast<std::size_t>(k)] * w[i];
    }
}

}  // namespace

void apply(Nonlinearity f, Index n, const double* x, double* y) {
    kernels::table<double>().rnn.rate(f, n, x, y);
}

void apply_derivative(Nonlinearity f, Index n, const double* r, double* d) {
    using enum Nonlinearity;
    switch (f) {
        case tanh:
            return map_values(n, r, d, [](double v) { return 1 - v * v; });
        case relu:
            return map_values(n, r, d, [](double v) { return v > 0 ? 1.0 : 0.0; });
        case softplus:
            return map_values(n, r, d, [](double v) { return 1 - vmath::exp(-v); });
        case retanh:
            return map_values(n, r, d, [](double v) { return v > 0 ? 1 - v * v : 0.0; });
        case relu2:
            return map_values(n, r, d, [](double v) { return 2 * std::sqrt(v); });
        case sigmoid:
            return map_values(n, r, d, [](double v) { return v * (1 - v); });
    }
}

double max_curvature(Nonlinearity f) {
    const double tanh = 4 / (3 * std::sqrt(3.0));
    const double kMax[] = {tanh, 0, 0.25, tanh, 2, tanh / 8};  // sigmoid(x) = (1 + tanh(x/2)) / 2
    return kMax[static_cast<int>(f)];
}

bool has_kink(Nonlinearity f) { return f == Nonlinearity::relu || f == Nonlinearity::retanh; }

bool is_bounded(Nonlinearity f) {
    return f == Nonlinearity::tanh || f == Nonlinearity::retanh || f == Nonlinearity::sigmoid;
}

// ---- N states ----

CtrnnDynamics::CtrnnDynamics(CtrnnWeights weights, CtrnnOptions options)
    : Dynamics(concat("ctrnn (", name_of(options.convention), ", ", name_of(options.f), ")"),
               weights.units, weights.inputs, options.time),
      options_(options) {
    CtrnnWeights w = complete(std::move(weights));
    const Index n = size();
    w_rec_ = std::move(w.w_rec);
    w_rec_.resize(static_cast<std::size_t>(n * n));
    w_in_ = std::move(w.w_in);
    bias_ = std::move(w.bias);
    if (w.rank > 0) {
        kernels::gemm<double>({.op_b = kernels::Op::T,
                               .m = n,
                               .n = n,
                               .k = w.rank,
                               .alpha = 1 / static_cast<double>(n),
                               .a = w.n.data(),
                               .lda = w.rank,
                               .b = w.m.data(),
                               .ldb = w.rank,
                               .beta = 1,
                               .c = w_rec_.data(),
                               .ldc = n});
    }
    const bool leaky = options.convention == Convention::rectified_leak;
    w_.resize(w_rec_.size());
    for (Index to = 0; to < n; ++to) {
        double sum = 0;
        for (Index from = 0; from < n; ++from) {
            const double w_ij = w_rec_[static_cast<std::size_t>(from * n + to)];
            w_[static_cast<std::size_t>(to * n + from)] = w_ij;
            sum += std::abs(leaky ? alpha() * w_ij + (from == to ? 1 - alpha() : 0.0) : w_ij);
        }
        row_sum_ = std::max(row_sum_, sum);
    }
}

bool CtrnnDynamics::is_dissipative() const { return is_bounded(options_.f); }

void CtrnnDynamics::drive(const double* u, double* d) const {
    input_drive(size(), {u, static_cast<std::size_t>(inputs())}, w_in_, bias_, d);
}

// h [B, N], what f is applied to, of the conventions whose state is a rate.
void CtrnnDynamics::argument(Index batch, const double* x, const double* u, double* h) const {
    ScratchScope scratch;
    const Index n = size();
    double* d = scratch.array<double>(n);
    drive(u, d);
    const bool leaky = options_.convention == Convention::rectified_leak;
    const double gain = leaky ? alpha() : 1;
    for (Index i = 0; i < n; ++i) d[i] *= gain;
    if (leaky) std::copy(x, x + batch * n, h);
    kernels::gemm<double>({.m = batch,
                           .n = n,
                           .k = n,
                           .alpha = gain,
                           .a = x,
                           .lda = n,
                           .b = w_rec_.data(),
                           .ldb = n,
                           .beta = leaky ? 1 - alpha() : 0,
                           .c = h,
                           .ldc = n,
                           .epilogue = {.bias = d}});
}

// d [B, N] = f'(h).
void CtrnnDynamics::slope(Index batch, const double* x, const double* u, double* d) const {
    const double* h = x;
    if (!keeps_current(options_.convention)) {
        argument(batch, x, u, d);
        h = d;
    }
    apply(options_.f, batch * size(), h, d);
    apply_derivative(options_.f, batch * size(), d, d);
}

void CtrnnDynamics::do_step(Index batch, const double* x, const double* u, double* out) const {
    const Index n = size(), count = batch * n;
    if (!keeps_current(options_.convention)) {
        argument(batch, x, u, out);
        apply(options_.f, count, out, out);
        if (options_.convention == Convention::rate) {
            kernels::axpby<double>(count, 1 - alpha(), x, alpha(), out);
        }
        return;
    }
    ScratchScope scratch;
    double* rates = scratch.array<double>(count);
    double* d = scratch.array<double>(n);
    apply(options_.f, count, x, rates);
    drive(u, d);
    for (Index i = 0; i < n; ++i) d[i] *= alpha();
    std::copy(x, x + count, out);
    kernels::gemm<double>({.m = batch,
                           .n = n,
                           .k = n,
                           .alpha = alpha(),
                           .a = rates,
                           .lda = n,
                           .b = w_rec_.data(),
                           .ldb = n,
                           .beta = 1 - alpha(),
                           .c = out,
                           .ldc = n,
                           .epilogue = {.bias = d}});
}

// With V = v D for the rate conventions, v J is (1 - alpha) v + alpha V W (rate) or
// (1 - alpha) V + alpha V W; for `current` D multiplies v W afterwards.
void CtrnnDynamics::do_pullback(Index batch, const double* x, const double* u, const double* v,
                                double* out) const {
    const Index n = size(), count = batch * n;
    const bool late = keeps_current(options_.convention);
    ScratchScope scratch;
    double* d = scratch.array<double>(count);
    slope(batch, x, u, d);
    double* scaled = scratch.array<double>(late ? 0 : count);
    for (Index i = 0; !late && i < count; ++i) scaled[i] = v[i] * d[i];
    const double* left = late ? v : scaled;
    kernels::gemm<double>({.op_b = kernels::Op::T,
                           .m = batch,
                           .n = n,
                           .k = n,
                           .alpha = alpha(),
                           .a = left,
                           .lda = n,
                           .b = w_rec_.data(),
                           .ldb = n,
                           .c = out,
                           .ldc = n});
    const double* leak = options_.convention == Convention::rectified_leak ? scaled : v;
    for (Index i = 0; i < count; ++i) {
        out[i] = (late ? out[i] * d[i] : out[i]) + (1 - alpha()) * leak[i];
    }
}

void CtrnnDynamics::do_jacobian(const double* x, const double* u, double* j) const {
    const Index n = size();
    ScratchScope scratch;
    double* d = scratch.array<double>(n);
    slope(1, x, u, d);
    const bool by_column = keeps_current(options_.convention);
    const bool leaky = options_.convention == Convention::rectified_leak;
    for (Index i = 0; i < n; ++i) {
        const double* w = w_.data() + i * n;
        double* row = j + i * n;
        const double gain = alpha() * (by_column ? 1 : d[i]);
        for (Index k = 0; k < n; ++k) row[k] = gain * w[k];
        for (Index k = 0; by_column && k < n; ++k) row[k] *= d[k];
        j[i * n + i] += (1 - alpha()) * (leaky ? d[i] : 1);
    }
}

void CtrnnDynamics::do_input_jacobian(const double* x, const double* u, double* b) const {
    const Index n = size();
    std::vector<double> d(static_cast<std::size_t>(n), 1.0);
    if (!keeps_current(options_.convention)) slope(1, x, u, d.data());
    for (Index i = 0; i < n; ++i) {
        for (Index k = 0; k < inputs(); ++k) {
            b[i * inputs() + k] = alpha() * d[static_cast<std::size_t>(i)] *
                                  w_in_[static_cast<std::size_t>(k * n + i)];
        }
    }
}

double CtrnnDynamics::jacobian_lipschitz(Values x, Values u, double radius) const {
    const bool current = keeps_current(options_.convention);
    if (has_kink(options_.f)) {
        std::vector<double> h(x.begin(), x.end());
        if (!current) argument(1, x.data(), u.data(), h.data());
        const double reach = current ? radius : radius * row_sum_;
        for (const double value : h) {
            if (!(std::abs(value) > reach)) return std::numeric_limits<double>::infinity();
        }
    }
    const double m = max_curvature(options_.f);
    if (current) return alpha() * row_sum_ * m;
    const double gain = options_.convention == Convention::rate ? alpha() : 1;
    return gain * row_sum_ * row_sum_ * m;
}

// ---- R states ----

LowRankDynamics::LowRankDynamics(CtrnnWeights weights, CtrnnOptions options)
    : Dynamics(concat("low-rank ctrnn (", name_of(options.f), ")"), weights.rank, weights.inputs,
               options.time),
      weights_(complete(std::move(weights))),
      options_(options) {
    SOMA_CHECK(weights_.w_rec.empty() && keeps_current(options.convention),
               "low-rank ctrnn: w_rec has ", weights_.w_rec.size(), " values, convention is ",
               name_of(options.convention), "; need none and current");
}

std::vector<double> LowRankDynamics::lift(Values kappa, Values u) const {
    const Index units = weights_.units, rank = weights_.rank;
    SOMA_CHECK(static_cast<Index>(kappa.size()) == rank && static_cast<Index>(u.size()) == inputs(),
               name(), ": lift: kappa has ", kappa.size(), " values, u ", u.size(), "; need ", rank,
               " and ", inputs());
    std::vector<double> x(static_cast<std::size_t>(units));
    input_drive(units, u, weights_.w_in, weights_.bias, x.data());
    for (Index i = 0; i < units; ++i) {
        for (Index r = 0; r < rank; ++r) {
            x[static_cast<std::size_t>(i)] += weights_.m[static_cast<std::size_t>(i * rank + r)] *
                                              kappa[static_cast<std::size_t>(r)];
        }
    }
    return x;
}

// f'(x) of the lifted state.
std::vector<double> LowRankDynamics::slopes(const double* kappa, const double* u) const {
    std::vector<double> x =
        lift({kappa, static_cast<std::size_t>(size())}, {u, static_cast<std::size_t>(inputs())});
    apply(options_.f, weights_.units, x.data(), x.data());
    apply_derivative(options_.f, weights_.units, x.data(), x.data());
    return x;
}

void LowRankDynamics::do_step(Index batch, const double* x, const double* u, double* out) const {
    const Index rank = size(), units = weights_.units;
    for (Index b = 0; b < batch; ++b) {
        const double* kappa = x + b * rank;
        std::vector<double> r =
            lift({kappa, static_cast<std::size_t>(rank)}, {u, static_cast<std::size_t>(inputs())});
        apply(options_.f, units, r.data(), r.data());
        for (Index k = 0; k < rank; ++k) {
            double sum = 0;
            for (Index i = 0; i < units; ++i) {
                sum += weights_.n[static_cast<std::size_t>(i * rank + k)] *
                       r[static_cast<std::size_t>(i)];
            }
            out[b * rank + k] =
                (1 - alpha()) * kappa[k] + alpha() / static_cast<double>(units) * sum;
        }
    }
}

void LowRankDynamics::do_jacobian(const double* x, const double* u, double* j) const {
    const Index rank = size(), units = weights_.units;
    const std::vector<double> d = slopes(x, u);
    for (Index k = 0; k < rank; ++k) {
        for (Index r = 0; r < rank; ++r) {
            double sum = 0;
            for (Index i = 0; i < units; ++i) {
                sum += weights_.n[static_cast<std::size_t>(i * rank + k)] *
                       d[static_cast<std::size_t>(i)] *
                       weights_.m[static_cast<std::size_t>(i * rank + r)];
            }
            j[k * rank + r] =
                alpha() / static_cast<double>(units) * sum + (k == r ? 1 - alpha() : 0.0);
        }
    }
}

void LowRankDynamics::do_input_jacobian(const double* x, const double* u, double* b) const {
    const Index rank = size(), units = weights_.units;
    const std::vector<double> d = slopes(x, u);
    for (Index k = 0; k < rank; ++k) {
        for (Index c = 0; c < inputs(); ++c) {
            double sum = 0;
            for (Index i = 0; i < units; ++i) {
                sum += weights_.n[static_cast<std::size_t>(i * rank + k)] *
                       d[static_cast<std::size_t>(i)] *
                       weights_.w_in[static_cast<std::size_t>(c * units + i)];
            }
            b[k * inputs() + c] = alpha() / static_cast<double>(units) * sum;
        }
    }
}

// |dh_i| <= s_i |dkappa|_inf with s_i = sum_r |m_ir|, so row k changes by at most
// (alpha / N) M sum_i |n_ik| s_i^2 |dkappa|_inf.
double LowRankDynamics::jacobian_lipschitz(Values x, Values u, double radius) const {
    const Index rank = size(), units = weights_.units;
    const std::vector<double> h = lift(x, u);
    std::vector<double> rows(static_cast<std::size_t>(rank));
    for (Index i = 0; i < units; ++i) {
        double s = 0;
        for (Index r = 0; r < rank; ++r) {
            s += std::abs(weights_.m[static_cast<std::size_t>(i * rank + r)]);
        }
        if (has_kink(options_.f) && !(std::abs(h[static_cast<std::size_t>(i)]) > radius * s)) {
            return std::numeric_limits<double>::infinity();
        }
        for (Index k = 0; k < rank; ++k) {
            rows[static_cast<std::size_t>(k)] +=
                std::abs(weights_.n[static_cast<std::size_t>(i * rank + k)]) * s * s;
        }
    }
    const double largest = *std::max_element(rows.begin(), rows.end());
    return alpha() / static_cast<double>(units) * max_curvature(options_.f) * largest;
}

}  // namespace soma::neuro
