#include "soma/neuro/gaussian_mixture.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "soma/core/error.h"
#include "soma/core/rng.h"
#include "soma/kernels/random.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

// Philox tags of Purpose::resampling; those of permutations and bootstrap samples are small.
enum Tag : std::uint32_t { kStarts = 0x80000000u, kNormals, kPick };

// L with L L^T = c; the diagonal of a covariance with a ridge is positive.
Matrix cholesky(const Matrix& c) {
    Matrix l(c.rows, c.rows);
    for (Index i = 0; i < c.rows; ++i) {
        for (Index j = 0; j <= i; ++j) {
            double rest = c(i, j);
            for (Index k = 0; k < j; ++k) rest -= l(i, k) * l(j, k);
            SOMA_CHECK(i != j || rest > 0, "mixture: a covariance of ", c.rows,
                       " dimensions is not positive definite; need a larger ridge");
            l(i, j) = i == j ? std::sqrt(rest) : rest / l(j, j);
        }
    }
    return l;
}

// ln N(x; mean, L L^T) of many x.
class LogDensity {
public:
    LogDensity(const double* mean, const Matrix& covariance)
        : mean_(mean), l_(cholesky(covariance)), y_(static_cast<std::size_t>(covariance.rows)) {
        constant_ = -0.5 * static_cast<double>(l_.rows) * std::log(2 * std::numbers::pi);
        for (Index i = 0; i < l_.rows; ++i) constant_ -= std::log(l_(i, i));
    }

    double operator()(const double* x) {  // L y = x - mean
        double square = 0;
        for (Index i = 0; i < l_.rows; ++i) {
            double rest = x[i] - mean_[i];
            for (Index k = 0; k < i; ++k) rest -= l_(i, k) * y_[static_cast<std::size_t>(k)];
            rest /= l_(i, i);
            y_[static_cast<std::size_t>(i)] = rest;
            square += rest * rest;
        }
        return constant_ - 0.5 * square;
    }

private:
    const double* mean_;
    Matrix l_;
    std::vector<double> y_;
    double constant_ = 0;
};

// Turns logs [S, K] of w_k N(x) into responsibilities; returns ln L.
double normalise(Matrix& r) {
    double total = 0;
    for (Index s = 0; s < r.rows; ++s) {
        double* row = r.row(s);
        const double top = *std::max_element(row, row + r.cols);
        double sum = 0;
        for (Index k = 0; k < r.cols; ++k) sum += row[k] = std::exp(row[k] - top);
        for (Index k = 0; k < r.cols; ++k) row[k] /= sum;
        total += top + std::log(sum);
    }
    return total;
}

Matrix log_joint(const GaussianMixture& m, const Matrix& x) {
    Matrix r(x.rows, m.components());
    for (Index k = 0; k < m.components(); ++k) {
        LogDensity density(m.means.row(k), m.covariances[static_cast<std::size_t>(k)]);
        const double log_weight = std::log(m.weights[static_cast<std::size_t>(k)]);
        for (Index s = 0; s < x.rows; ++s) r(s, k) = log_weight + density(x.row(s));
    }
    return r;
}

// The maximum of the expected log-likelihood under responsibilities r [S, K].
GaussianMixture maximise(const Matrix& x, const Matrix& r, double ridge, bool zero_means) {
    const Index d = x.cols;
    GaussianMixture m;
    m.means = Matrix(r.cols, d);
    for (Index k = 0; k < r.cols; ++k) {
        double weight = 0;
        for (Index s = 0; s < x.rows; ++s) weight += r(s, k);
        weight = std::max(weight, 1e-300);  // an empty component keeps the ridge alone
        double* mean = m.means.row(k);
        for (Index s = 0; s < x.rows && !zero_means; ++s) {
            for (Index i = 0; i < d; ++i) mean[i] += r(s, k) / weight * x(s, i);
        }
        Matrix c(d, d);
        for (Index s = 0; s < x.rows; ++s) {
            for (Index i = 0; i < d; ++i) {
                const double left = r(s, k) / weight * (x(s, i) - mean[i]);
                for (Index j = 0; j <= i; ++j) c(i, j) += left * (x(s, j) - mean[j]);
            }
        }
        for (Index i = 0; i < d; ++i) {
            for (Index j = 0; j < i; ++j) c(j, i) = c(i, j);
            c(i, i) += ridge;
        }
        m.weights.push_back(weight / static_cast<double>(x.rows));
        m.covariances.push_back(std::move(c));
    }
    return m;
}

