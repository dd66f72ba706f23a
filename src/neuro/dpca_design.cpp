// Conditions, marginalisations and averages of demixed PCA.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "neuro/dpca_fit.h"
#include "soma/core/error.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;

constexpr std::size_t kMostFactors = 16;

Index product_of(const std::vector<Index>& sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), Index{1}, std::multiplies<>());
}

// Mean along one dimension, repeated along it. Lines along it have elements `stride` rows apart.
Matrix average_along(const Matrix& x, Index size, Index stride) {
    Matrix mean(x.rows, x.cols);
    for (Index first = 0; first < x.rows; ++first) {
        if (first / stride % size != 0) continue;
        double* sum = mean.row(first);
        for (Index k = 0; k < size; ++k) {
            const double* row = x.row(first + k * stride);
            for (Index i = 0; i < x.cols; ++i) sum[i] += row[i];
        }
        for (Index i = 0; i < x.cols; ++i) sum[i] /= static_cast<double>(size);
        for (Index k = 1; k < size; ++k) {
            std::copy(sum, sum + x.cols, mean.row(first + k * stride));
        }
    }
    return mean;
}

void check_sets(const char* operation, const std::vector<Marginalisation>& groups,
                std::uint32_t dimensions) {
    std::set<std::uint32_t> seen;
    for (const Marginalisation& m : groups) {
        SOMA_CHECK(!m.sets.empty(), operation, ": marginalisation '", m.name, "' is empty");
        for (const std::uint32_t set : m.sets) {
            SOMA_CHECK(0 < set && set < 1u << dimensions, operation, ": marginalisation '", m.name,
                       "' has set ", set, "; need bits of ", dimensions - 1,
                       " factors and of time");
            SOMA_CHECK(seen.insert(set).second, operation, ": set ", set,
                       " stands in two marginalisations");
        }
    }
}

}  // namespace

Matrix marginalise(const Matrix& x, const std::vector<Index>& sizes, std::uint32_t set) {
    SOMA_CHECK(x.rows == product_of(sizes) && x.rows >= 1, "marginalise: x has ", x.rows,
               " rows, the dimensions ", product_of(sizes), "; need equal numbers");
    Matrix part = x;
    Index stride = 1;
    for (std::size_t d = sizes.size(); d-- > 0;) {
        const Matrix mean = average_along(part, sizes[d], stride);
        if ((set >> d & 1u) != 0) {
            for (std::size_t i = 0; i < part.values.size(); ++i) part.values[i] -= mean.values[i];
        } else {
            part = mean;
        }
        stride *= sizes[d];
    }
    return part;
}

std::vector<Marginalisation> standard_marginalisations(const std::vector<Factor>& factors) {
    const std::uint32_t time = 1u << factors.size();
    std::vector<Marginalisation> groups = {{"time", {time}}};
    for (std::uint32_t set = 1; set < time; ++set) {
        std::string name;
        for (std::size_t f = 0; f < factors.size(); ++f) {
            if ((set >> f & 1u) != 0) name += (name.empty() ? "" : " x ") + factors[f].name;
        }
        groups.push_back({name, {set, set | time}});
    }
    return groups;
}

std::vector<Index> DpcaDesign::sizes(Index steps) const {
    std::vector<Index> all = levels;
    all.push_back(steps);
    return all;
}

std::uint32_t DpcaDesign::factors_of(Index marginalisation) const {
    std::uint32_t factors = 0;
    for (const auto set : marginalisations[static_cast<std::size_t>(marginalisation)].sets) {
        factors |= set;
    }
    return factors & ((1u << levels.size()) - 1);
}

Index DpcaDesign::class_of(Index condition, std::uint32_t factors) const {
    Index label = 0, scale = 1;
    for (std::size_t f = levels.size(); f-- > 0; condition /= levels[f]) {
        if ((factors >> f & 1u) == 0) continue;
        label += scale * (condition % levels[f]);
        scale *= levels[f];
    }
    return label;
}

Index DpcaDesign::fewest_trials() const {
    std::size_t fewest = trials[0].size();
    for (const auto& t : trials) fewest = std::min(fewest, t.size());
    return static_cast<Index>(fewest);
}

