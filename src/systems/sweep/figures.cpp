#include <algorithm>
#include <cmath>

#include "soma/systems/sweep_summary.h"
#include "soma/train/report.h"

namespace soma::systems {
namespace {

const char* const kCaption =
    "Points: means over the nets of a setting; bars: 95 % intervals over seeds.";

bool is_number(const train::Value& value) {
    return std::holds_alternative<Index>(value) || std::holds_alternative<double>(value);
}

double number_of(const train::Value& value) {
    const Index* whole = std::get_if<Index>(&value);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
}

// The first axis along which a curve can be drawn; null when there is none.
const SweepAxis* drawn_axis(const SweepPlan& plan) {
    for (const SweepAxis& axis : plan.axes) {
        if (axis.values.size() > 1 && is_number(axis.values[0])) return &axis;
    }
    return nullptr;
}

// The setting's values on the axes but `left_out`.
std::string label_without(const SweepPlan& plan, Index setting, const std::string& left_out) {
    const train::Fields& options = plan.settings[static_cast<std::size_t>(setting)];
    std::string label;
    for (const SweepAxis& axis : plan.axes) {
        if (axis.option == left_out) continue;
        label += (label.empty() ? "" : ", ") + axis.option + " " +
                 train::to_text(*find_value(options, axis.option));
    }
    return label;
}

std::string y_label(const SweepSummary::Measure& measure) {
    return measure.share ? "share of nets: " + measure.name : measure.name;
}

// A point with the interval around it; without an interval a point alone.
void add_point(train::Series& series, double x, const Estimate& e) {
    const bool interval = !std::isnan(e.interval.low);
    series.x.push_back(x);
    series.y.push_back(e.mean);
    series.error.push_back(interval ? e.mean - e.interval.low : 0);
    series.error_above.push_back(interval ? e.interval.high - e.mean : 0);
}

train::LinePlot curves(const SweepPlan& plan, const SweepSummary& summary, std::size_t m,
                       const SweepAxis& axis) {
    std::vector<train::Series> series;
    for (const SettingSummary& s : summary.settings) {
        const std::string label = label_without(plan, s.setting, axis.option);
        auto found = std::find_if(series.begin(), series.end(),
                                  [&](const train::Series& known) { return known.label == label; });
        if (found == series.end()) found = series.insert(series.end(), {label, {}, {}});
        const auto& options = plan.settings[static_cast<std::size_t>(s.setting)];
        add_point(*found, number_of(*find_value(options, axis.option)), s.estimates[m]);
    }
    const SweepSummary::Measure& measure = summary.measures[m];
    return {.text = {measure.name, measure.name + " over " + axis.option, kCaption},
            .x_label = axis.option,
            .y_label = y_label(measure),
            .series = std::move(series)};
}

train::LinePlot points(const SweepSummary& summary, std::size_t m) {
    const SweepSummary::Measure& measure = summary.measures[m];
    train::Series series{"", {}, {}};
    for (const SettingSummary& s : summary.settings) {
        add_point(series, static_cast<double>(s.setting + 1), s.estimates[m]);
    }
    return {.text = {measure.name, measure.name + " by setting", kCaption},
            .x_label = "setting, in the order of the table",
            .y_label = y_label(measure),
            .series = {std::move(series)},
            .points = true};
}

}  // namespace

void draw_summary(const SweepPlan& plan, const SweepSummary& summary, train::RunFolder& folder) {
    const SweepAxis* axis = drawn_axis(plan);
    for (std::size_t m = 0; m < summary.measures.size(); ++m) {
        folder.add(axis != nullptr ? curves(plan, summary, m, *axis) : points(summary, m));
    }
}

}  // namespace soma::systems