// x [S, D] less its mean, in coordinates in which its covariance is 1; constant directions vanish.
Matrix whitened(const Matrix& x, bool zero_means) {
    const GaussianMixture whole =
        maximise(x, Matrix(x.rows, 1, std::vector<double>(static_cast<std::size_t>(x.rows), 1.0)),
                 0, zero_means);
    const linalg::SymmetricEigen e = linalg::eig_symmetric(whole.covariances.front());
    Matrix axes = e.vectors;
    for (Index j = 0; j < axes.cols; ++j) {
        const double variance = e.values[static_cast<std::size_t>(j)];
        const double scale = variance > 1e-12 * e.values.front() ? 1 / std::sqrt(variance) : 0;
        for (Index i = 0; i < axes.rows; ++i) axes(i, j) *= scale;
    }
    Matrix centred = x;
    for (Index s = 0; s < x.rows; ++s) {
        for (Index i = 0; i < x.cols; ++i) centred(s, i) -= whole.means(0, i);
    }
    return linalg::product(centred, axes);
}

// Responsibilities of one start: each sample belongs to the direction along which it lies.
Matrix split(const Matrix& white, const MixtureOptions& o, Index start) {
    Matrix directions(white.cols, o.components);
    kernels::random_normal<double>(make_key(o.seed, Purpose::resampling, 0, kStarts),
                                   {.step = static_cast<std::uint32_t>(start)},
                                   std::ssize(directions.values), 0, 1, directions.row(0));
    for (Index k = 0; k < o.components; ++k) {
        double norm = 0;
        for (Index i = 0; i < white.cols; ++i) norm += directions(i, k) * directions(i, k);
        for (Index i = 0; i < white.cols; ++i) directions(i, k) /= std::sqrt(norm);
    }
    Matrix r = linalg::product(white, directions);
    for (Index s = 0; s < r.rows; ++s) {
        double* row = r.row(s);
        if (o.zero_means) std::transform(row, row + r.cols, row, [](double v) { return v * v; });
        const auto best = std::max_element(row, row + r.cols) - row;
        std::fill(row, row + r.cols, 0.0);
        row[best] = 1;
    }
    return r;
}

GaussianMixture climb(const Matrix& x, Matrix r, double ridge, const MixtureOptions& o) {
    GaussianMixture m;
    double before = -INFINITY;
    for (Index i = 0; i < o.iterations && !m.converged; ++i) {
        m = maximise(x, r, ridge, o.zero_means);
        r = log_joint(m, x);
        m.log_likelihood = normalise(r);
        m.converged = m.log_likelihood - before < o.tolerance * static_cast<double>(x.rows);
        before = m.log_likelihood;
    }
    return m;
}

void sort_by_weight(GaussianMixture& m) {
    std::vector<Index> order(m.weights.size());
    std::iota(order.begin(), order.end(), Index{0});
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
        return m.weights[static_cast<std::size_t>(a)] > m.weights[static_cast<std::size_t>(b)];
    });
    const GaussianMixture old = m;
    for (std::size_t k = 0; k < order.size(); ++k) {
        const auto from = static_cast<std::size_t>(order[k]);
        m.weights[k] = old.weights[from];
        m.covariances[k] = old.covariances[from];
        std::copy_n(old.means.row(order[k]), m.means.cols, m.means.row(static_cast<Index>(k)));
    }
}

}  // namespace

