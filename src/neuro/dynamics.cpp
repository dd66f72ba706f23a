#include "soma/neuro/dynamics.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "soma/core/error.h"
#include "soma/kernels/gemm.h"

namespace soma::neuro {
namespace {

Index length(Values v) { return static_cast<Index>(v.size()); }

Values row(const double* x, Index i, Index n) { return {x + i * n, static_cast<std::size_t>(n)}; }

// c = a b; a [n, n], b and c [n, m].
void multiply(Index n, Index m, const double* a, const double* b, double* c) {
    kernels::gemm<double>(
        {.m = n, .n = m, .k = n, .a = a, .lda = n, .b = b, .ldb = m, .c = c, .ldc = m});
}

}  // namespace

Dynamics::Dynamics(std::string name, Index size, Index inputs, TimeScale time)
    : name_(std::move(name)), size_(size), inputs_(inputs), time_(time) {
    SOMA_CHECK(size >= 1 && inputs >= 0, name_, ": ", size, " states and ", inputs,
               " inputs; need at least 1 and 0");
    SOMA_CHECK(std::isfinite(time.dt) && std::isfinite(time.tau) && time.dt > 0 && time.tau > 0,
               name_, ": dt is ", time.dt, ", tau is ", time.tau, "; need positive numbers");
}

Index Dynamics::check_batch(const char* operation, Values x, Values u) const {
    SOMA_CHECK(length(x) % size_ == 0, name_, ": ", operation, ": x has ", length(x),
               " values; need rows of ", size_);
    SOMA_CHECK(length(u) == inputs_, name_, ": ", operation, ": u has ", length(u),
               " values; need ", inputs_);
    return length(x) / size_;
}

void Dynamics::step(Values x, Values u, MutableValues out) const {
    const Index batch = check_batch("step", x, u);
    SOMA_CHECK(out.size() == x.size(), name_, ": step: out has ", out.size(), " values, x has ",
               x.size(), "; need equal sizes");
    do_step(batch, x.data(), u.data(), out.data());
}

void Dynamics::pullback(Values x, Values u, Values v, MutableValues out) const {
    const Index batch = check_batch("pullback", x, u);
    SOMA_CHECK(out.size() == x.size() && v.size() == x.size(), name_, ": pullback: x has ",
               x.size(), " values, v ", v.size(), ", out ", out.size(), "; need equal sizes");
    do_pullback(batch, x.data(), u.data(), v.data(), out.data());
}

void Dynamics::jacobian(Values x, Values u, MutableValues j) const {
    const Index batch = check_batch("jacobian", x, u);
    SOMA_CHECK(batch == 1 && length(j) == size_ * size_, name_, ": jacobian: x has ", x.size(),
               " values, j ", j.size(), "; need ", size_, " and ", size_ * size_);
    do_jacobian(x.data(), u.data(), j.data());
}

void Dynamics::input_jacobian(Values x, Values u, MutableValues b) const {
    const Index batch = check_batch("input_jacobian", x, u);
    SOMA_CHECK(batch == 1 && length(b) == size_ * inputs_, name_, ": input_jacobian: x has ",
               x.size(), " values, b ", b.size(), "; need ", size_, " and ", size_ * inputs_);
    if (inputs_ > 0) do_input_jacobian(x.data(), u.data(), b.data());
}

double Dynamics::jacobian_lipschitz(Values, Values, double) const {
    return std::numeric_limits<double>::infinity();
}

void Dynamics::do_pullback(Index batch, const double* x, const double* u, const double* v,
                           double* out) const {
    std::vector<double> j(static_cast<std::size_t>(size_ * size_));
    for (Index i = 0; i < batch; ++i) {
        do_jacobian(x + i * size_, u, j.data());
        kernels::gemm<double>({.m = 1,
                               .n = size_,
                               .k = size_,
                               .a = v + i * size_,
                               .lda = size_,
                               .b = j.data(),
                               .ldb = size_,
                               .c = out + i * size_,
                               .ldc = size_});
    }
}

// ---- functions of one state ----

FunctionDynamics::FunctionDynamics(std::string name, Index size, Index inputs, Functions functions,
                                   TimeScale time)
    : Dynamics(std::move(name), size, inputs, time), functions_(std::move(functions)) {
    SOMA_CHECK(functions_.step && functions_.jacobian, this->name(),
               ": step or jacobian is missing");
    SOMA_CHECK(inputs == 0 || functions_.input_jacobian, this->name(), ": ", inputs,
               " inputs but no input_jacobian");
}

void FunctionDynamics::do_step(Index batch, const double* x, const double* u, double* out) const {
    const auto n = static_cast<std::size_t>(size());
    for (Index i = 0; i < batch; ++i) {
        functions_.step(row(x, i, size()), row(u, 0, inputs()), {out + i * size(), n});
    }
}

void FunctionDynamics::do_jacobian(const double* x, const double* u, double* j) const {
    functions_.jacobian(row(x, 0, size()), row(u, 0, inputs()),
                        {j, static_cast<std::size_t>(size() * size())});
}

void FunctionDynamics::do_input_jacobian(const double* x, const double* u, double* b) const {
    functions_.input_jacobian(row(x, 0, size()), row(u, 0, inputs()),
                              {b, static_cast<std::size_t>(size() * inputs())});
}

// ---- flows ----

VectorField flow_of(const Dynamics& d) {
    const Index n = d.size();
    const double rate = 1 / d.dt();
    return {.size = n,
            .inputs = d.inputs(),
            .velocity =
                [&d, rate](Values x, Values u, MutableValues v) {
                    d.step(x, u, v);
                    for (std::size_t i = 0; i < x.size(); ++i) v[i] = (v[i] - x[i]) * rate;
                },
            .jacobian =
                [&d, n, rate](Values x, Values u, MutableValues j) {
                    d.jacobian(x, u, j);
                    for (Index i = 0; i < n; ++i) j[i * n + i] -= 1;
                    for (double& value : j) value *= rate;
                },
            .input_jacobian =
                [&d, rate](Values x, Values u, MutableValues b) {
                    d.input_jacobian(x, u, b);
                    for (double& value : b) value *= rate;
                }};
}

namespace {

// Derivatives of one Runge-Kutta step along m directions (columns). Stage s evaluates v at
// x + c_s h k_{s-1}; with K_s = dk_s the chain rule gives K_s = Jv (S + c_s h K_{s-1}) + Bv, and
// the derivative of the step is S + h sum_s w_s K_s. For directions in x: S = 1, Bv = 0; for
// directions in u: S = 0, Bv = dv/du.
class StepDerivative {
public:
    StepDerivative(const VectorField& field, bool in_input, MutableValues out)
        : field_(field),
          in_input_(in_input),
          m_(in_input ? field.inputs : field.size),
          out_(out),
          jv_(static_cast<std::size_t>(field.size * field.size)),
          inner_(out.size()),
          stage_(out.size()),
          forcing_(in_input ? out.size() : 0) {
        add_start(out_);
    }

