#include "systems/sequence/bifurcation_learning.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace soma::systems {
namespace {

// Adds dL/dtheta of one trajectory to `gradient`; its L.
double add_gradient(const neuro::CtrnnCell& cell, const Vector& theta, const Vector& teacher,
                    bool forced, Vector& gradient) {
    const auto n = static_cast<std::size_t>(cell.units());
    const Index steps = std::ssize(teacher) / cell.units() - 1;
    const auto state = [&](Index t) {
        return neuro::Values(teacher).subspan(static_cast<std::size_t>(t) * n, n);
    };
    Index first = 0;  // the step at which the sequence starts
    const neuro::StepLoss loss = [&](Index t, neuro::Values x, neuro::MutableValues dx) {
        const neuro::Values y = state(first + t);
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            dx[i] = (x[i] - y[i]) / static_cast<double>(steps);
            sum += (x[i] - y[i]) * dx[i] / 2;
        }
        return sum;
    };
    double total = 0;
    const Index length = forced ? 1 : steps;
    for (; first < steps; first += length) {
        const auto g = neuro::bptt({cell, theta, state(first), {}, length, loss});
        for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += g.theta[i];
        total += g.loss;
    }
    return total;
}

}  // namespace

Vector trajectory(const neuro::CtrnnCell& cell, const Vector& theta, const Vector& start,
                  Index steps) {
    const std::size_t n = start.size();
    Vector states = start, next(n), slope(n);
    for (Index t = 0; t < steps; ++t) {
        cell.step(theta, t, neuro::Values(states).last(n), {}, next, slope);
        states.insert(states.end(), next.begin(), next.end());
    }
    return states;
}

Oscillation oscillation_of(const Vector& theta) {
    constexpr Index kFirst = 1000, kLast = 2000;
    const Vector s = trajectory(neuro::CtrnnCell(2, 0), theta, {0.5, 0.1}, kLast);
    Oscillation shape;
    double turned = 0;
    for (Index t = kFirst; t < kLast; ++t) {
        const double *a = s.data() + 2 * t, *b = a + 2;
        turned += std::atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]);
        shape.amplitude = std::max(shape.amplitude, std::abs(a[0]));
    }
    shape.period = 2 * std::numbers::pi * (kLast - kFirst) / turned;
    return shape;
}

Descent descend(const neuro::CtrnnCell& cell, const Vector& theta,
                const std::vector<Vector>& teacher, const DescentOptions& options,
                const std::function<bool()>& stop) {
    Descent run;
    run.thetas.push_back(theta);
    while (std::ssize(run.gradient_norms) < options.updates && !stop()) {
        Vector next = run.thetas.back(), gradient(next.size());
        run.loss = 0;
        for (const Vector& y : teacher) {
            run.loss += add_gradient(cell, run.thetas.back(), y, options.forced, gradient);
        }
        for (std::size_t i = 0; i < next.size(); ++i) next[i] -= options.rate * gradient[i];
        run.gradient_norms.push_back(
            std::sqrt(std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0)));
        run.thetas.push_back(std::move(next));
        if (run.gradient_norms.back() < options.still) break;
    }
    return run;
}

}  // namespace soma::systems
