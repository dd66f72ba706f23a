#include "systems/brain/yang_figures.h"

#include <cmath>
#include <cstdio>
#include <limits>

#include "soma/linalg/linalg.h"
#include "soma/neuro/pca.h"
#include "soma/train/report.h"

namespace soma::systems {
namespace {

using neuro::YangRule;
using train::Series;

constexpr Index kRules = neuro::kYangRules;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::vector<std::string> rule_names() {
    std::vector<std::string> names;
    for (Index r = 0; r < kRules; ++r) names.push_back(name_of(static_cast<YangRule>(r)));
    return names;
}

std::string of_nets(std::span<const YangAnatomy> nets) {
    return nets.size() == 1 ? std::string("One net.")
                            : concat("Mean and standard deviation of ", nets.size(), " nets.");
}

// Adds the mean over nets of a share, in %, as one more bar.
template <class F>
void add_bar(train::BarChart::Bars& bars, std::span<const YangAnatomy> nets, F share) {
    std::vector<double> values;
    for (const YangAnatomy& a : nets) values.push_back(100 * share(a));
    Series mean;
    train::add_mean(mean, 0, values);
    bars.values.push_back(mean.y[0]);
    if (nets.size() > 1) bars.error.push_back(mean.error[0]);
}

void draw_rules(train::RunFolder& folder, std::span<const YangAnatomy> nets, Index trials) {
    train::BarChart chart{
        .text = {"rules", "Right answers, rule by rule",
                 concat("On ", trials,
                        " new trials a rule, with input and recurrent noise, beside "
                        "the best observer of the same trials. ",
                        of_nets(nets))},
        .y_label = "right (%)",
        .labels = rule_names(),
        .series = {{"net", {}}, {"best observer", {}}},
        .references = {{"the paper's criterion", 95}}};
    for (std::size_t r = 0; r < chart.labels.size(); ++r) {
        add_bar(chart.series[0], nets, [&](const YangAnatomy& a) { return a.scores[r]; });
        add_bar(chart.series[1], nets, [&](const YangAnatomy& a) { return a.best[r]; });
    }
    folder.add(chart);
}

void draw_sums(train::RunFolder& folder, std::span<const YangAnatomy> nets, Index trials) {
    train::BarChart chart{
        .text = {"rule-sums", "Tasks done with sums of rule inputs",
                 concat("The net gets, in place of the rule input of the task, those of the rules "
                        "first, second and third of its square: delayanti = fdanti + delaygo - "
                        "fdgo, contextdelaydm1 = contextdelaydm2 + contextdm1 - contextdm2, dmsgo "
                        "= dmcgo + dmsnogo - dmcnogo. ",
                        trials, " trials each. ", of_nets(nets))},
        .y_label = "right (%)",
        .labels = {},
        .series = {{"own rule", {}},
                   {"first + second - third", {}},
                   {"first + second", {}},
                   {"first", {}},
                   {"second", {}}}};
    for (std::size_t k = 0; k < kRuleSquares.size(); ++k) {
        chart.labels.push_back(name_of(kRuleSquares[k].rule));
        add_bar(chart.series[0], nets, [&](const YangAnatomy& a) { return a.sums[k].own; });
        add_bar(chart.series[1], nets, [&](const YangAnatomy& a) { return a.sums[k].sum; });
        add_bar(chart.series[2], nets, [&](const YangAnatomy& a) { return a.sums[k].both; });
        add_bar(chart.series[3], nets, [&](const YangAnatomy& a) { return a.sums[k].first; });
        add_bar(chart.series[4], nets, [&](const YangAnatomy& a) { return a.sums[k].second; });
    }
    folder.add(chart);
}

// ---- one net ----

std::vector<double> cluster_sizes(const YangAnatomy& a) {
    std::vector<double> sizes(static_cast<std::size_t>(a.clusters.count()), 0);
    for (const Index label : a.clusters.best.labels) ++sizes[static_cast<std::size_t>(label)];
    return sizes;
}

// A row a unit; between clusters empty rows, and their numbers beside their middles.
void draw_variance(train::RunFolder& folder, const YangAnatomy& a) {
    const std::vector<Index> order = a.order();
    const std::vector<double> size = cluster_sizes(a);
    train::HeatMap map{
        .text = {"task-variance", "Task variance of the units, sorted by cluster",
                 concat(a.active.units.size(), " active units (rows) of ", a.variance.rows,
                        ": variance of the noiseless rate over the conditions of each rule, over "
                        "the unit's largest; ",
                        a.clusters.count(), " clusters, by their numbers.")},
        .x_label = "",
        .y_label = "units, by cluster",
        .value_label = "normalised task variance",
        .rows = 0,
        .cols = kRules,
        .values = {},
        .col_labels = rule_names(),
        .equal_cells = false};
    auto unit = order.begin();
    for (std::size_t k = 0; k < size.size(); ++k) {
        for (Index gap = 0; k > 0 && gap < ceil_div(a.active.variance.rows, 100); ++gap) {
            map.values.insert(map.values.end(), kRules, kNone);
            map.row_labels.emplace_back();
        }
        const auto count = static_cast<Index>(size[k]);
        for (Index i = 0; i < count; ++i, ++unit) {
            const double* row = a.active.variance.row(*unit);
            map.values.insert(map.values.end(), row, row + kRules);
            map.row_labels.push_back(i == count / 2 ? concat(k + 1) : "");
        }
    }
    map.rows = std::ssize(map.row_labels);
    folder.add(map);
}

void draw_silhouette(train::RunFolder& folder, const YangAnatomy& a) {
    Series own{"this net", {}, {}};
    for (std::size_t k = 0; k < a.clusters.silhouettes.size(); ++k) {
        own.x.push_back(static_cast<double>(a.clusters.least) + static_cast<double>(k));
        own.y.push_back(a.clusters.silhouettes[k]);
    }
    folder.add(
        train::LinePlot{.text = {"silhouette", "How many clusters",
                                 concat("Mean silhouette of the k-means clusters; the best is at ",
                                        a.clusters.count(),
                                        ". Dashed: the best one of the same variances when "
                                        "every rule's values go to other units.")},
                        .x_label = "clusters",
                        .y_label = "silhouette",
                        .series = {own},
                        .references = {{"shuffled", a.shuffled_silhouette}}});
}

void draw_lesions(train::RunFolder& folder, const YangAnatomy& a, Index trials) {
    const Index clusters = a.lesions.rows;
    const std::vector<double> size = cluster_sizes(a);
    train::HeatMap map{
        .text = {"lesions", "What is lost with a cluster",
                 concat("Change of the share of right answers when the units of a cluster are "
                        "silenced, on ",
                        trials,
                        " trials a rule. Clusters in the order of the task variance, with "
                        "their numbers of units.")},
        .x_label = "",
        .y_label = "cluster (units)",
        .value_label = "change (% of trials)",
        .rows = clusters,
        .cols = kRules,
        .values = {},
        .row_labels = {},
        .col_labels = rule_names(),
        .diverging = true,
        .equal_cells = false};
    for (const double v : a.lesions.values) map.values.push_back(100 * v);
    for (Index k = 0; k < clusters; ++k) {
        map.row_labels.push_back(concat(k + 1, " (", size[static_cast<std::size_t>(k)], ")"));
    }
    folder.add(map);
}

// The four states of a square in their plane, and the ways that should be parallel. An arrow ends
// before its point, so that its head is seen.
void draw_square(train::RunFolder& folder, const RuleSquare& square, const RuleSum& sum) {
    constexpr double kWay = 0.94;
    const neuro::Pca plane = neuro::pca(sum.states, {.components = 2});
    const linalg::Matrix p = plane.project(sum.states);
    const YangRule rules[] = {square.rule, square.first, square.second, square.third};
    char cosine[16];
    std::snprintf(cosine, sizeof cosine, "%.2f", sum.cosine);
    train::LinePlot plot{
        .text = {concat("square-", name_of(square.rule)),
                 concat(name_of(square.rule), " = ", name_of(square.first), " + ",
                        name_of(square.second), " - ", name_of(square.third), "?"),
                 concat("Mean noiseless states at the end of stimulus 1 in their first two "
                        "components. Arrows: ",
                        name_of(square.first), " to ", name_of(square.rule), ", ",
                        name_of(square.third), " to ", name_of(square.second),
                        "; cosine between them in full space ", cosine, ".")},
        .x_label = "PC 1",
        .y_label = "PC 2",
        .series = {},
        .points = true,
        .same_scale = true};
    for (Index k = 0; k < 4; ++k) {
        plot.series.push_back({name_of(rules[k]), {p(k, 0)}, {p(k, 1)}});
    }
    for (const auto& [from, to] : {std::pair<Index, Index>{1, 0}, std::pair<Index, Index>{3, 2}}) {
        plot.arrows.push_back({p(from, 0), p(from, 1), kWay * (p(to, 0) - p(from, 0)),
                               kWay * (p(to, 1) - p(from, 1))});
    }
    folder.add(plot);
}

void tabulate(train::RunFolder& folder, std::span<const YangAnatomy> nets) {
    train::Table table{.title = "Right answers (%)",
                       .header = {"rule", "best observer"},
                       .rows = {},
                       .note = "Of one net a column, on trials that were not trained on."};
    const auto percent = [](double share) {
        char text[16];
        std::snprintf(text, sizeof text, "%.1f", 100 * share);
        return std::string(text);
    };
    for (const YangAnatomy& a : nets) {
        table.header.push_back(concat("seed ", a.net->options().seed));
    }
    for (Index r = 0; r < kRules; ++r) {
        const auto at = static_cast<std::size_t>(r);
        std::vector<std::string> row{name_of(static_cast<YangRule>(r)), percent(nets[0].best[at])};
        for (const YangAnatomy& a : nets) row.push_back(percent(a.scores[at]));
        table.rows.push_back(std::move(row));
    }
    folder.add(table);
}

}  // namespace

void draw_learning(train::RunFolder& folder, std::span<const RuleCheck> checks,
                   Index trials_per_check) {
    struct Family {
        const char *name, *title;
        YangRule first, last;
    };
    constexpr Family kFamilies[] = {
        {"go", "go and anti", YangRule::fdgo, YangRule::delayanti},
        {"dm", "decisions", YangRule::dm1, YangRule::multidm},
        {"delaydm", "decisions over a delay", YangRule::delaydm1, YangRule::multidelaydm},
        {"match", "matching", YangRule::dmsgo, YangRule::dmcnogo}};
    for (const Family& family : kFamilies) {
        train::LinePlot plot{
            .text = {concat("learning-", family.name), concat("Learning: ", family.title),
                     concat("Right answers on ", trials_per_check,
                            " trials a rule that were not trained on, with all noise. One net. "
                            "Dashed: 95 %.")},
            .x_label = "trials of all rules (1,000)",
            .y_label = "right (%)",
            .series = {},
            .references = {{"", 95}},
            .y_limits = {{-2, 102}}};
        for (int r = static_cast<int>(family.first); r <= static_cast<int>(family.last); ++r) {
            Series s{name_of(static_cast<YangRule>(r)), {}, {}};
            for (const RuleCheck& check : checks) {
                s.x.push_back(static_cast<double>(check.trials) / 1000);
                s.y.push_back(100 * check.scores[static_cast<std::size_t>(r)]);
            }
            plot.series.push_back(std::move(s));
        }
        folder.add(plot);
    }
}

void draw_yang(train::RunFolder& folder, std::span<const YangAnatomy> nets,
               const YangAnalysis& analysis) {
    draw_rules(folder, nets, analysis.trials);
    draw_variance(folder, nets[0]);
    draw_silhouette(folder, nets[0]);
    draw_lesions(folder, nets[0], analysis.lesion_trials);
    draw_sums(folder, nets, analysis.trials);
    if (linalg::available()) {
        for (std::size_t k = 0; k < kRuleSquares.size(); ++k) {
            draw_square(folder, kRuleSquares[k], nets[0].sums[k]);
        }
    }
    tabulate(folder, nets);
}

}  // namespace soma::systems