    // node = c_s h, weight = h w_s, `at` the state of stage s.
    void add_stage(double node, double weight, Values at, Values u) {
        const Index n = field_.size;
        for (std::size_t i = 0; i < inner_.size(); ++i) inner_[i] = node * stage_[i];
        if (!in_input_) {
            for (Index i = 0; i < n; ++i) inner_[static_cast<std::size_t>(i * n + i)] += 1;
        }
        field_.jacobian(at, u, jv_);
        if (in_input_) field_.input_jacobian(at, u, forcing_);
        multiply(n, m_, jv_.data(), inner_.data(), stage_.data());
        for (std::size_t i = 0; i < forcing_.size(); ++i) stage_[i] += forcing_[i];
        for (std::size_t i = 0; i < stage_.size(); ++i) out_[i] += weight * stage_[i];
    }

private:
    void add_start(MutableValues out) const {
        std::fill(out.begin(), out.end(), 0.0);
        if (in_input_) return;
        for (Index i = 0; i < m_; ++i) out[static_cast<std::size_t>(i * m_ + i)] = 1;
    }

    const VectorField& field_;
    bool in_input_;
    Index m_;
    MutableValues out_;
    std::vector<double> jv_, inner_, stage_, forcing_;
};

// One step; the derivative, when there is one, follows the stages.
void take_step(const VectorField& field, Values x, Values u, double h, MutableValues out,
               StepDerivative* derivative) {
    constexpr double kNode[4] = {0, 0.5, 0.5, 1};
    constexpr double kWeight[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    std::vector<double> k(x.size()), at(x.size()), sum(x.begin(), x.end());
    for (int s = 0; s < 4; ++s) {
        for (std::size_t i = 0; i < at.size(); ++i) at[i] = x[i] + kNode[s] * h * k[i];
        field.velocity(at, u, k);
        for (std::size_t i = 0; i < at.size(); ++i) sum[i] += h * kWeight[s] * k[i];
        if (derivative) derivative->add_stage(kNode[s] * h, h * kWeight[s], at, u);
    }
    std::copy(sum.begin(), sum.end(), out.begin());
}

}  // namespace

void runge_kutta4(const VectorField& field, Values x, Values u, double h, MutableValues out,
                  MutableValues j) {
    const Index n = field.size;
    SOMA_CHECK(length(x) == n && length(out) == n && length(u) == field.inputs &&
                   (j.empty() || length(j) == n * n),
               "runge_kutta4: x has ", x.size(), " values, u ", u.size(), ", out ", out.size(),
               ", j ", j.size(), "; need ", n, ", ", field.inputs, ", ", n, " and 0 or ", n * n);
    if (j.empty()) return take_step(field, x, u, h, out, nullptr);
    StepDerivative derivative(field, false, j);
    take_step(field, x, u, h, out, &derivative);
}

RungeKutta4Map::RungeKutta4Map(std::string name, VectorField field, TimeScale time)
    : Dynamics(std::move(name), field.size, field.inputs, time), field_(std::move(field)) {
    SOMA_CHECK(field_.velocity && field_.jacobian, this->name(),
               ": velocity or jacobian is missing");
    SOMA_CHECK(inputs() == 0 || field_.input_jacobian, this->name(), ": ", inputs(),
               " inputs but no input_jacobian");
}

void RungeKutta4Map::do_step(Index batch, const double* x, const double* u, double* out) const {
    const auto n = static_cast<std::size_t>(size());
    for (Index i = 0; i < batch; ++i) {
        runge_kutta4(field_, row(x, i, size()), row(u, 0, inputs()), dt(), {out + i * size(), n});
    }
}

void RungeKutta4Map::do_jacobian(const double* x, const double* u, double* j) const {
    const auto n = static_cast<std::size_t>(size());
    std::vector<double> out(n);
    runge_kutta4(field_, row(x, 0, size()), row(u, 0, inputs()), dt(), out, {j, n * n});
}

void RungeKutta4Map::do_input_jacobian(const double* x, const double* u, double* b) const {
    std::vector<double> out(static_cast<std::size_t>(size()));
    StepDerivative derivative(field_, true, {b, static_cast<std::size_t>(size() * inputs())});
    take_step(field_, row(x, 0, size()), row(u, 0, inputs()), dt(), out, &derivative);
}

}  // namespace soma::neuro
