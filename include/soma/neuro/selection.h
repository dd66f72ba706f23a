#pragma once
// Line attractors and selection vectors (neuro.md 6.5; Mante & Sussillo 2013, Nature 503;
// Maheswaranathan 2019).
//
// Near a slow point x the map is x + J (. - x) with one mode r of eigenvalue near 1 and left vector
// l (l.r = 1). A push dx moves the network along the line by l.dx in the end, whatever else dx
// does: l selects what is integrated, so l.B_i is the gain of input i.
//
//     pulse p in input i for one step, k steps later:   l.(x_k - x_k without it) = p lambda^k l.B_i

#include <vector>

#include "soma/neuro/dynamics.h"
#include "soma/neuro/fixed_points.h"

namespace soma::neuro {

// The slowest mode (largest |lambda|) of a linearisation. Of a complex pair the real parts are
// taken and `oscillating` says so; then l.r is not 1.
struct SlowMode {
    linalg::Complex eigenvalue;
    std::vector<double> direction;  // r [n], |r| = 1
    std::vector<double> selection;  // l [n]
    bool oscillating = false;
};
SlowMode slow_mode(const Spectrum& spectrum);

struct LineAttractorOptions {
    double slow_modulus = 0.98;  // |lambda| above which a mode counts as slow
    double pulse = 0.01;         // p
    Index settle = 100;          // k
    double arc_share = 0.9;      // of the variance of the points, for the dimension
};

// One slow point on the line.
struct LinePoint {
    Index point = 0;     // into the argument
    double readout = 0;  // x.w
    double arc = 0;      // length of the polyline up to here
    Index slow_modes = 0;
    SlowMode mode;                   // r.w >= 0
    double drift_along = 0;          // l.(F - x) / dt
    double drift_across = 0;         // |F - x - r l.(F - x)| / dt
    std::vector<double> input_gain;  // l.B_i [I], B = dF/du
    // Displacement along l of a pulse in each input [I], in units of the pulse.
    std::vector<double> predicted, simulated;
};

struct LineAttractor {
    std::vector<LinePoint> points;  // by ascending readout
    double length = 0;
    std::vector<double> variance_share;  // of the points' principal components, descending
    Index dimension = 0;  // components that carry arc_share of the variance; 1 for a line
};

// Orders the points along the readout w [n] and linearises at each; contexts that differ in their
// input are calls that differ in u. Error(usage) for wrong sizes or fewer than 2 points.
LineAttractor line_attractor(const Dynamics& d, Values u, const std::vector<FixedPoint>& points,
                             Values readout, const LineAttractorOptions& options = {});

}  // namespace soma::neuro
