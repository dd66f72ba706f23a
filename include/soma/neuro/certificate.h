#pragma once
// What is proven about a set of fixed points: existence and uniqueness of each, signs that
// something is missing, an estimate of how much (neuro.md 6.3).

#include <cstdint>
#include <vector>

#include "soma/neuro/dynamics.h"
#include "soma/neuro/fixed_points.h"

namespace soma::neuro {

// Newton-Kantorovich at x, in the inf-norm, for G(x) = F(x, u) - x with G' = J - 1:
//
//     beta = |G'^-1|    eta = |G'^-1 G|    L = Lipschitz constant of J    h = beta L eta
//
// If h <= 1/2, G has a root within (1 - sqrt(1 - 2 h)) / (beta L) of x and no other within
// (1 + sqrt(1 - 2 h)) / (beta L) (Ortega 1968; for L = 0 within eta, and unique everywhere).
// Where L is finite only near x (a kink of f), it is taken within 2 eta, which contains the root,
// and the uniqueness radius is cut to 2 eta.
//
// beta, eta and L are f64 values inflated by 1e-8, eta by n eps beta (|x| + |F| + 1) besides for
// the rounding of G: a numerical certificate, not an interval proof.
struct Certificate {
    bool certified = false;
    double beta = 0, eta = 0, lipschitz = 0;
    double h = 0;
    double existence_radius = 0;   // inf-norm; 0 unless certified
    double uniqueness_radius = 0;  // may be infinite
};

// x [n], u [I]. A singular G', or dynamics without a bound, give certified = false.
Certificate certify(const Dynamics& d, Values x, Values u);

// sign det(1 - J(x, u)): +1 or -1, 0 where 1 - J is singular to rounding (condition above 1 / (n
// eps)).
int fixed_point_sign(const Dynamics& d, Values x, Values u);

// Sum of the signs of all fixed points. For dissipative dynamics with isolated fixed points it is
// +1 (Poincare-Hopf): any other value proves that points are missing. +1 proves nothing.
struct IndexSum {
    Index sum = 0;
    Index degenerate = 0;     // points of sign 0, without a contribution
    bool applicable = false;  // d.is_dissipative() and no degenerate point
    bool proves_missing = false;
};
IndexSum index_sum(const Dynamics& d, Values u, const FixedPointReport& report);

// Chapman's estimator of the number of points from two independent searches that found n1 and n2
// points, m of them in common: (n1 + 1)(n2 + 1) / (m + 1) - 1, with its variance (Seber 1982). It
// is low where points differ in how easily they are found.
struct PopulationEstimate {
    Index first = 0, second = 0, common = 0;
    double total = 0;
    double variance = 0;
};
// Error(usage) unless 0 <= common <= first, second.
PopulationEstimate capture_recapture(Index first, Index second, Index common);
// Of the report's fixed points, found by seeds of even and of odd number.
PopulationEstimate capture_recapture(const FixedPointReport& report);

}  // namespace soma::neuro
