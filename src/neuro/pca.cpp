#include "soma/neuro/pca.h"

#include <algorithm>
#include <numeric>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/responses.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

struct Centred {
    Matrix values;
    std::vector<double> mean, scale;
};

Centred centre(const char* operation, const Matrix& x, bool divide) {
    SOMA_CHECK(x.rows >= 2 && x.cols >= 1, operation, ": x is [", x.rows, ", ", x.cols,
               "]; need at least two samples of one unit");
    Standardised z = standardise(x);
    Centred c{std::move(z.values), std::move(z.mean), std::move(z.scale)};
    if (!divide) {
        for (Index i = 0; i < x.rows; ++i) {
            for (Index j = 0; j < x.cols; ++j) {
                c.values(i, j) = x(i, j) - c.mean[static_cast<std::size_t>(j)];
            }
        }
        std::fill(c.scale.begin(), c.scale.end(), 1.0);
    }
    return c;
}

// The smaller of X X^T and X^T X, which have the same non-zero eigenvalues.
Matrix gram_matrix(const Matrix& x) {
    return x.rows < x.cols ? linalg::product(x, x, Op::N, Op::T) : linalg::product(x, x, Op::T);
}

// Sum of the eigenvalues squared over the sum of their squares; 1 without variance.
double participation(const Matrix& centred) {
    const Matrix gram = gram_matrix(centred);
    double trace = 0, squares = 0;
    for (Index i = 0; i < gram.rows; ++i) trace += gram(i, i);
    for (const double v : gram.values) squares += v * v;
    return squares > 0 ? trace * trace / squares : 1;
}

std::vector<double> shares(std::vector<double> variance) {
    const double total = std::accumulate(variance.begin(), variance.end(), 0.0);
    for (double& v : variance) v = std::max(v, 0.0) / total;
    return variance;
}

std::vector<double> explained_variance(const Matrix& centred) {
    return shares(linalg::eig_symmetric(gram_matrix(centred)).values);
}

Matrix resample(const Matrix& x, const PcaOptions& options, Index repeat) {
    Matrix drawn(x.rows, x.cols);
    double* to = drawn.values.data();
    for (const Index block :
         bootstrap_sample(x.rows / options.block, options.bootstrap.seed, repeat)) {
        const double* from = x.row(block * options.block);
        to = std::copy(from, from + options.block * x.cols, to);
    }
    return drawn;
}

Interval bootstrap_participation(const Matrix& x, const PcaOptions& options) {
    std::vector<double> draws(static_cast<std::size_t>(options.bootstrap.repeats));
    parallel_for(options.bootstrap.repeats, 1, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            const Matrix drawn = resample(x, options, r);
            draws[static_cast<std::size_t>(r)] =
                participation(centre("pca", drawn, options.standardise).values);
        }
    });
    return percentile_interval(draws, options.bootstrap.level);
}

Matrix shuffle_units(const Matrix& x, std::uint64_t seed, Index repeat) {
    Matrix shuffled(x.rows, x.cols);
    for (Index j = 0; j < x.cols; ++j) {
        const std::vector<Index> order = random_permutation(x.rows, seed, repeat, j);
        for (Index i = 0; i < x.rows; ++i) {
            shuffled(i, j) = x(order[static_cast<std::size_t>(i)], j);
        }
    }
    return shuffled;
}

}  // namespace

Matrix Pca::project(const Matrix& x) const {
    SOMA_CHECK(x.cols == components.rows, "pca: x is [", x.rows, ", ", x.cols,
               "], the components are of ", components.rows, " units; need x.cols units");
    Matrix z = x;
    for (Index i = 0; i < x.rows; ++i) {
        for (Index j = 0; j < x.cols; ++j) {
            const auto at = static_cast<std::size_t>(j);
            z(i, j) = (x(i, j) - mean[at]) / scale[at];
        }
    }
    return linalg::product(z, components);
}

Pca pca(const Matrix& x, const PcaOptions& options) {
    check_bootstrap("pca", options.bootstrap);
    Centred c = centre("pca", x, options.standardise);
    const Index all = std::min(x.rows, x.cols);
    SOMA_CHECK(0 <= options.components && options.components <= all, "pca: ", options.components,
               " components of x [", x.rows, ", ", x.cols, "]; need at most ", all);
    SOMA_CHECK(options.block >= 1 && x.rows % options.block == 0, "pca: ", x.rows,
               " samples in blocks of ", options.block, "; need whole blocks");
    const linalg::Svd d = linalg::svd(c.values);
    std::vector<double> variance = d.s;
    for (double& v : variance) v *= v / static_cast<double>(x.rows - 1);
    SOMA_CHECK(d.s[0] > 0, "pca: all samples of x [", x.rows, ", ", x.cols, "] are equal");
    return {
        .estimator = options.standardise ? "PCA (SVD of z-scores)" : "PCA (SVD)",
        .mean = std::move(c.mean),
        .scale = std::move(c.scale),
        .components = linalg::columns(d.v, 0, options.components == 0 ? all : options.components),
        .variance = variance,
        .explained = shares(variance),
        .participation_ratio = participation(c.values),
        .participation_interval = bootstrap_participation(x, options),
        .seed = options.bootstrap.seed};
}

PcaNull pca_null(const Matrix& x, const PcaNullOptions& options) {
    check_bootstrap("pca_null", {options.shuffles, options.seed, options.level});
    SOMA_CHECK(1.0 / static_cast<double>(1 + options.shuffles) <= 1 - options.level + 1e-12,
               "pca_null: ", options.shuffles, " shuffles at level ", options.level,
               "; need 1 / (1 + shuffles) <= 1 - level");
    const Matrix centred = centre("pca_null", x, options.standardise).values;
    const auto different = [](double v) { return v != 0; };
    SOMA_CHECK(std::any_of(centred.values.begin(), centred.values.end(), different),
               "pca_null: all samples of x [", x.rows, ", ", x.cols, "] are equal");
    const std::vector<double> observed = explained_variance(centred);
    Matrix null(static_cast<Index>(observed.size()), options.shuffles);
    parallel_for(options.shuffles, 1, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            const std::vector<double> share =
                explained_variance(shuffle_units(centred, options.seed, r));
            for (Index k = 0; k < null.rows; ++k) null(k, r) = share[static_cast<std::size_t>(k)];
        }
    });
    PcaNull result;
    result.estimator = "permutation of each unit over samples";
    result.seed = options.seed;
    for (Index k = 0; k < null.rows; ++k) {
        const std::vector<double> draws(null.row(k), null.row(k) + null.cols);
        result.mean.push_back(std::accumulate(draws.begin(), draws.end(), 0.0) /
                              static_cast<double>(draws.size()));
        result.high.push_back(quantile(draws, options.level));
        result.p.push_back(permutation_p(observed[static_cast<std::size_t>(k)], draws));
    }
    const auto chance = std::find_if(result.p.begin(), result.p.end(),
                                     [&](double p) { return p > 1 - options.level + 1e-12; });
    result.dimensions = chance - result.p.begin();
    return result;
}

}  // namespace soma::neuro
