#pragma once
// Lyapunov exponents of a map along a trajectory (neuro.md 6.9; Benettin et al. 1980, Meccanica
// 15).
//
//     Q_t R_t = J(x_{t-1}) Q_{t-1}      lambda_k = <ln R_kk> / dt
//
// Q [n, k] has orthonormal columns; the QR decomposition is taken every qr_interval steps. The sum
// of all n exponents is <ln |det J|> / dt, whatever Q.
//
// Cost of a step: a Jacobian, 2 n^2 k flop and, every qr_interval steps, a QR of 4 n k^2.

#include <cstdint>
#include <vector>

#include "soma/neuro/dynamics.h"

namespace soma::neuro {

struct LyapunovOptions {
    Index exponents = 1;     // k, the largest ones
    Index transient = 1000;  // steps before the average, in which Q already turns
    Index steps = 10000;     // of the average
    Index qr_interval = 1;   // steps; longer ones lose the smaller exponents to rounding
    Index blocks = 10;       // for the standard error
    std::uint64_t seed = 0;  // of the first Q
};

struct LyapunovResult {
    std::vector<double> exponents;       // [k], per unit of time, descending up to their errors
    std::vector<double> standard_error;  // [k], from the means of the blocks
    // Kaplan-Yorke dimension j + (lambda_1 + ... + lambda_j) / |lambda_{j+1}|, j the last index at
    // which the sum is not negative; n when all n exponents are known and their sum is not
    // negative; NaN when k < n are too few to tell.
    double dimension = 0;
    std::vector<double> x;  // the last state
};

// From x [n] with input u [I]. Error(usage) for wrong sizes or options; Error(non_finite) naming
// the step when the state is no longer finite.
LyapunovResult lyapunov(const Dynamics& d, Values x, Values u, const LyapunovOptions& options = {});

// The Kaplan-Yorke dimension of exponents in descending order out of n.
double kaplan_yorke(const std::vector<double>& exponents, Index n);

}  // namespace soma::neuro
