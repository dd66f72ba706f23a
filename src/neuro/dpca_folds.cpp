// Cross-validation of demixed PCA: the choice of lambda, and decoding against shuffled trials.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "neuro/dpca_fit.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/linalg/linalg.h"

namespace soma::neuro {
namespace {

using kernels::Op;
using linalg::Matrix;
using Trials = std::vector<std::vector<Index>>;

// One trial of every condition held out.
struct Fold {
    Matrix train, test;        // [C T, N]: averages of the others, and the trials held out
    std::vector<double> mean;  // of train
    Matrix noise;              // of the others; empty without
};

// Position of the trial that a fold holds out of the n of a condition: each once before one
// repeats.
Index held_out(Index n, Index condition, Index fold, std::uint64_t seed, Index repeat) {
    return random_permutation(n, seed, repeat, condition)[static_cast<std::size_t>(fold % n)];
}

Fold split(const Responses& r, const Trials& trials, const DpcaOptions& options, Index fold,
           std::uint64_t seed, Index repeat) {
    Trials kept = trials, held(trials.size());
    for (std::size_t c = 0; c < trials.size(); ++c) {
        const Index out = held_out(static_cast<Index>(trials[c].size()), static_cast<Index>(c),
                                   fold, seed, repeat);
        held[c] = {trials[c][static_cast<std::size_t>(out)]};
        kept[c].erase(kept[c].begin() + out);
    }
    Fold f;
    f.train = condition_means(r, kept);
    f.test = condition_means(r, held);
    f.mean = column_means(f.train);
    if (options.noise) f.noise = noise_covariance(r, kept, f.train);
    return f;
}

Index number_of_folds(const char* operation, const DpcaDesign& design, const DpcaFolds& folds) {
    const Index fewest = design.fewest_trials();
    SOMA_CHECK(fewest >= 2, operation, ": a condition has ", fewest,
               " trial; need two to hold one out");
    SOMA_CHECK(folds.folds >= 0, operation, ": ", folds.folds, " folds; need 0 or more");
    return folds.folds == 0 ? fewest : folds.folds;
}

std::vector<double> standard_lambdas() {
    std::vector<double> lambdas(26);
    for (int i = 0; i < 26; ++i) lambdas[static_cast<std::size_t>(i)] = 1e-7 * std::pow(1.5, i);
    return lambdas;
}

// Errors of all lambdas in one fold, by the moments of its matrices:
// |X_f - Y D F^T|^2 = |X_f|^2 - 2 sum_q f.(X_f^T Y) d + sum_q d.(Y^T Y) d for orthonormal F.
std::vector<double> errors(const Fold& fold, const DpcaDesign& design, const DpcaOptions& options,
                           Index steps, const std::vector<double>& lambdas) {
    const Matrix x = without_means(fold.train, fold.mean);
    const Matrix y = without_means(fold.test, column_means(fold.test));
    const std::vector<Matrix> parts = parts_of(x, design, steps);
    const DpcaMoments moments(x, parts, fold.noise);
    const Matrix gram = linalg::product(y, y, Op::T);
    double variance = 0;
    std::vector<Matrix> cross;
    for (std::size_t g = 0; g < parts.size(); ++g) {
        cross.push_back(linalg::product(parts[g], y, Op::T));
        for (Index i = 0; i < gram.rows; ++i) variance += moments.part_grams()[g](i, i);
    }
    std::vector<double> result;
    for (const double lambda : lambdas) {
        double error = variance;
        for (std::size_t g = 0; g < parts.size(); ++g) {
            const DpcaMoments::Axes axes =
                moments.fit(static_cast<Index>(g), options.components, lambda);
            for (Index k = 0; k < axes.encoder.cols; ++k) {
                error += quadratic(axes.decoder, gram, axes.decoder, k) -
                         2 * quadratic(axes.encoder, cross[g], axes.decoder, k);
            }
        }
        result.push_back(error / variance);
    }
    return result;
}

// The order in which components of a fold fit best to those of all trials, by |f.f'|.
std::vector<Index> match(const Matrix& reference, const Matrix& encoder) {
    const Matrix overlap = linalg::product(reference, encoder, Op::T);
    std::vector<Index> order;
    for (Index k = 0; k < overlap.rows; ++k) {
        Index best = -1;
        for (Index j = 0; j < overlap.cols; ++j) {
            if (std::find(order.begin(), order.end(), j) != order.end()) continue;
            if (best < 0 || std::abs(overlap(k, j)) > std::abs(overlap(k, best))) best = j;
        }
        if (best >= 0) order.push_back(best);
    }
    return order;
}

// Adds to hits [T] how many held-out trials lie nearest to the mean of their own class.
void count_hits(const std::vector<double>& train, const std::vector<double>& test,
                const std::vector<Index>& label, Index classes, std::vector<double>& hits) {
    const std::size_t steps = hits.size(), conditions = label.size();
    for (std::size_t t = 0; t < steps; ++t) {
        std::vector<double> sum(static_cast<std::size_t>(classes));
        std::vector<double> count(sum.size());
        for (std::size_t c = 0; c < conditions; ++c) {
            sum[static_cast<std::size_t>(label[c])] += train[c * steps + t];
            count[static_cast<std::size_t>(label[c])] += 1;
        }
        for (std::size_t c = 0; c < conditions; ++c) {
            std::size_t nearest = 0;
            double least = INFINITY;
            for (std::size_t k = 0; k < sum.size(); ++k) {
                const double away = std::abs(test[c * steps + t] - sum[k] / count[k]);
                if (away < least) {
                    least = away;
                    nearest = k;
                }
            }
            hits[t] += static_cast<Index>(nearest) == label[c] ? 1 : 0;
        }
    }
}

// One cross-validated decoding: accuracy [T] of up to `components` of each marginalisation.
class Decoder {
public:
    Decoder(const Responses& r, const DpcaDesign& design, const DpcaOptions& options, Index folds,
            std::uint64_t seed)
        : r_(r), design_(design), options_(options), folds_(folds), seed_(seed) {}

