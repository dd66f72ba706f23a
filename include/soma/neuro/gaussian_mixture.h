#pragma once
// Gaussian mixtures by expectation-maximisation: populations of units in a space of loadings or
// features (neuro.md 6.16).
//
//     p(x) = sum_k w_k N(x; mu_k, C_k)        BIC = -2 ln L + parameters ln S
//
// Letters: S samples (rows), D dimensions, K components. With `zero_means` all mu_k are 0: the
// components then differ in their covariances alone, as the populations of low-rank nets do.
//
// Source: Dempster, Laird & Rubin 1977; BIC after Schwarz 1978.

#include <cstdint>
#include <vector>

#include "soma/linalg/matrix.h"

namespace soma::neuro {

struct MixtureOptions {
    Index components = 1;  // K
    bool zero_means = false;
    Index starts = 20;        // the best log-likelihood of these is kept
    Index iterations = 1000;  // of a start
    double tolerance = 1e-8;  // a start ends when ln L / S rises by less
    // Added to the diagonals of the covariances, in units of the data's mean variance: a component
    // cannot collapse on a point or a plane.
    double ridge = 1e-6;
    std::uint64_t seed = 0;
};

struct GaussianMixture {
    std::vector<double> weights;              // [K], descending, sum 1
    linalg::Matrix means;                     // [K, D]
    std::vector<linalg::Matrix> covariances;  // [K] of [D, D]
    double log_likelihood = 0;                // ln L of all samples
    double bic = 0;                           // the smaller, the better
    bool converged = false;                   // the start that was kept did

    Index components() const { return means.rows; }
    Index dimensions() const { return means.cols; }
};

// x [S, D]. A start splits the whitened data by K random directions, each sample going where it
// projects most (with zero means: of either sign). Keyed by Philox, purpose 9: a function of the
// arguments alone. Cost of an iteration: 2 S K D^2 flop. Error(usage) unless 1 <= K and
// K (D + 1) <= S; Error(non_finite) for NaN or Inf. Needs LAPACK.
GaussianMixture fit_mixture(const linalg::Matrix& x, const MixtureOptions& options = {});

// The most probable component of each row of x [S, D].
std::vector<Index> assign(const GaussianMixture& mixture, const linalg::Matrix& x);

// The populations that assign() makes of x: shares, means and covariances (divided by n - 1) of the
// samples of each component; means 0 where the mixture's are all 0. Likelihood and BIC are NaN.
// Error(usage) when a component has fewer than 2 samples.
GaussianMixture populations(const GaussianMixture& mixture, const linalg::Matrix& x);

// `count` independent draws [count, D], keyed by Philox: draw i of (seed, repeat) depends on these
// and i alone.
linalg::Matrix sample(const GaussianMixture& mixture, Index count, std::uint64_t seed,
                      Index repeat = 0);

}  // namespace soma::neuro
