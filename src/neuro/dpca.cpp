#include "soma/neuro/dpca.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "neuro/dpca_fit.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

constexpr double kEps = std::numeric_limits<double>::epsilon();

double trace(const Matrix& a) {
    double sum = 0;
    for (Index i = 0; i < a.rows; ++i) sum += a(i, i);
    return sum;
}

// 1 - |Y - Y d f^T|^2 / total for Y^T Y = gram and unit f: (2 f.G d - d.G d) / total.
double explained_share(const DpcaMoments::Axes& axes, const Matrix& gram, Index i, double total) {
    return (2 * quadratic(axes.encoder, gram, axes.decoder, i) -
            quadratic(axes.decoder, gram, axes.decoder, i)) /
           total;
}

// More positive than negative loadings in every encoder.
void fix_signs(DpcaMoments::Axes& axes) {
    for (Index k = 0; k < axes.encoder.cols; ++k) {
        Index majority = 0;
        for (Index i = 0; i < axes.encoder.rows; ++i) {
            majority += axes.encoder(i, k) > 0 ? 1 : axes.encoder(i, k) < 0 ? -1 : 0;
        }
        for (Index i = 0; i < axes.encoder.rows && majority < 0; ++i) {
            axes.encoder(i, k) = -axes.encoder(i, k);
            axes.decoder(i, k) = -axes.decoder(i, k);
        }
    }
}

std::vector<double> shares(const std::vector<Matrix>& parts, double total) {
    std::vector<double> share(parts.size());
    std::transform(parts.begin(), parts.end(), share.begin(), [total](const Matrix& part) {
        const std::vector<double>& v = part.values;
        return std::inner_product(v.begin(), v.end(), v.begin(), 0.0) / total;
    });
    return share;
}

std::vector<Interval> bootstrap_shares(const Responses& r, const DpcaDesign& design,
                                       const Bootstrap& options) {
    const std::size_t groups = design.marginalisations.size();
    std::vector<std::vector<double>> draws(
        groups, std::vector<double>(static_cast<std::size_t>(options.repeats)));
    parallel_for(options.repeats, 1, [&](Index begin, Index end) {
        for (Index b = begin; b < end; ++b) {
            auto drawn = design.trials;
            for (std::size_t c = 0; c < drawn.size(); ++c) {
                const auto picks = bootstrap_sample(static_cast<Index>(drawn[c].size()),
                                                    options.seed, b, static_cast<Index>(c));
                for (std::size_t k = 0; k < picks.size(); ++k) {
                    drawn[c][k] = design.trials[c][static_cast<std::size_t>(picks[k])];
                }
            }
            const Matrix means = condition_means(r, drawn);
            const Matrix x = without_means(means, column_means(means));
            const double total = shares({x}, 1)[0];
            const std::vector<double> share = shares(parts_of(x, design, r.steps), total);
            for (std::size_t g = 0; g < groups; ++g) {
                draws[g][static_cast<std::size_t>(b)] = share[g];
            }
        }
    });
    std::vector<Interval> intervals(groups);
    std::transform(draws.begin(), draws.end(), intervals.begin(),
                   [&](const auto& draw) { return percentile_interval(draw, options.level); });
    return intervals;
}

struct Component {
    Index marginalisation, column;
    double explained;
};

// Copies the components in the order of `order` into the result.
void collect(const std::vector<DpcaMoments::Axes>& axes, const std::vector<Component>& order,
             const DpcaMoments& moments, Dpca& result) {
    const Index n = moments.gram().rows, q = static_cast<Index>(order.size());
    const auto groups = static_cast<Index>(axes.size());
    result.encoder = Matrix(n, q);
    result.decoder = Matrix(n, q);
    result.explained_part = Matrix(q, groups);
    for (Index k = 0; k < q; ++k) {
        const Component& c = order[static_cast<std::size_t>(k)];
        const DpcaMoments::Axes& from = axes[static_cast<std::size_t>(c.marginalisation)];
        result.marginalisation.push_back(c.marginalisation);
        result.explained.push_back(c.explained);
        for (Index i = 0; i < n; ++i) {
            result.encoder(i, k) = from.encoder(i, c.column);
            result.decoder(i, k) = from.decoder(i, c.column);
        }
        for (Index g = 0; g < groups; ++g) {
            result.explained_part(k, g) = explained_share(
                from, moments.part_grams()[static_cast<std::size_t>(g)], c.column, moments.total());
        }
    }
}

}  // namespace