DpcaDesign make_design(const char* operation, const Responses& r,
                       const std::vector<Factor>& factors, const DpcaOptions& options) {
    check_responses(operation, r);
    check_bootstrap(operation, options.bootstrap);
    SOMA_CHECK(!factors.empty() && factors.size() <= kMostFactors, operation, ": ", factors.size(),
               " factors; need 1 .. ", kMostFactors);
    SOMA_CHECK(options.components >= 1 && options.lambda >= 0, operation, ": ", options.components,
               " components, lambda ", options.lambda, "; need at least 1 and lambda >= 0");
    DpcaDesign design;
    std::vector<Index> condition(static_cast<std::size_t>(r.trials));
    for (const Factor& f : factors) {
        SOMA_CHECK(static_cast<Index>(f.level.size()) == r.trials, operation, ": factor '", f.name,
                   "' has ", f.level.size(), " levels for ", r.trials, " trials");
        const auto [low, high] = std::minmax_element(f.level.begin(), f.level.end());
        SOMA_CHECK(*low >= 0 && *high < r.trials, operation, ": levels of factor '", f.name,
                   "' run from ", *low, " to ", *high, "; need 0 .. trials - 1");
        design.levels.push_back(*high + 1);
        for (std::size_t k = 0; k < condition.size(); ++k) {
            condition[k] = condition[k] * (*high + 1) + f.level[k];
        }
        SOMA_CHECK(product_of(design.levels) <= r.trials, operation, ": more conditions than the ",
                   r.trials, " trials; need a trial of every one");
    }
    design.trials.resize(static_cast<std::size_t>(product_of(design.levels)));
    for (std::size_t k = 0; k < condition.size(); ++k) {
        design.trials[static_cast<std::size_t>(condition[k])].push_back(static_cast<Index>(k));
    }
    for (std::size_t c = 0; c < design.trials.size(); ++c) {
        SOMA_CHECK(!design.trials[c].empty(), operation, ": condition ", c, " of ",
                   design.trials.size(), " has no trial");
    }
    design.marginalisations = options.marginalisations.empty() ? standard_marginalisations(factors)
                                                               : options.marginalisations;
    check_sets(operation, design.marginalisations, static_cast<std::uint32_t>(factors.size() + 1));
    return design;
}

Matrix condition_means(const Responses& r, const std::vector<std::vector<Index>>& trials) {
    Matrix means(static_cast<Index>(trials.size()) * r.steps, r.units());
    Index row = 0;
    for (const std::vector<Index>& members : trials) {
        for (Index t = 0; t < r.steps; ++t, ++row) {
            double* mean = means.row(row);
            for (const Index k : members) {
                const double* state = r.states.row(k * r.steps + t);
                for (Index i = 0; i < r.units(); ++i) mean[i] += state[i];
            }
            for (Index i = 0; i < r.units(); ++i) mean[i] /= static_cast<double>(members.size());
        }
    }
    return means;
}

std::vector<double> column_means(const Matrix& x) {
    const Matrix mean = average_along(x, x.rows, 1);
    return {mean.row(0), mean.row(1)};
}

Matrix without_means(Matrix x, const std::vector<double>& mean) {
    for (Index row = 0; row < x.rows; ++row) {
        for (Index i = 0; i < x.cols; ++i) x(row, i) -= mean[static_cast<std::size_t>(i)];
    }
    return x;
}

Matrix noise_covariance(const Responses& r, const std::vector<std::vector<Index>>& trials,
                        const Matrix& means) {
    std::size_t members = 0;
    for (const auto& t : trials) members += t.size();
    Matrix rest(static_cast<Index>(members) * r.steps, r.units());
    Index row = 0;
    for (std::size_t c = 0; c < trials.size(); ++c) {
        const double weight = 1 / std::sqrt(static_cast<double>(trials[c].size()));
        for (const Index k : trials[c]) {
            for (Index t = 0; t < r.steps; ++t, ++row) {
                const double* mean = means.row(static_cast<Index>(c) * r.steps + t);
                for (Index i = 0; i < r.units(); ++i) {
                    rest(row, i) = weight * (r(k, t, i) - mean[i]);
                }
            }
        }
    }
    return linalg::product(rest, rest, Op::T);
}

std::vector<Matrix> parts_of(const Matrix& x, const DpcaDesign& design, Index steps) {
    std::vector<Matrix> parts;
    for (const Marginalisation& m : design.marginalisations) {
        Matrix sum(x.rows, x.cols);
        for (const std::uint32_t set : m.sets) {
            const Matrix part = marginalise(x, design.sizes(steps), set);
            for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += part.values[i];
        }
        parts.push_back(std::move(sum));
    }
    return parts;
}

}  // namespace soma::neuro
