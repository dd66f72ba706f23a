#pragma once
// Limit cycles of flows by shooting, and their Floquet multipliers (neuro.md 6.8; Kuznetsov,
// Elements of Applied Bifurcation Theory, 10.3).
//
// With phi_T the flow over time T, Newton solves for the point x and the period T together:
//
//     [ M - 1      v(x_T) ] [ dx ]     [ phi_T(x) - x ]
//     [ v(x)^T       0    ] [ dT ] = - [       0      ]      M = d phi_T / dx
//
// The last row keeps dx normal to the flow. M of the solution is the monodromy matrix; its
// eigenvalues are the multipliers, one of them 1 along the flow.
//
// phi_T is `steps` steps of Runge-Kutta 4: the cycle is that of the discretised flow, period and
// multipliers are O((T / steps)^4) from the true ones. Cost of an iteration: `steps` Runge-Kutta
// steps with derivatives, 12 n^3 FMA each.

#include <vector>

#include "soma/linalg/matrix.h"
#include "soma/neuro/dynamics.h"

namespace soma::neuro {

struct CycleOptions {
    Index steps = 2000;
    Index newton_iterations = 30;
    double tolerance = 1e-11;  // |phi_T(x) - x|_inf, in units of max(1, |x|_inf)
};

struct Cycle {
    bool converged = false;
    std::vector<double> x;  // a point of it [n]
    double period = 0;      // in the unit of the field's time
    double residual = 0;    // |phi_T(x) - x|_inf
    Index iterations = 0;
    linalg::Matrix orbit;      // [steps, n], from x on, equally spaced in time
    linalg::Matrix monodromy;  // M [n, n]
    std::vector<linalg::Complex>
        multipliers;           // [n - 1], by falling modulus, without the trivial one
    double trivial_error = 0;  // distance of the trivial multiplier from 1
    bool stable = false;       // all others inside the unit circle
};

// From a point near the cycle and a guess of the period. converged = false when Newton does not
// get there, loses the period (T <= 0 or 10 times the guess) or falls onto a fixed point
// (|v| T <= 1e-6 |x|). Error(usage) for wrong sizes or a period that is not positive.
Cycle find_cycle(const VectorField& field, Values x, Values u, double period,
                 const CycleOptions& options = {});

struct CycleGuess {
    std::vector<double> x;
    double period = 0;  // 0: no return was seen
};

// A guess for a stable cycle: integrates from x for `transient`, then until the state crosses the
// plane through that point normal to the flow, in the same direction and within 5 % of the orbit's
// extent, or for `limit` more. Steps of dt.
CycleGuess guess_cycle(const VectorField& field, Values x, Values u, double dt, double transient,
                       double limit);

}  // namespace soma::neuro