    using Accuracy = std::vector<std::vector<std::vector<double>>>;  // [marginalisation][rank][t]

    Accuracy run(const Trials& trials, Index components, Index repeat) const {
        const std::vector<Matrix> reference = encoders(trials, components);
        Accuracy accuracy(reference.size());
        for (std::size_t g = 0; g < reference.size(); ++g) {
            accuracy[g].assign(static_cast<std::size_t>(reference[g].cols),
                               std::vector<double>(static_cast<std::size_t>(r_.steps)));
        }
        for (Index f = 0; f < folds_; ++f) {
            add_fold(split(r_, trials, options_, f, seed_, repeat), reference, accuracy);
        }
        const double tries = static_cast<double>(folds_ * design_.conditions());
        for (auto& group : accuracy) {
            for (auto& component : group) {
                for (double& hits : component) hits /= tries;
            }
        }
        return accuracy;
    }

    Index classes(Index marginalisation) const {
        const std::uint32_t factors = design_.factors_of(marginalisation);
        return design_.class_of(design_.conditions() - 1, factors) + 1;
    }

private:
    // Encoders of all trials; none for time alone.
    std::vector<Matrix> encoders(const Trials& trials, Index components) const {
        const Matrix means = condition_means(r_, trials);
        const Matrix x = without_means(means, column_means(means));
        const DpcaMoments moments(x, parts_of(x, design_, r_.steps),
                                  options_.noise ? noise_covariance(r_, trials, means) : Matrix());
        std::vector<Matrix> all;
        for (Index g = 0; g < static_cast<Index>(design_.marginalisations.size()); ++g) {
            all.push_back(classes(g) == 1 ? Matrix(r_.units(), 0)
                                          : moments.fit(g, components, options_.lambda).encoder);
        }
        return all;
    }

    void add_fold(const Fold& fold, const std::vector<Matrix>& reference,
                  Accuracy& accuracy) const {
        const Matrix x = without_means(fold.train, fold.mean);
        const Matrix y = without_means(fold.test, fold.mean);
        const DpcaMoments moments(x, parts_of(x, design_, r_.steps), fold.noise);
        for (std::size_t g = 0; g < reference.size(); ++g) {
            if (reference[g].cols == 0) continue;
            const auto group = static_cast<Index>(g);
            const DpcaMoments::Axes axes = moments.fit(group, reference[g].cols, options_.lambda);
            std::vector<Index> label;
            for (Index c = 0; c < design_.conditions(); ++c) {
                label.push_back(design_.class_of(c, design_.factors_of(group)));
            }
            const Matrix train = linalg::product(x, axes.decoder);
            const Matrix test = linalg::product(y, axes.decoder);
            const std::vector<Index> order = match(reference[g], axes.encoder);
            for (std::size_t k = 0; k < order.size(); ++k) {
                count_hits(linalg::column(train, order[k]), linalg::column(test, order[k]), label,
                           classes(group), accuracy[g][k]);
            }
        }
    }

