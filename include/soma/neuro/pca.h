#pragma once
// Principal components of population activity, the dimension of that activity, and which components
// are more than chance.
//
//     X - mean = U diag(s) V^T      component k = column k of V, variance_k = s_k^2 / (S - 1)
//     participation ratio = (sum_k variance_k)^2 / sum_k variance_k^2,  1 .. N
//
// Letters: S samples (rows), N units. Sources: SVD of the centred data; participation ratio after
// Rajan, Abbott & Sompolinsky 2010; null after Horn 1965 (parallel analysis) with permutations.

#include <string>

#include "soma/linalg/matrix.h"
#include "soma/neuro/resampling.h"

namespace soma::neuro {

struct PcaOptions {
    Index components = 0;      // kept; 0: all min(S, N)
    bool standardise = false;  // divide by the standard deviation of each unit (correlation PCA)
    Index block = 1;           // rows resampled together: the steps of a trial
    Bootstrap bootstrap = {};  // over blocks, for the participation ratio
};

struct Pca {
    std::string estimator;
    std::vector<double> mean, scale;  // [N]; scale is 1 without `standardise`
    linalg::Matrix components;        // [N, k], orthonormal columns, largest loading positive
    std::vector<double> variance;     // [min(S, N)], all of them, descending
    std::vector<double> explained;    // [min(S, N)], variance over its sum
    double participation_ratio = 0;
    Interval participation_interval = {};  // percentiles; NaN without bootstrap
    std::uint64_t seed = 0;

    // ((x - mean) / scale) components: scores [rows, k] of other states x [rows, N].
    linalg::Matrix project(const linalg::Matrix& x) const;
};

// x [S, N]. Error(usage) when S < 2, components > min(S, N), the variance is zero, or S is not a
// multiple of `block`; Error(non_finite) for NaN or Inf. Needs LAPACK. Resampled data repeat rows,
// which lowers the participation ratio a little: the interval describes spread, not bias.
Pca pca(const linalg::Matrix& x, const PcaOptions& options = {});

struct PcaNullOptions {
    Index shuffles = 100;
    bool standardise = false;
    std::uint64_t seed = 0;
    double level = 0.95;
};

// Explained variance of data in which every unit is permuted over the samples on its own: its
// distribution stays, its correlation with the others goes.
struct PcaNull {
    std::string estimator;
    std::vector<double> mean, high;  // [min(S, N)]: mean and quantile `level` over shuffles
    std::vector<double> p;           // [min(S, N)]: permutation_p of the explained variance
    Index dimensions = 0;            // leading components with p <= 1 - level
    std::uint64_t seed = 0;
};

// Shuffles run in parallel; the result does not depend on the number of threads. Conservative for
// later components: large ones leave little of the total to them. Error(usage) as pca, and when
// 1 / (1 + shuffles) > 1 - level: no p could be that small.
PcaNull pca_null(const linalg::Matrix& x, const PcaNullOptions& options = {});

}  // namespace soma::neuro
