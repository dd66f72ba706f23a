#include "systems/brain/yang_anatomy.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/neuro/resampling.h"

namespace soma::systems {
namespace {

using linalg::Matrix;
using neuro::YangRule;

constexpr Index kGroup = 32;               // trials that share their times
constexpr Index kFirstRuleInput = 65;      // of yang.h
constexpr double kInitialTransient = 500;  // ms
constexpr Index kRules = neuro::kYangRules;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Index input_of(YangRule rule) { return kFirstRuleInput + static_cast<Index>(rule); }

// Noise on the rule inputs stays.
void replace_rule_input(neuro::TaskBatch& batch, YangRule rule, std::span<const RuleTerm> input) {
    Tensor u = batch.u();
    const std::span<float> values = u.data<float>();
    const std::size_t inputs = at(batch.task().inputs());
    for (std::size_t row = 0; row < values.size(); row += inputs) {
        values[row + at(input_of(rule))] -= 1;
        for (const RuleTerm& term : input) {
            values[row + at(input_of(term.rule))] += static_cast<float>(term.strength);
        }
    }
}

// All conditions of a rule through the net, without noise.
struct Conditions {
    std::unique_ptr<neuro::Task> task;
    std::unique_ptr<neuro::TaskBatch> batch;
    Tensor rates;  // [T, conditions, N]