    const Responses& r_;
    const DpcaDesign& design_;
    const DpcaOptions& options_;
    Index folds_;
    std::uint64_t seed_;
};

// The trials with their conditions permuted.
Trials shuffle(const Trials& trials, Index total, std::uint64_t seed, Index repeat) {
    const std::vector<Index> order =
        random_permutation(total, seed, repeat, static_cast<Index>(trials.size()));
    Trials shuffled = trials;
    for (auto& members : shuffled) {
        for (Index& k : members) k = order[static_cast<std::size_t>(k)];
    }
    return shuffled;
}

void drop_short_runs(std::vector<bool>& significant, Index shortest) {
    for (std::size_t begin = 0; begin < significant.size();) {
        std::size_t end = begin;
        while (end < significant.size() && significant[end]) ++end;
        if (static_cast<Index>(end - begin) < shortest) {
            std::fill(significant.begin() + static_cast<std::ptrdiff_t>(begin),
                      significant.begin() + static_cast<std::ptrdiff_t>(end), false);
        }
        begin = end + 1;
    }
}

// [T, shuffles]: accuracies of the first component of a marginalisation.
Matrix first_components(const std::vector<Decoder::Accuracy>& null, std::size_t group,
                        Index steps) {
    Matrix draws(steps, static_cast<Index>(null.size()));
    for (std::size_t s = 0; s < null.size(); ++s) {
        if (null[s][group].empty()) continue;
        const std::vector<double>& accuracy = null[s][group][0];
        for (std::size_t t = 0; t < accuracy.size(); ++t) {
            draws(static_cast<Index>(t), static_cast<Index>(s)) = accuracy[t];
        }
    }
    return draws;
}

DpcaDecoding judge(const std::vector<double>& accuracy, const Matrix& null, Index shortest_run) {
    DpcaDecoding d;
    d.accuracy = accuracy;
    for (std::size_t t = 0; t < accuracy.size(); ++t) {
        const auto step = static_cast<Index>(t);
        const std::span<const double> draws(null.row(step), null.row(step + 1));
        d.p.push_back(permutation_p(accuracy[t], draws));
        d.significant.push_back(accuracy[t] > *std::max_element(draws.begin(), draws.end()));
    }
    drop_short_runs(d.significant, shortest_run);
    return d;
}

}  // namespace

DpcaLambda dpca_lambda(const Responses& r, const std::vector<Factor>& factors,
                       const DpcaOptions& options, const DpcaFolds& folds,
                       std::vector<double> lambdas) {
    const DpcaDesign design = make_design("dpca_lambda", r, factors, options);
    const Index count = number_of_folds("dpca_lambda", design, folds);
    if (lambdas.empty()) lambdas = standard_lambdas();
    for (const double lambda : lambdas) {
        SOMA_CHECK(lambda >= 0, "dpca_lambda: lambda is ", lambda, "; need lambda >= 0");
    }
    DpcaLambda result;
    result.error = Matrix(static_cast<Index>(lambdas.size()), count);
    parallel_for(count, 1, [&](Index begin, Index end) {
        for (Index f = begin; f < end; ++f) {
            const Fold fold = split(r, design.trials, options, f, folds.seed, 0);
            const std::vector<double> error = errors(fold, design, options, r.steps, lambdas);
            for (Index l = 0; l < result.error.rows; ++l) {
                result.error(l, f) = error[static_cast<std::size_t>(l)];
            }
        }
    });
    for (Index l = 0; l < result.error.rows; ++l) {
        const double *first = result.error.row(l), *last = first + count;
        result.mean.push_back(std::accumulate(first, last, 0.0) / static_cast<double>(count));
        result.spread.push_back({*std::min_element(first, last), *std::max_element(first, last)});
    }
    const auto best = std::min_element(result.mean.begin(), result.mean.end());
    result.best = lambdas[static_cast<std::size_t>(best - result.mean.begin())];
    result.lambdas = std::move(lambdas);
    result.estimator = concat("leave-one-trial-out, ", count, " folds, training error");
    result.seed = folds.seed;
    return result;
}

DpcaSignificance dpca_significance(const Responses& r, const std::vector<Factor>& factors,
                                   const DpcaOptions& options,
                                   const DpcaSignificanceOptions& test) {
    const DpcaDesign design = make_design("dpca_significance", r, factors, options);
    const Index folds = number_of_folds("dpca_significance", design, test.folds);
    SOMA_CHECK(test.shuffles >= 1 && test.components >= 1, "dpca_significance: ", test.shuffles,
               " shuffles, ", test.components, " components; need at least 1");
    const Decoder decoder(r, design, options, folds, test.folds.seed);
    std::vector<Decoder::Accuracy> null(static_cast<std::size_t>(test.shuffles));
    parallel_for(test.shuffles, 1, [&](Index begin, Index end) {
        for (Index s = begin; s < end; ++s) {
            const Trials shuffled = shuffle(design.trials, r.trials, test.folds.seed, s + 1);
            null[static_cast<std::size_t>(s)] = decoder.run(shuffled, 1, s + 1);
        }
    });
    const Decoder::Accuracy observed = decoder.run(design.trials, test.components, 0);
    DpcaSignificance result;
    result.null_highest = Matrix(static_cast<Index>(observed.size()), r.steps);
    for (std::size_t g = 0; g < observed.size(); ++g) {
        const Matrix draws = first_components(null, g, r.steps);
        for (Index t = 0; t < r.steps && !observed[g].empty(); ++t) {
            result.null_highest(static_cast<Index>(g), t) =
                *std::max_element(draws.row(t), draws.row(t + 1));
        }
        for (std::size_t k = 0; k < observed[g].size(); ++k) {
            result.components.push_back(judge(observed[g][k], draws, test.shortest_run));
            DpcaDecoding& d = result.components.back();
            d.marginalisation = static_cast<Index>(g);
            d.rank = static_cast<Index>(k);
            d.classes = decoder.classes(d.marginalisation);
        }
    }
    result.estimator = concat("nearest class mean of held-out trials, ", folds, " folds, ",
                              test.shuffles, " shuffles");
    result.seed = test.folds.seed;
    return result;
}

}  // namespace soma::neuro
