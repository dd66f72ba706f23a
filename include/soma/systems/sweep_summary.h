#pragma once
// SweepSummary: what the nets of each setting have in common, with 95 % confidence intervals over
// seeds.
//
//   number    mean; interval by the percentile bootstrap over nets, 2,000 resamples keyed by the
//             setting's position (neuro/resampling.h)
//   boolean   share of nets that are true; Wilson's score interval
//
// Failed nets are counted, and stand in no mean. Intervals need two nets; text is left out.

#include <string>
#include <vector>

#include "soma/neuro/resampling.h"
#include "soma/systems/sweep.h"

namespace soma::train {
class RunFolder;
struct Table;
}  // namespace soma::train

namespace soma::systems {

// Wilson (1927): with p = successes / n and z the normal quantile of the two-sided level,
//   (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
// for the level 0.95. Error(usage) unless 0 <= successes <= n and n >= 1.
neuro::Interval wilson_interval(Index successes, Index n);

struct Estimate {
    double mean = 0;
    neuro::Interval interval{};  // NaN with fewer than two nets
    bool known = false;          // some net of the setting measured it
};

struct SettingSummary {
    Index setting = 0;  // position in SweepPlan::settings
    Index nets = 0;     // that finished
    Index failed = 0;
    std::vector<Estimate> estimates;  // one a measure
};

struct SweepSummary {
    struct Measure {
        std::string name;
        bool share = false;  // of a boolean
    };
    std::vector<Measure> measures;
    std::vector<SettingSummary> settings;  // all of the plan, in its order
};

SweepSummary summarize(const SweepPlan& plan, const std::vector<SweepRow>& rows);

// A row for every setting and measure.
train::Table summary_table(const SweepPlan& plan, const SweepSummary& summary);
// The same for programs, with the axes as columns.
std::string summary_csv(const SweepPlan& plan, const SweepSummary& summary);
// A figure for each measure: over the values of the first axis of numbers, a curve for each
// combination of the others; without such an axis a point for each setting.
void draw_summary(const SweepPlan& plan, const SweepSummary& summary, train::RunFolder& folder);

}  // namespace soma::systems