    Conditions(neuro::TaskNet& net, YangRule rule)
        : task(neuro::make_yang({.rule = rule, .noise = 0})),
          batch(std::make_unique<neuro::TaskBatch>(*task, task->cells(neuro::Mode::grid))) {
        const neuro::TrialSource source(net.options().seed, neuro::Stream::analysis,
                                        neuro::Mode::grid);
        batch->fill(source, 0);
        Tape tape(Tape::Mode::no_grad);
        rates = net.run(tape, *batch, neuro::NoiseStream::none).rates.tensor().clone();
    }
};

// Adds the variance of every unit over the conditions at step t to sum [N].
void add_variance(const Tensor& rates, Index t, std::span<double> sum) {
    const Index conditions = rates.shape()[1], units = rates.shape()[2];
    const auto r = rates.slice(t, t + 1);
    const auto values = r.data<float>();
    std::vector<double> mean(at(units)), square(at(units));
    for (Index c = 0; c < conditions; ++c) {
        for (Index i = 0; i < units; ++i) {
            mean[at(i)] += double{values[at(c * units + i)]} / static_cast<double>(conditions);
        }
    }
    for (Index c = 0; c < conditions; ++c) {
        for (Index i = 0; i < units; ++i) {
            const double d = double{values[at(c * units + i)]} - mean[at(i)];
            square[at(i)] += d * d;
        }
    }
    for (Index i = 0; i < units; ++i) sum[at(i)] += square[at(i)] / static_cast<double>(conditions);
}

// Mean rates over the conditions of a rule at the last step of stimulus 1, [N].
std::vector<double> state_after_stimulus(neuro::TaskNet& net, YangRule rule) {
    const Conditions c(net, rule);
    const Index end = c.batch->trials().front().epoch("stimulus_1").end;
    const auto r = c.rates.slice(end - 1, end);
    const auto values = r.data<float>();
    const Index conditions = c.rates.shape()[1], units = c.rates.shape()[2];
    std::vector<double> mean(at(units));
    for (Index k = 0; k < conditions * units; ++k) {
        mean[at(k % units)] += double{values[at(k)]} / static_cast<double>(conditions);
    }
    return mean;
}

// Of a - b with c - d, rows of x; 0 when one of them is 0.
double cosine_of_ways(const Matrix& x, Index a, Index b, Index c, Index d) {
    double uv = 0, uu = 0, vv = 0;
    for (Index j = 0; j < x.cols; ++j) {
        const double u = x(a, j) - x(b, j), v = x(c, j) - x(d, j);
        uv += u * v;
        uu += u * u;
        vv += v * v;
    }
    return uu > 0 && vv > 0 ? uv / std::sqrt(uu * vv) : 0;
}

double correlation(std::span<const double> x, std::span<const double> y) {
    const auto n = static_cast<double>(x.size());
    const double mx = std::accumulate(x.begin(), x.end(), 0.0) / n;
    const double my = std::accumulate(y.begin(), y.end(), 0.0) / n;
    double xy = 0, xx = 0, yy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xy += (x[i] - mx) * (y[i] - my);
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
    }
    return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

// Divides every row by its largest value.
void normalise_rows(Matrix& x) {
    for (Index i = 0; i < x.rows; ++i) {
        const double most = *std::max_element(x.row(i), x.row(i) + x.cols);
        for (Index j = 0; j < x.cols; ++j) x(i, j) /= most;
    }
}

// Mean over shuffles of the best silhouette of data without clusters: every rule's values go to
// other units.
double silhouette_of_shuffled(const Matrix& x, const YangAnalysis& analysis, std::uint64_t seed) {
    double sum = 0;
    for (Index repeat = 0; repeat < analysis.shuffles; ++repeat) {
        Matrix shuffled(x.rows, x.cols);
        for (Index j = 0; j < x.cols; ++j) {
            const std::vector<Index> from = neuro::random_permutation(x.rows, seed, repeat, j);
            for (Index i = 0; i < x.rows; ++i) shuffled(i, j) = x(from[at(i)], j);
        }
        normalise_rows(shuffled);
        sum += neuro::choose_clusters(shuffled, 2, std::min(analysis.most_clusters, x.rows - 1),
                                      {.seed = seed})
                   .silhouette();
    }
    return sum / static_cast<double>(analysis.shuffles);
}

// Numbers the clusters in the order of the rule in which their units vary most.
void sort_clusters(neuro::Clusters& c) {
    const auto preferred = [&](Index k) {
        const double* row = c.centres.row(k);
        return std::max_element(row, row + c.centres.cols) - row;
    };
    std::vector<Index> order(at(c.centres.rows)), rank(order.size());
    std::iota(order.begin(), order.end(), Index{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](Index a, Index b) { return preferred(a) < preferred(b); });
    Matrix centres(0, c.centres.cols);
    for (std::size_t k = 0; k < order.size(); ++k) {
        rank[at(order[k])] = static_cast<Index>(k);
        centres.append_row({c.centres.row(order[k]), at(c.centres.cols)});
    }
    c.centres = std::move(centres);
    for (Index& label : c.labels) label = rank[at(label)];
}

void lesion_clusters(YangAnatomy& a, Index trials) {
    const neuro::Clusters& c = a.clusters.best;
    a.cluster_variance = c.centres;
    a.lesions = Matrix(c.centres.rows, kRules);
    const RuleScores intact = score_rules(*a.net, trials);
    std::vector<double> loss;
    for (Index k = 0; k < c.centres.rows; ++k) {
        std::vector<Index> units;
        for (std::size_t i = 0; i < c.labels.size(); ++i) {
            if (c.labels[i] == k) units.push_back(a.active.units[i]);
        }
        const Lesion lesion(*a.net, units);
        const RuleScores scores = score_rules(*a.net, trials);
        for (Index r = 0; r < kRules; ++r) {
            a.lesions(k, r) = scores[at(r)] - intact[at(r)];
            loss.push_back(-a.lesions(k, r));
        }
    }
    a.lesion_correlation = correlation(a.cluster_variance.values, loss);
}

}  // namespace

// ---- behaviour ----

double score_rule(neuro::TaskNet& net, YangRule rule, Index trials,
                  std::span<const RuleTerm> input) {
    const auto task = neuro::make_yang({.rule = rule, .timing_group = kGroup});
    const neuro::TrialSource source(net.options().seed, neuro::Stream::evaluation);
    neuro::TaskBatch batch(*task, kGroup);
    const Index groups = ceil_div(trials, kGroup);
    double sum = 0;
    for (Index group = 0; group < groups; ++group) {
        batch.fill(source, static_cast<std::uint32_t>(group * kGroup));
        if (!input.empty()) replace_rule_input(batch, rule, input);
        Tape tape(Tape::Mode::no_grad);
        const Var z = net.run(tape, batch, neuro::NoiseStream::evaluation).outputs;
        sum += neuro::mean_score(batch.scores(z.tensor())).score;
    }
    return sum / static_cast<double>(groups);
}

RuleScores score_rules(neuro::TaskNet& net, Index trials) {
    RuleScores scores{};
    for (std::size_t r = 0; r < scores.size(); ++r) {
        scores[r] = score_rule(net, static_cast<YangRule>(r), trials);
    }
    return scores;
}

RuleScores best_scores(std::uint64_t seed, Index trials) {
    const neuro::TrialSource source(seed, neuro::Stream::evaluation);
    RuleScores scores{};
    for (std::size_t r = 0; r < scores.size(); ++r) {
        const auto task =
            neuro::make_yang({.rule = static_cast<YangRule>(r), .timing_group = kGroup});
        const Index count = ceil_div(trials, kGroup) * kGroup;
        for (Index k = 0; k < count; ++k) {
            const auto trial = task->plan(source, static_cast<std::uint32_t>(k));
            scores[r] += task->ideal_score(trial).value_or(0) / static_cast<double>(count);
        }
    }
    return scores;
}

Lesion::Lesion(neuro::TaskNet& net, std::span<const Index> units)
    : net_(net), intact_(net.store().values().clone()) {
    for (const nn::ParameterId id : {net.layer().w_rec(), net.store().find("out.weight")}) {
        Tensor w = net.store().value(id);
        for (const Index i : units) w.slice(i, i + 1).fill(0);
    }
}

Lesion::~Lesion() { net_.store().values().copy_from(intact_); }

// ---- units ----

Matrix task_variance(neuro::TaskNet& net) {
    Matrix variance(net.layer().units(), kRules);
    for (Index r = 0; r < kRules; ++r) {
        const Conditions c(net, static_cast<YangRule>(r));
        const auto first = static_cast<Index>(kInitialTransient / c.task->dt());
        const Index steps = c.rates.shape()[0] - first;
        std::vector<double> sum(at(variance.rows));
        for (Index t = 0; t < steps; ++t) add_variance(c.rates, first + t, sum);
        for (Index i = 0; i < variance.rows; ++i) {
            variance(i, r) = sum[at(i)] / static_cast<double>(steps);
        }
    }
    return variance;
}

ActiveUnits active_units(const Matrix& variance, double threshold) {
    ActiveUnits active;
    active.variance = Matrix(0, variance.cols);
    for (Index i = 0; i < variance.rows; ++i) {
        const double* row = variance.row(i);
        if (std::accumulate(row, row + variance.cols, 0.0) < threshold) continue;
        active.units.push_back(i);
        active.variance.append_row({row, at(variance.cols)});
    }
    normalise_rows(active.variance);
    return active;
}

// ---- rule sums ----

RuleSum add_rules(neuro::TaskNet& net, const RuleSquare& s, Index trials) {
    const auto score = [&](const std::vector<RuleTerm>& input) {
        return score_rule(net, s.rule, trials, input);
    };
    RuleSum sum;
    sum.own = score({});
    sum.first = score({{s.first}});
    sum.second = score({{s.second}});
    sum.both = score({{s.first}, {s.second}});
    sum.sum = score({{s.first}, {s.second}, {s.third, -1}});
    sum.states = Matrix(0, net.layer().units());
    for (const YangRule rule : {s.rule, s.first, s.second, s.third}) {
        sum.states.append_row(state_after_stimulus(net, rule));
    }
    sum.cosine = cosine_of_ways(sum.states, 0, 1, 2, 3);
    return sum;
}

// ---- all of it ----

Index YangAnatomy::rules_above(double share) const {
    return std::count_if(scores.begin(), scores.end(), [&](double s) { return s >= share; });
}

double YangAnatomy::mean_score() const {
    return std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(kRules);
}

std::vector<Index> YangAnatomy::order() const {
    std::vector<Index> rows(active.units.size());
    std::iota(rows.begin(), rows.end(), Index{0});
    const std::vector<Index>& labels = clusters.best.labels;
    std::stable_sort(rows.begin(), rows.end(),
                     [&](Index a, Index b) { return labels[at(a)] < labels[at(b)]; });
    return rows;
}

YangAnatomy dissect_yang(std::unique_ptr<neuro::TaskNet> net, const YangAnalysis& analysis) {
    const SerialScope one_thread;  // nets run side by side
    YangAnatomy a;
    a.net = std::move(net);
    const std::uint64_t seed = a.net->options().seed;
    a.scores = score_rules(*a.net, analysis.trials);
    a.best = best_scores(seed, analysis.trials);
    a.variance = task_variance(*a.net);
    a.active = active_units(a.variance);
    const Index active = a.active.variance.rows;
    SOMA_CHECK(active >= 3, "dissect_yang: ", active, " active units; need at least 3 to cluster");
    a.clusters = neuro::choose_clusters(
        a.active.variance, 2, std::min(analysis.most_clusters, active - 1), {.seed = seed});
    sort_clusters(a.clusters.best);
    a.shuffled_silhouette = silhouette_of_shuffled(a.active.variance, analysis, seed);
    lesion_clusters(a, analysis.lesion_trials);
    for (std::size_t k = 0; k < a.sums.size(); ++k) {
        a.sums[k] = add_rules(*a.net, kRuleSquares[k], analysis.trials);
    }
    return a;
}

}  // namespace soma::systems