GaussianMixture fit_mixture(const Matrix& x, const MixtureOptions& o) {
    SOMA_CHECK(o.components >= 1 && o.components * (x.cols + 1) <= x.rows && x.cols >= 1,
               "mixture: ", o.components, " components of ", x.cols, " dimensions from ", x.rows,
               " samples; need components >= 1 and components * (dimensions + 1) <= samples");
    SOMA_CHECK(o.starts >= 1 && o.iterations >= 1 && o.ridge >= 0, "mixture: ", o.starts,
               " starts, ", o.iterations, " iterations, ridge ", o.ridge,
               "; need at least 1, 1 and 0");
    double square = 0;
    for (const double v : x.values) {
        if (!std::isfinite(v)) fail(ErrorCode::non_finite, "mixture: the samples hold NaN or Inf");
        square += v * v;
    }
    const double ridge = o.ridge * square / static_cast<double>(x.values.size());
    const Matrix white = whitened(x, o.zero_means);
    GaussianMixture best;
    for (Index start = 0; start < (o.components == 1 ? 1 : o.starts); ++start) {
        GaussianMixture m = climb(x, split(white, o, start), ridge, o);
        if (start == 0 || m.log_likelihood > best.log_likelihood) best = std::move(m);
    }
    sort_by_weight(best);
    const Index d = x.cols, each = d * (d + 1) / 2 + (o.zero_means ? 0 : d);
    const auto parameters = static_cast<double>(o.components * (each + 1) - 1);
    best.bic = -2 * best.log_likelihood + parameters * std::log(static_cast<double>(x.rows));
    return best;
}

std::vector<Index> assign(const GaussianMixture& mixture, const Matrix& x) {
    SOMA_CHECK(x.cols == mixture.dimensions(), "mixture: samples have ", x.cols,
               " dimensions, the mixture ", mixture.dimensions(), "; need the same");
    const Matrix joint = log_joint(mixture, x);
    std::vector<Index> component;
    for (Index s = 0; s < x.rows; ++s) {
        const double* row = joint.row(s);
        component.push_back(std::max_element(row, row + joint.cols) - row);
    }
    return component;
}

GaussianMixture populations(const GaussianMixture& mixture, const Matrix& x) {
    const std::vector<Index> component = assign(mixture, x);
    Matrix member(x.rows, mixture.components());
    std::vector<Index> count(mixture.weights.size());
    for (Index s = 0; s < x.rows; ++s) {
        const Index k = component[static_cast<std::size_t>(s)];
        member(s, k) = 1;
        ++count[static_cast<std::size_t>(k)];
    }
    GaussianMixture p = maximise(x, member, 0, false);
    for (std::size_t k = 0; k < count.size(); ++k) {
        SOMA_CHECK(count[k] >= 2, "populations: component ", k, " has ", count[k], " samples of ",
                   x.rows, "; need at least 2");
        const auto n = static_cast<double>(count[k]);
        for (double& v : p.covariances[k].values) v *= n / (n - 1);
    }
    const auto& mu = mixture.means.values;
    if (std::all_of(mu.begin(), mu.end(), [](double v) { return v == 0; })) {
        std::fill(p.means.values.begin(), p.means.values.end(), 0.0);
    }
    p.log_likelihood = p.bic = NAN;
    return p;
}

Matrix sample(const GaussianMixture& mixture, Index count, std::uint64_t seed, Index repeat) {
    SOMA_CHECK(count >= 1 && repeat >= 0, "mixture: ", count, " draws, repeat ", repeat,
               "; need at least 1 and 0");
    std::vector<Matrix> factors;
    for (const Matrix& c : mixture.covariances) factors.push_back(cholesky(c));
    const Index d = mixture.dimensions();
    const auto net = static_cast<std::uint64_t>(repeat);
    const PhiloxKey normals = make_key(seed, Purpose::resampling, net, kNormals);
    RandomSequence pick(make_key(seed, Purpose::resampling, net, kPick));
    Matrix draws(count, d);
    std::vector<double> z(static_cast<std::size_t>(d));
    for (Index s = 0; s < count; ++s) {
        Index k = 0;
        for (double u = pick.uniform(); k + 1 < mixture.components(); ++k) {
            u -= mixture.weights[static_cast<std::size_t>(k)];
            if (u < 0) break;
        }
        kernels::random_normal<double>(normals, {.trial = static_cast<std::uint32_t>(s)}, d, 0, 1,
                                       z.data());
        const Matrix& l = factors[static_cast<std::size_t>(k)];
        for (Index i = 0; i < d; ++i) {
            draws(s, i) = mixture.means(k, i);
            for (Index j = 0; j <= i; ++j) draws(s, i) += l(i, j) * z[static_cast<std::size_t>(j)];
        }
    }
    return draws;
}

}  // namespace soma::neuro
