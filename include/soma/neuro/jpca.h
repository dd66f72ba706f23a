#pragma once
// jPCA: how much of the change of a population state is rotation (Churchland, Cunningham et al.
// 2012, and their jPCA.m).
//
//     1. subtract the mean over conditions at every step; keep k principal components x [k]
//     2. fit dx/dt = M x once with any M and once with M^T = -M, by least squares
//     3. the planes of the skew M: pairs of orthonormal axes u1, u2 with M u1 = omega u2
//
// R^2 = 1 - |dx/dt - M x|^2 / |dx/dt|^2; ratio = R^2 of the skew M over that of the free one.
//
// From samples x_t, `midpoint` regresses (x_{t+1} - x_t) / dt on (x_{t+1} + x_t) / 2: a rotation is
// fitted exactly whatever its speed (Cayley transform, omega = 2 atan(lambda dt / 2) / dt), and
// noise that is independent from step to step shrinks M but does not look like decay. `forward`
// regresses on x_t as jPCA.m does, for comparison with published numbers: one plane turning by
// theta per step then has ratio 1 - (1 - cos theta) / 2 and omega sin(theta) / theta times the true
// one.
//
// Letters: C conditions, T steps, N units, k components; omega in radians per unit of dt.

#include <string>
#include <vector>

#include "soma/neuro/resampling.h"
#include "soma/neuro/responses.h"

namespace soma::neuro {

enum class JpcaDifference { midpoint, forward };

struct JpcaOptions {
    Index components = 6;  // k, even
    double dt = 1;         // time between steps, in any unit
    JpcaDifference difference = JpcaDifference::midpoint;
    bool subtract_condition_mean = true;  // false: the mean over conditions and steps
    Bootstrap bootstrap = {};             // over conditions, within the k components
};

struct JpcaPlane {
    double omega = 0;  // >= 0: rotation from the plane's first axis to its second
    Interval omega_interval = {};
    double explained = 0;  // variance in the plane over that of the data after step 1's subtraction
};

struct Jpca {
    std::string estimator;
    linalg::Matrix mean;            // [T, N], what was subtracted
    linalg::Matrix components;      // [N, k], principal components
    linalg::Matrix free, skew;      // [k, k], M in those components: dx/dt = M x
    std::vector<JpcaPlane> planes;  // [k / 2], omega descending
    // [N, k]; plane p has columns 2 p and 2 p + 1. The first is the direction in which the states
    // at step 0 differ most within the plane; its largest loading is positive.
    linalg::Matrix axes;
    Responses trajectories;  // [C, T, k], the data on `axes`
    double r2_free = 0, r2_skew = 0;
    double ratio = 0;
    Interval ratio_interval = {};  // percentiles; NaN without bootstrap
    std::uint64_t seed = 0;
};

// r: one trial a condition. Error(usage) unless k is even and at most min(C T, N), T >= 2, dt > 0,
// and C >= 2 where the condition mean is subtracted; also when nothing changes in time. Needs
// LAPACK.
Jpca jpca(const Responses& r, const JpcaOptions& options = {});

// The skew K (K^T = -K) that minimises |D - X K|_F, X and D [rows, k]. With X^T X = V diag(g) V^T
// the normal equations G K + K G = B - B^T, B = X^T D, are solved elementwise in the basis V:
// K'_ij = (V^T (B - B^T) V)_ij / (g_i + g_j), 0 where the denominator is 0 to rounding.
linalg::Matrix skew_least_squares(const linalg::Matrix& x, const linalg::Matrix& d);

}  // namespace soma::neuro
