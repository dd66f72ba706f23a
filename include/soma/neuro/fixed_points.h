#pragma once
// Fixed points x = F(x, u) of a map by descent and Newton from many seeds (neuro.md 6.2; Sussillo &
// Barak 2013, Neural Computation 25).
//
//     G(x) = F(x, u) - x      q(x) = |G|_2^2 / 2      speed = |G|_2 / alpha
//
//     seeds [S, n] -> descent on q -> cluster -> Newton, plain and damped -> Levenberg where the
//     matrix J - 1 is near singular -> cluster -> labels -> spectra
//
// Descent is by Barzilai-Borwein steps, for each seed its own, halved until q falls: 2 S n^2 flop
// and a pullback an iteration. It is unbiased by stability and cheap, since all seeds share a GEMM;
// Newton then costs 2/3 n^3 flop an iteration for the few points that are left. Whenever it finds a
// root, chord steps with the root's matrix, again for all points at once, take out those in its
// basin. Both Newtons are run because neither finds all that the other finds. A label belongs to
// the point as returned: every q is evaluated again at the end.
//
// A result is a function of the arguments alone.

#include <cstdint>
#include <optional>
#include <vector>

#include "soma/linalg/matrix.h"
#include "soma/neuro/dynamics.h"

namespace soma::neuro {

// ---- seeds ----

struct SeedOptions {
    Index count = 1024;
    std::uint64_t seed = 0;
    double noise = 0.5;  // sd of the Gaussian around a sampled state, in sds of each state variable
    Index components = 3;                      // of the states, for boxes in their subspace
    std::vector<double> scales = {0.5, 1, 2};  // half-widths of boxes, in units of the data's range
};

// count seeds [count, n] in turns: states of trajectories with Gaussian noise; uniform in the box
// around the states; uniform in the box spanned by their leading principal components. Both boxes
// go through `scales` in turn. Keyed by Philox, purpose 8: seed k depends on (seed, k) and the
// states alone. states [M, n], M >= 2. Isotropic noise is not enough: where the fixed points differ
// in a few directions only, n independent normals hardly leave the middle (neuro.md 6.2, pitfall).
linalg::Matrix make_seeds(const linalg::Matrix& states, const SeedOptions& options = {});

// ---- the finder ----

struct FixedPointOptions {
    // q at which descent hands over to Newton. It is that of the map: where alpha is small, 1e-6
    // alpha^2 asks for the same speed.
    double descent_tolerance = 1e-6;
    Index descent_iterations = 400;
    Index newton_iterations = 50;
    // Stops after that many starts in a row that gave no new point; 0: tries all. Then the starts
    // that are left lead to a new point with probability of about 1 / newton_patience.
    Index newton_patience = 0;
    double fixed_q = 1e-24;            // label `fixed` below
    double slow_q = 1e-8;              // label `slow` below; other points are dropped
    double cluster_radius = 1e-3;      // inf-norm, in units of the median rms of the points found
    double singular_condition = 1e12;  // of J - 1, from which Newton gives way to Levenberg
    bool spectra = true;
};

enum class PointLabel : std::uint8_t { fixed, slow };

// Modes of the linearised map: J r = lambda r, l^H J = lambda l^H, scaled so that |r| = 1 and
// l^H r = 1, in order of falling |lambda|.
struct Spectrum {
    std::vector<linalg::Complex> values;  // [n]
    linalg::ComplexMatrix right, left;    // [n, n], a mode a column
    // Of a mode, -dt / ln |lambda|, in the unit of dt: decay where positive, growth where negative.
    std::vector<double> time_constants;
    Index unstable = 0;   // modes with |lambda| > 1: the index of the point
    bool stable = false;  // all |lambda| < 1
};

struct FixedPoint {
    std::vector<double> x;  // [n]
    double q = 0;
    double speed = 0;
    PointLabel label = PointLabel::fixed;
    Index first_seed = 0;              // the lowest that led here
    std::vector<Index> found_by;       // all that did, ascending
    std::optional<Spectrum> spectrum;  // where asked for
};

struct FixedPointReport {
    std::vector<FixedPoint> points;  // fixed before slow, then by first_seed
    Index seeds = 0;                 // S
    Index lost = 0;                  // seeds whose point has q >= slow_q
    Index untried = 0;               // seeds that newton_patience left out
    Index descent_iterations = 0;    // until the last seed was done
    Index newton_starts = 0;         // clusters after descent that no chord step assigned to a root
    Index singular_steps = 0;        // Newton steps at which J - 1 was near singular
    // Entry k: fixed points with k unstable modes. Empty without spectra.
    std::vector<Index> index_histogram() const;
    // One of its entries; 0 behind its end.
    Index with_unstable(std::size_t modes) const;
};

// Runs all stages. seeds [S, n], u [I]. Error(usage) for wrong sizes, Error(non_finite) naming seed
// and step when a seed, or F at a seed, is not finite. States that become non-finite later are not
// accepted, and a singular Newton step is counted, not thrown.
FixedPointReport find_fixed_points(const Dynamics& d, Values u, const linalg::Matrix& seeds,
                                   const FixedPointOptions& options = {});

// Linearisation at one state. Cost: dgeev, about 25 n^3 flop.
Spectrum linearise(const Dynamics& d, Values x, Values u);

// Of each point, the least Euclidean distance to the states [M, n] in units of their rms distance
// from their mean: points far outside the trajectories are suspect.
std::vector<double> distance_to_states(const std::vector<FixedPoint>& points,
                                       const linalg::Matrix& states);

// ---- single stages ----

// q of each row of x [B, n], and G [B, n] unless g is null.
std::vector<double> kinetic_energy(const Dynamics& d, const linalg::Matrix& x, Values u,
                                   linalg::Matrix* g = nullptr);

struct DescentResult {
    linalg::Matrix x;       // [S, n]
    std::vector<double> q;  // [S], never above that of the seed
    Index iterations = 0;
};

// Descent of all seeds together until q < tolerance.
DescentResult descend(const Dynamics& d, Values u, const linalg::Matrix& seeds, double tolerance,
                      Index iterations);

enum class NewtonKind : std::uint8_t { plain, damped };

struct NewtonResult {
    std::vector<double> x;  // the best point met, x0 itself if none was better
    double q = 0;
    Index iterations = 0;
    Index singular_steps = 0;
    bool converged = false;  // q < fixed_q
    bool monotone = true;    // every step was one that a damped Newton accepts as it is
};

// Newton's iteration (J - 1) s = -G from x0: plain takes x + s, damped halves s until q falls.
// Steps at which J - 1 is near singular are Levenberg's: (A^T A + mu 1) s = -A^T G, A = J - 1, with
// mu grown until q falls. Stops when q no longer falls below fixed_q, when the point is lost (q is
// not finite or 1e6 times that of x0) or after newton_iterations.
NewtonResult newton(const Dynamics& d, Values x0, Values u, NewtonKind kind,
                    const FixedPointOptions& options = {});

}  // namespace soma::neuro
