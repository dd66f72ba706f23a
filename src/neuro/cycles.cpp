#include "soma/neuro/cycles.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;
using Vector = std::vector<double>;

constexpr double kLongest = 10;  // times the guess of the period
constexpr double kStandstill = 1e-6;
constexpr double kReturn = 0.05;  // of the orbit's extent

double largest(const Vector& v) {
    double max = 0;
    for (const double value : v) max = std::max(max, std::abs(value));
    return max;
}

double dot(const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void check_field(const char* operation, const VectorField& field, Values x, Values u) {
    SOMA_CHECK(field.velocity && field.jacobian, operation, ": velocity or jacobian is missing");
    SOMA_CHECK(
        static_cast<Index>(x.size()) == field.size && static_cast<Index>(u.size()) == field.inputs,
        operation, ": x has ", x.size(), " values, u ", u.size(), "; need ", field.size, " and ",
        field.inputs);
}

// phi_T of x, its derivative M and the states on the way.
struct Shot {
    Vector end;
    Matrix m, orbit;
};

Shot shoot(const VectorField& field, const Vector& x, Values u, double period, Index steps) {
    const Index n = field.size;
    Shot shot{x, linalg::identity(n), Matrix(steps, n)};
    const double h = period / static_cast<double>(steps);
    Matrix j(n, n);
    for (Index s = 0; s < steps; ++s) {
        std::copy(shot.end.begin(), shot.end.end(), shot.orbit.row(s));
        runge_kutta4(field, shot.end, u, h, shot.end, j.values);
        shot.m = linalg::product(j, shot.m);
    }
    return shot;
}

bool finite(const Shot& shot) {
    const auto good = [](double v) { return std::isfinite(v); };
    return std::all_of(shot.end.begin(), shot.end.end(), good) &&
           std::all_of(shot.m.values.begin(), shot.m.values.end(), good);
}

// Newton's step (dx, dT); empty when the matrix is singular.
Vector newton_step(const VectorField& field, const Shot& shot, const Vector& x, Values u) {
    const Index n = field.size;
    Matrix a(n + 1, n + 1);
    Vector v(x.size()), v_end(x.size()), right(x.size() + 1);
    field.velocity(x, u, v);
    field.velocity(shot.end, u, v_end);
    for (Index i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(i);
        for (Index k = 0; k < n; ++k) a(i, k) = shot.m(i, k) - (i == k ? 1 : 0);
        a(i, n) = v_end[at];
        a(n, i) = v[at];
        right[at] = x[at] - shot.end[at];
    }
    const linalg::Lu factors = linalg::lu(a);
    if (factors.determinant_sign() == 0) return {};
    return factors.solve(right);
}

// Multipliers without the one nearest to 1, and stability.
void describe(Cycle& cycle) {
    cycle.multipliers = linalg::eig(cycle.monodromy).values;
    const auto trivial =
        std::min_element(cycle.multipliers.begin(), cycle.multipliers.end(),
                         [](auto a, auto b) { return std::abs(a - 1.0) < std::abs(b - 1.0); });
    cycle.trivial_error = std::abs(*trivial - 1.0);
    cycle.multipliers.erase(trivial);
    cycle.stable = std::all_of(cycle.multipliers.begin(), cycle.multipliers.end(),
                               [](auto m) { return std::abs(m) < 1; });
}

}  // namespace

Cycle find_cycle(const VectorField& field, Values x, Values u, double period,
                 const CycleOptions& options) {
    check_field("cycle", field, x, u);
    SOMA_CHECK(std::isfinite(period) && period > 0 && options.steps >= 1, "cycle: period ", period,
               ", ", options.steps, " steps; need a positive period and at least 1 step");
    Cycle cycle;
    cycle.x.assign(x.begin(), x.end());
    cycle.period = period;
    for (;; ++cycle.iterations) {
        Shot shot = shoot(field, cycle.x, u, cycle.period, options.steps);
        if (!finite(shot)) return cycle;
        cycle.residual = 0;
        for (std::size_t i = 0; i < cycle.x.size(); ++i) {
            cycle.residual = std::max(cycle.residual, std::abs(shot.end[i] - cycle.x[i]));
        }
        const double scale = std::max(1.0, largest(cycle.x));
        const bool done = cycle.residual <= options.tolerance * scale;
        cycle.orbit = std::move(shot.orbit);
        cycle.monodromy = shot.m;
        if (done) break;
        if (cycle.iterations == options.newton_iterations) return cycle;
        const Vector step = newton_step(field, shot, cycle.x, u);
        if (step.empty()) return cycle;
        for (std::size_t i = 0; i < cycle.x.size(); ++i) cycle.x[i] += step[i];
        cycle.period += step.back();
        if (!(cycle.period > 0 && cycle.period < kLongest * period)) return cycle;
    }
    Vector v(cycle.x.size());
    field.velocity(cycle.x, u, v);
    cycle.converged = largest(v) * cycle.period > kStandstill * std::max(largest(cycle.x), 1e-300);
    describe(cycle);
    return cycle;
}

CycleGuess guess_cycle(const VectorField& field, Values x, Values u, double dt, double transient,
                       double limit) {
    check_field("guess of a cycle", field, x, u);
    SOMA_CHECK(dt > 0 && transient >= 0 && limit >= 0, "guess of a cycle: dt ", dt, ", transient ",
               transient, ", limit ", limit, "; need dt > 0 and no negative times");
    Vector state(x.begin(), x.end());
    for (double t = 0; t < transient; t += dt) runge_kutta4(field, state, u, dt, state);
    CycleGuess guess{state, 0};
    Vector normal(state.size()), away(state.size());
    field.velocity(state, u, normal);
    double extent = 0, before = 0;
    for (double t = dt; t < limit; t += dt) {
        runge_kutta4(field, state, u, dt, state);
        for (std::size_t i = 0; i < state.size(); ++i) away[i] = state[i] - guess.x[i];
        const double height = dot(normal, away), distance = std::sqrt(dot(away, away));
        extent = std::max(extent, distance);
        if (before < 0 && height >= 0 && distance < kReturn * extent) {
            guess.period = t - dt * height / (height - before);
            return guess;
        }
        before = height;
    }
    return guess;
}

}  // namespace soma::neuro
