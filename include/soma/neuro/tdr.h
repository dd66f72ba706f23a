#pragma once
// Targeted dimensionality reduction: the directions in which task variables move a population.
//
// TDR (Mante, Sussillo, Shenoy & Newsome 2013, supplement 6.5 to 6.8):
//     1. z-score every unit over trials and steps
//     2. regress it, at every step, on the variables of the trials:  z_t = sum_v x_v beta_{v,t}
//     3. project beta_{v,t} [N] onto the first principal components of the condition averages;
//        conditions are the trials with equal variables
//     4. take each variable's beta at the step where its norm is largest, and orthogonalise them in
//        the order of the variables (QR)
//
// mTDR (Aoi, Mante & Pillow 2020, in the form of mtdr.py of Valente et al. 2022): the betas of a
// variable over all steps are a matrix [T, N]; its singular vectors are as many axes as the
// variable needs. No z-score, no peak, and the intercept is treated like a variable.
//
// Letters: K trials, T steps, N units, V variables. The intercept is added here.

#include <string>
#include <utility>
#include <vector>

#include "soma/neuro/resampling.h"
#include "soma/neuro/responses.h"

namespace soma::neuro {

// The variables [K, V] with a column x_a x_b appended for every pair (a, b).
linalg::Matrix with_interactions(const linalg::Matrix& variables,
                                 const std::vector<std::pair<Index, Index>>& pairs);

struct TdrOptions {
    Index axes = 0;                 // axes of the first so many variables; 0: of all
    Index denoise_components = 12;  // at most; 0: no projection
    Bootstrap bootstrap = {};       // over trials, all four stages
};

struct Tdr {
    std::string estimator;
    std::vector<double> mean, scale;   // [N], of the z-scores
    std::vector<linalg::Matrix> beta;  // V + 1 matrices [T, N], the intercept last; not denoised
    linalg::Matrix norm;               // [axes, T], |beta_{v,t}| after denoising
    std::vector<Index> peak_step;      // [axes], the first step of largest norm
    linalg::Matrix peak;               // [N, axes], denoised beta at that step
    linalg::Matrix axes;  // [N, axes], orthonormal; a larger variable moves z along its axis
    // [axes]: quantile `level` of the angle in radians between an axis and that of resampled
    // trials.
    std::vector<double> axis_error;
    std::uint64_t seed = 0;

    // [K, T, axes]: z-scores (by mean and scale above) of other responses along the axes.
    Responses project(const Responses& r) const;
};

// variables [K, V], one row a trial. Error(usage) when they are not independent of each other and
// the intercept, or when an axis lies in the span of the earlier ones. Needs LAPACK.
Tdr tdr(const Responses& r, const linalg::Matrix& variables, const TdrOptions& options = {});

struct MtdrOptions {
    double threshold = 0.9;    // rank: the first whose cumulative share of singular values is above
    Bootstrap bootstrap = {};  // over trials, for r2
};

struct MtdrFactor {
    Index rank = 0;                       // 0 where all betas vanish
    linalg::Matrix units;                 // [N, rank], orthonormal, largest loading positive
    linalg::Matrix time;                  // [T, rank], scaled: beta is about time units^T
    std::vector<double> singular_values;  // [min(T, N)]
};

struct Mtdr {
    std::string estimator;
    std::vector<MtdrFactor> factors;  // V variables, then the intercept
    // 1 - |residual|^2 / |r - mean over trials|^2 with all betas, and with those of reduced rank.
    double r2_full = 0, r2 = 0;
    Interval r2_interval = {};  // percentiles; NaN without bootstrap
    std::uint64_t seed = 0;
};

// Errors as tdr. Needs LAPACK.
Mtdr mtdr(const Responses& r, const linalg::Matrix& variables, const MtdrOptions& options = {});

}  // namespace soma::neuro
