#pragma once
// The parts of demixed PCA that fitting and cross-validation share.

#include "soma/neuro/dpca.h"

namespace soma::neuro {

// Which trials belong to which condition, and what the marginalisations are.
struct DpcaDesign {
    std::vector<Index> levels;               // [factors]
    std::vector<std::vector<Index>> trials;  // [C], condition = mixed radix of the levels
    std::vector<Marginalisation> marginalisations;

    Index conditions() const { return static_cast<Index>(trials.size()); }
    std::vector<Index> sizes(Index steps) const;  // levels, then steps
    // Factors in any set of a marginalisation, as bits.
    std::uint32_t factors_of(Index marginalisation) const;
    // Class of a condition: mixed radix of the levels of those factors.
    Index class_of(Index condition, std::uint32_t factors) const;
    Index fewest_trials() const;
};

// Checks everything that dpca() promises to check.
DpcaDesign make_design(const char* operation, const Responses& r,
                       const std::vector<Factor>& factors, const DpcaOptions& options);

// [C T, N]: averages over the trials of each condition.
linalg::Matrix condition_means(const Responses& r, const std::vector<std::vector<Index>>& trials);
// Column means, and the same matrix without them.
std::vector<double> column_means(const linalg::Matrix& x);
linalg::Matrix without_means(linalg::Matrix x, const std::vector<double>& mean);
// [N, N]: C_noise around `means` of condition_means.
linalg::Matrix noise_covariance(const Responses& r, const std::vector<std::vector<Index>>& trials,
                                const linalg::Matrix& means);
// Parts of a centred X, one for each marginalisation.
std::vector<linalg::Matrix> parts_of(const linalg::Matrix& x, const DpcaDesign& design,
                                     Index steps);

// What a fit needs of the data. The parts are orthogonal: X_f^T X = X_f^T X_f.
class DpcaMoments {
public:
    // x centred; noise [N, N] or empty. Error(usage) when x is zero.
    DpcaMoments(const linalg::Matrix& x, const std::vector<linalg::Matrix>& parts,
                const linalg::Matrix& noise);

    struct Axes {
        linalg::Matrix encoder, decoder;  // [N, q]
    };
    // Components of one marginalisation, by eigenvalue descending; at most q, with variance.
    Axes fit(Index marginalisation, Index q, double lambda) const;

    double total() const { return total_; }                                   // |X|^2
    const linalg::Matrix& gram() const { return gram_; }                      // X^T X
    const std::vector<linalg::Matrix>& part_grams() const { return parts_; }  // X_f^T X_f

private:
    double total_ = 0;
    linalg::Matrix gram_;
    std::vector<linalg::Matrix> parts_;
    linalg::Matrix basis_;          // eigenvectors of X^T X + C_noise
    std::vector<double> spectrum_;  // and its eigenvalues
};

// a^T m b of columns i of a and b.
double quadratic(const linalg::Matrix& a, const linalg::Matrix& m, const linalg::Matrix& b,
                 Index i);

}  // namespace soma::neuro