double quadratic(const Matrix& a, const Matrix& m, const Matrix& b, Index i) {
    double sum = 0;
    for (Index row = 0; row < m.rows; ++row) {
        double dot = 0;
        for (Index j = 0; j < m.cols; ++j) dot += m(row, j) * b(j, i);
        sum += a(row, i) * dot;
    }
    return sum;
}

DpcaMoments::DpcaMoments(const Matrix& x, const std::vector<Matrix>& parts, const Matrix& noise)
    : gram_(linalg::product(x, x, Op::T)) {
    total_ = trace(gram_);
    SOMA_CHECK(total_ > 0, "dpca: the averages of the conditions do not vary");
    for (const Matrix& part : parts) parts_.push_back(linalg::product(part, part, Op::T));
    Matrix sum = gram_;
    for (std::size_t i = 0; i < noise.values.size(); ++i) sum.values[i] += noise.values[i];
    linalg::SymmetricEigen e = linalg::eig_symmetric(sum);
    basis_ = std::move(e.vectors);
    spectrum_ = std::move(e.values);
}

DpcaMoments::Axes DpcaMoments::fit(Index marginalisation, Index q, double lambda) const {
    const Index n = gram_.rows;
    const double ridge = lambda * total_ * lambda * total_;
    const double zero = static_cast<double>(n) * kEps * (spectrum_[0] + ridge);
    Matrix scaled = basis_;  // basis diag(1 / (spectrum + ridge))
    for (Index j = 0; j < n; ++j) {
        const double value = std::max(spectrum_[static_cast<std::size_t>(j)], 0.0) + ridge;
        for (Index i = 0; i < n; ++i) scaled(i, j) = value > zero ? scaled(i, j) / value : 0;
    }
    const Matrix inverse = linalg::product(scaled, basis_, Op::N, Op::T);
    const Matrix c = linalg::product(parts_[static_cast<std::size_t>(marginalisation)], inverse);
    const Matrix fitted = linalg::product(linalg::product(c, gram_), c, Op::N, Op::T);
    const linalg::SymmetricEigen e = linalg::eig_symmetric(fitted);
    Index kept = 0;
    while (kept < std::min(q, n) &&
           e.values[static_cast<std::size_t>(kept)] > static_cast<double>(n) * kEps * total_) {
        ++kept;
    }
    const Matrix encoder = linalg::columns(e.vectors, 0, kept);
    return {encoder, linalg::product(c, encoder, Op::T)};
}

Matrix Dpca::project(const Matrix& x) const {
    SOMA_CHECK(x.cols == decoder.rows, "dpca: x is [", x.rows, ", ", x.cols,
               "], the components are of ", decoder.rows, " units; need x.cols units");
    return linalg::product(without_means(x, mean), decoder);
}

Dpca dpca(const Responses& r, const std::vector<Factor>& factors, const DpcaOptions& options) {
    const DpcaDesign design = make_design("dpca", r, factors, options);
    Dpca result;
    result.averages = condition_means(r, design.trials);
    result.mean = column_means(result.averages);
    const Matrix x = without_means(result.averages, result.mean);
    const std::vector<Matrix> parts = parts_of(x, design, r.steps);
    const DpcaMoments moments(
        x, parts, options.noise ? noise_covariance(r, design.trials, result.averages) : Matrix());
    std::vector<DpcaMoments::Axes> axes;
    std::vector<Component> order;
    for (Index g = 0; g < static_cast<Index>(parts.size()); ++g) {
        axes.push_back(moments.fit(g, options.components, options.lambda));
        fix_signs(axes.back());
        for (Index k = 0; k < axes.back().encoder.cols; ++k) {
            order.push_back(
                {g, k, explained_share(axes.back(), moments.gram(), k, moments.total())});
        }
    }
    std::stable_sort(order.begin(), order.end(), [](const Component& a, const Component& b) {
        return a.explained > b.explained;
    });
    collect(axes, order, moments, result);
    result.estimator =
        concat("dPCA, lambda ", options.lambda, options.noise ? ", with noise covariance" : "");
    result.marginalisations = design.marginalisations;
    result.share = shares(parts, moments.total());
    result.share_interval = bootstrap_shares(r, design, options.bootstrap);
    result.levels = design.levels;
    result.seed = options.bootstrap.seed;
    return result;
}

}  // namespace soma::neuro
