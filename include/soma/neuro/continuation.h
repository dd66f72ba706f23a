#pragma once
// Continuation of a fixed point in an input, with its bifurcations (neuro.md 6.7; Kuznetsov,
// Elements of Applied Bifurcation Theory, chapters 5 and 10).
//
// Solves G(x, p) = F(x, u) - x = 0, p = u[input], along its arclength: the predictor is the unit
// tangent t = (dx, dp) of the curve, the corrector Newton on
//
//     [ J - 1   dF/dp ] [ sx ]     [ G                       ]
//     [  t_x      t_p ] [ sp ] = - [ t.((x, p) - (x, p)_pred) ]
//
// which stays regular where the curve turns. Steps halve when Newton fails and grow again.
//
// Between two points of the curve,
//     fold              t_p changes sign                          a pair of points appears
//     branch point      the bordered determinant changes sign     pitchfork or transcritical
//     flip              det(J + 1) changes sign                   a mode crosses -1
//     Neimark-Sacker    otherwise, two more or fewer modes outside the circle, a complex pair
// and is then found by bisection in the arclength. At a branch point two curves cross and the
// corrector is singular: there the state is known to about the root of the tolerance only. Cost of
// a point: a few LU of n x n and one dgeev.

#include <vector>

#include "soma/neuro/dynamics.h"

namespace soma::neuro {

enum class Bifurcation : std::uint8_t { fold, pitchfork, transcritical, flip, neimark_sacker };

const char* name_of(Bifurcation b);

struct ContinuationOptions {
    Index input = 0;            // which u is the parameter
    double low = -1, high = 1;  // of the parameter; the curve ends where it leaves them
    double step = 0.02, min_step = 1e-6, max_step = 0.1;  // of arclength
    Index max_points = 1000;
    bool upwards = true;       // direction of the parameter at the start
    double tolerance = 1e-11;  // |G|_inf of the corrector, in units of max(1, |x|_inf)
    double location = 1e-10;   // arclength to which bifurcations are bracketed
};

struct CurvePoint {
    std::vector<double> x;  // [n]
    double parameter = 0;
    std::vector<double> tangent;  // [n + 1], unit length, the parameter last
    Index unstable = 0;           // modes with |lambda| > 1
    bool stable = false;
};

struct BifurcationPoint {
    Bifurcation kind = Bifurcation::fold;
    std::vector<double> x;
    double parameter = 0;
    Index after = 0;  // it lies between curve points `after` and `after` + 1
    // Of a pitchfork or transcritical point l.D2F(r, r) for the mode with lambda = 1, which tells
    // them apart: 0 for a pitchfork. Of a Neimark-Sacker point the angle of the pair, in radians a
    // step. Else 0.
    double coefficient = 0;
};

struct Curve {
    enum class End : std::uint8_t {
        range,
        points,
        step
    };  // left [low, high]; max_points; min_step

    std::vector<CurvePoint> points;
    std::vector<BifurcationPoint> bifurcations;
    End end = End::range;
};

// Starts at the fixed point that Newton finds near x for u. u[input] must lie in [low, high].
// Error(usage) for wrong sizes or options, or when Newton finds no fixed point at the start.
Curve continue_fixed_point(const Dynamics& d, Values x, Values u,
                           const ContinuationOptions& options = {});

}  // namespace soma::neuro
