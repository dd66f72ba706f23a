#pragma once
// Gradient descent of a small autonomous net, x_t = F(x_{t-1}; theta), towards the trajectories of
// a teacher: running free, or with teacher forcing (Williams & Zipser 1989; Doya 1993).
//
//     free      L = 1/T sum_t |x_t - y_t|^2 / 2,  x_0 = y_0        BPTT over the T steps
//     forced    L = 1/T sum_t |F(y_{t-1}) - y_t|^2 / 2             no gradient crosses a step
//
// Both are summed over trajectories, and both are 0 for the teacher.

#include <functional>
#include <vector>

#include "soma/neuro/recurrent_gradients.h"

namespace soma::systems {

using Vector = std::vector<double>;

// y_0 ... y_T, [T + 1, N], of a net without inputs.
Vector trajectory(const neuro::CtrnnCell& cell, const Vector& theta, const Vector& start,
                  Index steps);

// What a net of two units without inputs does in steps 1,000 to 2,000, from x_0 = (.5, .1).
struct Oscillation {
    double amplitude = 0;  // largest |x_1|
    double period = 0;     // steps a turn about the origin
};
Oscillation oscillation_of(const Vector& theta);

struct DescentOptions {
    bool forced = false;
    double rate = 0.1;
    Index updates = 4000;
    double still = 1e-7;  // the end: a gradient of that norm
};

struct Descent {
    std::vector<Vector> thetas;  // before the first update, after the first, ...
    Vector gradient_norms;       // at each of them, but for the last
    double loss = 0;             // at the last but one
};

// Plain gradient descent of the whole theta. A function of the arguments alone, but for `stop`.
Descent descend(const neuro::CtrnnCell& cell, const Vector& theta,
                const std::vector<Vector>& teacher, const DescentOptions& options,
                const std::function<bool()>& stop);

}  // namespace soma::systems
