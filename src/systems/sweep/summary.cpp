#include <algorithm>
#include <cmath>
#include <cstdio>

#include "soma/core/error.h"
#include "soma/systems/sweep_summary.h"
#include "soma/train/report.h"

namespace soma::systems {
namespace {

constexpr double kLevel = 0.95;
constexpr double kNormalQuantile = 1.959963984540054;  // of (1 + kLevel) / 2
constexpr Index kResamples = 2000;

// The number that a measure counts as; NaN for text.
double number_of(const train::Value& value) {
    if (const bool* b = std::get_if<bool>(&value)) return *b ? 1 : 0;
    if (const Index* i = std::get_if<Index>(&value)) return static_cast<double>(*i);
    if (const double* d = std::get_if<double>(&value)) return *d;
    return std::nan("");
}

std::vector<SweepSummary::Measure> measures_to_average(const std::vector<SweepRow>& rows) {
    std::vector<SweepSummary::Measure> measures;
    for (const std::string& name : measures_of(rows)) {
        const auto first = std::find_if(rows.begin(), rows.end(), [&](const SweepRow& row) {
            return find_value(row.result, name) != nullptr;
        });
        const train::Value& value = *find_value(first->result, name);
        if (std::holds_alternative<std::string>(value)) continue;
        measures.push_back({name, std::holds_alternative<bool>(value)});
    }
    return measures;
}

double mean_of(const std::vector<double>& values) {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
}

neuro::Interval bootstrap_of_mean(const std::vector<double>& values, Index setting) {
    std::vector<double> means;
    std::vector<double> drawn(values.size());
    for (Index repeat = 0; repeat < kResamples; ++repeat) {
        const std::vector<Index> sample = neuro::bootstrap_sample(
            std::ssize(values), static_cast<std::uint64_t>(setting), repeat);
        std::transform(sample.begin(), sample.end(), drawn.begin(),
                       [&](Index i) { return values[static_cast<std::size_t>(i)]; });
        means.push_back(mean_of(drawn));
    }
    return neuro::percentile_interval(means, kLevel);
}

Estimate estimate(const std::vector<double>& values, bool share, Index setting) {
    Estimate e;
    e.known = !values.empty();
    e.mean = e.known ? mean_of(values) : std::nan("");
    if (values.size() < 2) {
        e.interval = {std::nan(""), std::nan("")};
    } else if (share) {
        const auto successes = std::count(values.begin(), values.end(), 1.0);
        e.interval = wilson_interval(successes, std::ssize(values));
    } else {
        e.interval = bootstrap_of_mean(values, setting);
    }
    return e;
}

// Four digits that count.
std::string short_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

std::string interval_text(const neuro::Interval& interval) {
    if (std::isnan(interval.low)) return "-";
    return short_text(interval.low) + " .. " + short_text(interval.high);
}

std::string exact_text(double value) {
    return std::isnan(value) ? "" : train::to_text(train::Value(value));
}

}  // namespace

neuro::Interval wilson_interval(Index successes, Index n) {
    SOMA_CHECK(n >= 1 && 0 <= successes && successes <= n, "wilson_interval: ", successes, " of ",
               n, "; need 0 <= successes <= n and n >= 1");
    const double count = static_cast<double>(n), p = static_cast<double>(successes) / count;
    const double z2 = kNormalQuantile * kNormalQuantile;
    const double centre = p + z2 / (2 * count);
    const double half = kNormalQuantile * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count));
    // Exact ends, which rounding would miss.
    return {successes == 0 ? 0 : (centre - half) / (1 + z2 / count),
            successes == n ? 1 : (centre + half) / (1 + z2 / count)};
}

SweepSummary summarize(const SweepPlan& plan, const std::vector<SweepRow>& rows) {
    SweepSummary summary;
    summary.measures = measures_to_average(rows);
    std::vector<std::vector<const SweepRow*>> of_setting(plan.settings.size());
    for (const SweepRow& row : rows) {
        const SweepNet& net = plan.nets[static_cast<std::size_t>(row.net)];
        of_setting[static_cast<std::size_t>(net.setting)].push_back(&row);
    }
    for (Index setting = 0; setting < std::ssize(plan.settings); ++setting) {
        const auto& own = of_setting[static_cast<std::size_t>(setting)];
        SettingSummary s{setting, std::ssize(own), 0, {}};
        for (const SweepRow* row : own) s.failed += row->error ? 1 : 0;
        for (const SweepSummary::Measure& measure : summary.measures) {
            std::vector<double> values;
            for (const SweepRow* row : own) {
                const train::Value* value = find_value(row->result, measure.name);
                if (value != nullptr) values.push_back(number_of(*value));
            }
            s.estimates.push_back(estimate(values, measure.share, setting));
        }
        summary.settings.push_back(std::move(s));
    }
    return summary;
}

train::Table summary_table(const SweepPlan& plan, const SweepSummary& summary) {
    train::Table table{.title = "Settings",
                       .header = {"setting", "nets", "failed", "measure", "mean", "95 % interval"},
                       .rows = {},
                       .note = "Means over nets: bootstrap intervals; shares: Wilson intervals."};
    for (const SettingSummary& s : summary.settings) {
        std::vector<std::string> head{plan.label(s.setting), concat(s.nets), concat(s.failed)};
        for (std::size_t m = 0; m < summary.measures.size(); ++m) {
            const Estimate& e = s.estimates[m];
            std::vector<std::string> row = head;
            row.insert(row.end(), {summary.measures[m].name, e.known ? short_text(e.mean) : "-",
                                   interval_text(e.interval)});
            table.rows.push_back(std::move(row));
            head = {"", "", ""};
        }
        if (summary.measures.empty()) {
            head.insert(head.end(), {"-", "-", "-"});
            table.rows.push_back(std::move(head));
        }
    }
    return table;
}

std::string summary_csv(const SweepPlan& plan, const SweepSummary& summary) {
    std::string text;
    for (const SweepAxis& axis : plan.axes) text += axis.option + ",";
    text += "nets,failed,measure,mean,low,high\n";
    for (const SettingSummary& s : summary.settings) {
        const train::Fields& options = plan.settings[static_cast<std::size_t>(s.setting)];
        std::string head;
        for (const SweepAxis& axis : plan.axes) {
            head += csv_field(train::to_text(*find_value(options, axis.option))) + ",";
        }
        head += concat(s.nets, ",", s.failed, ",");
        for (std::size_t m = 0; m < summary.measures.size(); ++m) {
            const Estimate& e = s.estimates[m];
            text += head + summary.measures[m].name + "," + exact_text(e.mean) + "," +
                    exact_text(e.interval.low) + "," + exact_text(e.interval.high) + "\n";
        }
    }
    return text;
}

}  // namespace soma::systems
