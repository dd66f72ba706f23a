#pragma once
// Flow fields in a plane: a grid of velocities, nullclines, and separatrices of saddles (neuro.md
// 6.7).
//
// A plane is x = origin + a e1 + b e2 with coordinates (a, b): two principal components, the kappa
// of a rank-2 net, or readout against anything. Velocities are (F - x) / dt, per unit of time.

#include <array>
#include <optional>
#include <vector>

#include "soma/linalg/matrix.h"
#include "soma/neuro/dynamics.h"
#include "soma/neuro/fixed_points.h"

namespace soma::neuro {

// e1 and e2 must be linearly independent; they need not be orthogonal or of unit length.
struct Plane {
    std::vector<double> origin, e1, e2;  // [n]
};

// The plane of the two leading principal components of states [M, n], M >= 2, through their mean.
Plane principal_plane(const linalg::Matrix& states);

// The plane through `origin` along e1, and across it along e2: e1 and the part of e2 that is
// orthogonal to it, both of unit length. Error(usage) for wrong sizes or a degenerate plane.
Plane orthonormal_plane(std::vector<double> origin, std::vector<double> e1, std::vector<double> e2);

// Coordinates of the orthogonal projections of states [M, n] on the plane: [M, 2].
linalg::Matrix project(const Plane& plane, const linalg::Matrix& states);

struct GridOptions {
    std::array<double, 2> low = {-1, -1}, high = {1, 1};  // of (a, b)
    std::array<Index, 2> points = {41, 41};               // along a and b, at least 2 each
};

// Values on the grid: row i has b = b_values[i], column j has a = a_values[j].
struct FlowField {
    std::vector<double> a_values, b_values;
    linalg::Matrix a_velocity, b_velocity;  // in the plane's coordinates
    linalg::Matrix speed;                   // |velocity| in n dimensions
    linalg::Matrix off_plane;               // share of it that leaves the plane, 0 to 1
};
// All grid points are one batch. Error(usage) for wrong sizes or a degenerate plane.
FlowField flow_field(const Dynamics& d, Values u, const Plane& plane, const GridOptions& grid = {});

// Straight pieces of the curve value = 0, by marching squares with linear interpolation: error
// O(h^2) for cells of size h. The four-sided cell is split by the mean of its corners.
struct Segment {
    std::array<double, 2> from, to;  // (a, b)
};
std::vector<Segment> zero_contour(const FlowField& field, const linalg::Matrix& value);

// y with F(y, u) = x by Newton from `guess`; nothing when it does not converge to
// |F(y) - x|_inf <= 1e-12 max(1, |x|_inf) (F need not be invertible).
std::optional<std::vector<double>> inverse_step(const Dynamics& d, Values x, Values u,
                                                Values guess);

struct SeparatrixOptions {
    double offset = 1e-4;  // of the start from the saddle, in units of x
    Index max_steps = 10000;
    double max_distance = 10;  // from the saddle (inf-norm), at which a branch ends
};

// The two branches of a saddle's stable manifold along its stable mode `mode` (a column of the
// spectrum with a real eigenvalue, 0 < lambda < 1), integrated backwards; in a planar system they
// part the basins. Each branch [steps, n] starts near the saddle and ends where a step has no
// inverse, at max_distance or after max_steps. Error(usage) for any other mode.
std::array<linalg::Matrix, 2> separatrix(const Dynamics& d, Values u, Values saddle,
                                         const Spectrum& spectrum, Index mode,
                                         const SeparatrixOptions& options = {});

}  // namespace soma::neuro
