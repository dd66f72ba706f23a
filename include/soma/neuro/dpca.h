#pragma once
// Demixed PCA: components of population activity that each depend on few task parameters (Kobak,
// Brendel, Constantinidis et al. 2016, and their dpca.m).
//
// X [C T, N]: the mean response in every condition (combination of levels of the factors) at every
// step, minus its overall mean. It is a sum of orthogonal parts X_f, one for each set f of
// parameters: averaged over the parameters outside the set, centred over those inside. Parts are
// grouped into marginalisations (stimulus with stimulus x time, ...). For each of them
//
//     minimise |X_f - X D F^T|^2 + noise + (lambda V)^2 |D F^T|^2     rank q, V = |X|^2
//     C = X_f^T X (X^T X + C_noise + (lambda V)^2 1)^-1               the regression without rank
//     F = first q eigenvectors of C X^T X C^T      D = C^T F          encoder, decoder [N, q]
//
// C_noise = sum over conditions and steps of the covariance of the trials around their mean.
//
// As published, the penalty is not free of scale: for responses s times as large the same lambda
// weighs s^2 times as much against X^T X.
//
// Letters: K trials, T steps, N units, C conditions, q components; every condition has a trial.

#include <cstdint>
#include <string>
#include <vector>

#include "soma/neuro/resampling.h"
#include "soma/neuro/responses.h"

namespace soma::neuro {

// A task parameter: its level in every trial.
struct Factor {
    std::string name;
    std::vector<Index> level;  // [K], 0 .. highest level
};

// A group of parameter sets. Bit i of a set is factor i; bit `number of factors` is time.
struct Marginalisation {
    std::string name;
    std::vector<std::uint32_t> sets;
};

// The part of x [product of sizes, N] that belongs to a set of its dimensions: averaged over those
// outside, centred over those inside (bit i: dimension i, the last one varies fastest). The parts
// of all sets, with the empty one, sum to x and are orthogonal.
linalg::Matrix marginalise(const linalg::Matrix& x, const std::vector<Index>& sizes,
                           std::uint32_t set);

// Time alone, and each combination of factors together with its interaction with time.
std::vector<Marginalisation> standard_marginalisations(const std::vector<Factor>& factors);

struct DpcaOptions {
    Index components =
        10;             // q of each marginalisation, at most; those without variance are left out
    double lambda = 0;  // see dpca_lambda
    bool noise = true;  // false: C_noise = 0, as for single trials
    std::vector<Marginalisation> marginalisations = {};  // empty: the standard ones
    Bootstrap bootstrap = {};  // over the trials of each condition, for the shares
};

struct Dpca {
    std::string estimator;
    std::vector<Marginalisation> marginalisations;
    std::vector<double> share;             // of each: |X_f|^2 / |X|^2
    std::vector<Interval> share_interval;  // percentiles; NaN without bootstrap
    // Components of all marginalisations by explained variance, descending.
    std::vector<Index> marginalisation;  // [Q], of each component
    linalg::Matrix encoder, decoder;     // [N, Q]; most loadings of an encoder are positive
    std::vector<double> explained;       // [Q], 1 - |X - X d f^T|^2 / |X|^2
    linalg::Matrix explained_part;       // [Q, marginalisations]; all parts sum to `explained`
    std::vector<double> mean;            // [N]
    linalg::Matrix averages;             // [C T, N], not centred; condition (level 0, level 1, ...)
    std::vector<Index> levels;           // [factors]
    std::uint64_t seed = 0;

    linalg::Matrix project(const linalg::Matrix& x) const;  // (x - mean) decoder, [rows, Q]
};

// Error(usage) when a condition has no trial, a factor has not one level a trial, sets of the
// marginalisations repeat or do not exist, or the averages do not vary. Directions of X without
// variance are left out of the inverse. Needs LAPACK.
Dpca dpca(const Responses& r, const std::vector<Factor>& factors, const DpcaOptions& options = {});

// Cross-validation by trials: fold i holds out one trial of every condition, in random order.
struct DpcaFolds {
    Index folds = 0;  // 0: as many as the rarest condition has trials
    std::uint64_t seed = 0;
};

struct DpcaLambda {
    std::string estimator;
    double best = 0;               // smallest mean error
    std::vector<double> lambdas;   // [L]
    linalg::Matrix error;          // [L, folds]
    std::vector<double> mean;      // [L], over folds
    std::vector<Interval> spread;  // [L], lowest and highest of the folds
    std::uint64_t seed = 0;
};

// Error of a lambda in a fold: sum_f |X_f of the training trials - X_test D F^T|^2 over their
// variance ("training" method of dpca_optimizeLambda.m). Empty lambdas: 1e-7 * 1.5^0 .. 1.5^25.
// Error(usage) as dpca, and when a condition has fewer than two trials. Folds run in parallel.
DpcaLambda dpca_lambda(const Responses& r, const std::vector<Factor>& factors,
                       const DpcaOptions& options = {}, const DpcaFolds& folds = {},
                       std::vector<double> lambdas = {});

struct DpcaSignificanceOptions {
    DpcaFolds folds = {};
    Index shuffles = 100;
    Index components = 3;     // tested in each marginalisation
    Index shortest_run = 10;  // significant steps in a row; shorter runs are dropped
};

struct DpcaDecoding {
    Index marginalisation = 0, rank = 0;  // component `rank` of the marginalisation
    Index classes = 0;                    // combinations of levels it should tell apart
    std::vector<double> accuracy;         // [T], share of held-out trials at the nearest class mean
    std::vector<double> p;                // [T], against the first component of shuffled trials
    std::vector<bool> significant;        // [T], above all shuffles, in a run that is long enough
};

struct DpcaSignificance {
    std::string estimator;
    std::vector<DpcaDecoding> components;  // marginalisations of time alone have none
    linalg::Matrix null_highest;           // [marginalisations, T], over shuffles
    std::uint64_t seed = 0;
};

// Decodes the classes of each marginalisation at each step from held-out trials, along decoders
// fitted to the others, and compares with trials whose conditions are permuted. Errors as
// dpca_lambda. Shuffles run in parallel; nothing depends on the number of threads.
DpcaSignificance dpca_significance(const Responses& r, const std::vector<Factor>& factors,
                                   const DpcaOptions& options = {},
                                   const DpcaSignificanceOptions& test = {});

}  // namespace soma::neuro
