#pragma once
// Slow points along a line: where a network that integrates can rest (neuro.md 6.5; Sussillo &
// Barak 2013; Mante, Sussillo, Shenoy & Newsome 2013).
//
// A trained line attractor is a chain of slow points between a few fixed ones. Newton, and descent
// on q to the end, would lead all states to those few. So states of trajectories first relax onto
// the line by the network's own dynamics, then descend only until they are slow:
//
//     states -> F applied `settle` times -> descent until q < slow_q -> slowest state in each of
//     `places` equal parts of the range of the readout -> linearised
//
// The points are spread over the line as far as the trajectories went.

#include "soma/neuro/fixed_points.h"

namespace soma::neuro {

struct SlowPointOptions {
    Index settle = 20;       // steps: several time constants of the fast modes, few of the slow one
    double slow_q = 1e-4;    // q = |F - x|^2 / 2 below which a state is slow
    Index iterations = 400;  // of descent
    Index places = 20;
};

struct SlowPoints {
    std::vector<FixedPoint> points;  // by ascending readout, with spectra, labelled slow
    Index slow = 0;                  // states that became slow
    Index lost = 0;                  // states that did not
};

// states [M, n], u [I], readout w [n]: points are ordered by x.w. Error(usage) for wrong sizes and
// options. May return no point. Needs LAPACK.
SlowPoints slow_points(const Dynamics& d, Values u, const linalg::Matrix& states, Values readout,
                       const SlowPointOptions& options = {});

}  // namespace soma::neuro
