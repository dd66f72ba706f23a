// Planning, painting and scoring; rules and times are in yang_rules, stimuli in yang_stimuli.

#include "soma/neuro/tasks/yang.h"

#include <algorithm>
#include <cmath>

#include "neuro/tasks/paint.h"
#include "neuro/tasks/yang_stimuli.h"
#include "soma/core/error.h"
#include "soma/kernels/vmath.h"

namespace soma::neuro {
namespace {

using yang::Evidence;
using yang::Family;
using yang::kRing;
using yang::RuleInfo;
using yang::Stimuli;

constexpr Index kFirstRule = 1 + 2 * kRing;
constexpr double kGrace = 100;  // ms without a judgement: at the start, and after go begins
constexpr double kRest = 0.05, kFixating = 0.8;
constexpr std::uint32_t kOfGroup = 1;  // property of what a group of trials shares

enum Label { kRule, kAnswer, kLocation, kStrength = 4, kCoherence = 8, kMatch };

std::string name_of(const YangOptions& o) { return o.rule ? name_of(*o.rule) : "yang20"; }

class Yang final : public Task {
public:
    explicit Yang(const YangOptions& o);

    Index cells(Mode mode) const noexcept override;
    Trial plan(const TrialSource& source, std::uint32_t index) const noexcept override;
    std::optional<double> score(const Trial& trial, const Answer& answer) const noexcept override;
    std::optional<double> ideal_score(const Trial& trial) const noexcept override;

private:
    const yang::Coherences& coherences(const RuleInfo& rule) const noexcept {
        return rule.family == Family::delaydm ? delaydm_ : dm_;
    }
    YangRule draw_rule(RandomSequence& random) const noexcept;
    void paint(const TrialSource& source, const Trial& trial,
               const TrialView& view) const noexcept override;
    void paint_target(const Trial& trial, const TrialView& view) const noexcept;

    std::optional<YangRule> rule_;
    std::array<double, kYangRules> cumulative_;  // of the weights; ends with 1
    std::uint32_t group_;
    yang::Coherences dm_, delaydm_;
};

YangRule rule_of(const Trial& trial) noexcept {
    return static_cast<YangRule>(static_cast<int>(trial.labels[kRule]));
}

Index longest(const YangOptions& o) {
    const Clock clock(name_of(o), o.dt, o.tau);
    Index most = 0;
    for (int r = 0; r < kYangRules; ++r) {
        const auto rule = static_cast<YangRule>(r);
        if (o.rule.value_or(rule) != rule) continue;
        Index steps = 0;
        for (const auto& d : yang::durations_of(yang::info_of(rule).family)) {
            steps += clock.at_least_one(d.epoch, std::max(d.longest(), d.fixed));
        }
        most = std::max(most, steps);
    }
    return most;
}

std::array<double, kYangRules> cumulated(const YangOptions& o) {
    std::array<double, kYangRules> sums{};
    double sum = 0;
    for (std::size_t r = 0; r < sums.size(); ++r) {
        SOMA_CHECK(o.weights[r] >= 0, "yang20: the weight of ", name_of(static_cast<YangRule>(r)),
                   " is ", o.weights[r], "; need at least 0");
        sums[r] = sum += o.weights[r];
    }
    SOMA_CHECK(sum > 0 && std::isfinite(sum), "yang20: weights add up to ", sum,
               "; need more than 0");
    for (double& s : sums) s /= sum;
    return sums;
}

Yang::Yang(const YangOptions& o)
    : Task({.name = name_of(o),
            .inputs = kFirstRule + kYangRules,
            .outputs = 1 + kRing,
            .max_steps = longest(o),
            .dt = o.dt,
            .tau = o.tau,
            .loss = TaskLoss::per_element,
            .labels = {"rule", "answer", "location_1", "location_2", "strength_1_ring_1",
                       "strength_1_ring_2", "strength_2_ring_1", "strength_2_ring_2", "coherence",
                       "match"},
            .noise = o.noise * std::sqrt(2 * o.tau / o.dt),
            .noisy_inputs = kFirstRule + kYangRules}),
      rule_(o.rule),
      cumulative_(cumulated(o)),
      group_(static_cast<std::uint32_t>(o.timing_group)),
      dm_(o.dm_coherences, o.easy),
      delaydm_(o.delaydm_coherences, o.easy) {
    SOMA_CHECK(o.timing_group >= 1 && o.timing_group <= UINT32_MAX, name(), ": timing_group is ",
               o.timing_group, "; need at least 1");
    SOMA_CHECK(!dm_.training.empty() && !delaydm_.training.empty(), name(), ": ",
               dm_.training.size(), " dm_coherences, ", delaydm_.training.size(),
               " delaydm_coherences; need some");
    for (const yang::Coherences* list : {&dm_, &delaydm_}) {
        for (const double c : list->training) {
            SOMA_CHECK(c > 0, name(), ": easy times a coherence is ", c, "; need more than 0");
        }
    }
}

Index Yang::cells(Mode mode) const noexcept {
    if (mode == Mode::drawn) return 1;
    Index cells = 0;
    for (int r = 0; r < kYangRules; ++r) {
        const auto rule = static_cast<YangRule>(r);
        const RuleInfo& info = yang::info_of(rule);
        if (rule_.value_or(rule) == rule) cells += yang::cells_of(info, mode, coherences(info));
    }
    return cells;
}

YangRule Yang::draw_rule(RandomSequence& random) const noexcept {
    const double u = double{random.uniform()};
    if (rule_) return *rule_;
    const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, u);
    return static_cast<YangRule>(at - cumulative_.begin());
}

Trial Yang::plan(const TrialSource& source, std::uint32_t index) const noexcept {
    const Mode mode = source.mode();
    RandomSequence group = source.parameters(index / group_, kOfGroup);
    RandomSequence random = source.parameters(index);
    YangRule rule = draw_rule(group);
    auto cell = static_cast<Index>(index) % cells(mode);
    if (mode != Mode::drawn) {  // tables of the rules stand one behind the other
        rule = rule_.value_or(YangRule::fdgo);
        for (int r = static_cast<int>(rule);; rule = static_cast<YangRule>(++r)) {
            const RuleInfo& info = yang::info_of(rule);
            const Index rows = yang::cells_of(info, mode, coherences(info));
            if (cell < rows) break;
            cell -= rows;
        }
    }
    const RuleInfo& info = yang::info_of(rule);
    Trial trial;
    trial.index = index;
    for (const auto& duration : yang::durations_of(info.family)) {
        const double ms = mode == Mode::drawn ? duration.draw(group) : duration.fixed;
        trial.append(duration.epoch, steps_of(ms, dt()));
    }
    const int rings[2] = {static_cast<int>(group.below(2)), static_cast<int>(group.below(2))};
    const Stimuli s = mode == Mode::drawn
                          ? yang::draw_stimuli(info, rings, coherences(info), random)
                          : yang::cell_stimuli(info, mode, static_cast<std::uint32_t>(cell),
                                               coherences(info), random);
    trial.labels[kRule] = static_cast<float>(rule);
    trial.labels[kAnswer] = static_cast<float>(s.answer);
    for (std::size_t k = 0; k < 2; ++k) {
        trial.labels[kLocation + k] = static_cast<float>(s.location[k]);
        trial.labels[kStrength + 2 * k] = static_cast<float>(s.strength[k][0]);
        trial.labels[kStrength + 2 * k + 1] = static_cast<float>(s.strength[k][1]);
    }
    trial.labels[kCoherence] = static_cast<float>(s.coherence);
    trial.labels[kMatch] = static_cast<float>(s.match);
    return trial;
}

// ---- painting ----

// When stimulus k (0 or 1) is on.
Epoch shown(const Trial& trial, Family family, std::size_t k) noexcept {
    switch (family) {
        case Family::fd:
            return {"", trial.epoch("stimulus_1").begin, trial.length};
        case Family::react:
            return trial.epoch("go");
        case Family::delaydm:
            return trial.epoch(k == 0 ? "stimulus_1" : "stimulus_2");
        case Family::dms:
        case Family::dmc:
            return trial.epoch(k == 0 ? "stimulus_1" : "go");
        case Family::delay:
        case Family::dm:
            break;
    }
    return trial.epoch("stimulus_1");
}

bool fixation_stays_on(Family family) noexcept {
    return family == Family::react || family == Family::dms || family == Family::dmc;
}

void Yang::paint(const TrialSource&, const Trial& trial, const TrialView& view) const noexcept {
    const YangRule rule = rule_of(trial);
    const Family family = yang::info_of(rule).family;
    const Epoch all{"", 0, trial.length}, go = trial.epoch("go");
    add_input(view, fixation_stays_on(family) ? all : Epoch{"", 0, go.begin}, 0, 1);
    add_input(view, all, kFirstRule + static_cast<Index>(rule), 1);
    for (std::size_t k = 0; k < 2; ++k) {
        if (trial.labels[kLocation + k] < 0) continue;
        float b[kRing];
        yang::bump(double{trial.labels[kLocation + k]}, b);
        const Epoch on = shown(trial, family, k);
        for (std::size_t ring = 0; ring < 2; ++ring) {
            const float strength = trial.labels[kStrength + 2 * k + ring];
            if (strength == 0) continue;
            for (Index t = on.begin; t < on.end; ++t) {
                float* const u = view.u + t * view.u_stride + 1 + static_cast<Index>(ring) * kRing;
                for (int i = 0; i < kRing; ++i) u[i] += strength * b[i];
            }
        }
    }
    paint_target(trial, view);
}

void Yang::paint_target(const Trial& trial, const TrialView& view) const noexcept {
    const Index grace = steps_of(kGrace, dt()), go = trial.epoch("go").begin;
    const double answer = double{trial.labels[kAnswer]};
    const bool responds = answer >= 0;
    float response[kRing] = {};
    if (responds) yang::bump(answer, response);
    for (Index t = 0; t < trial.length; ++t) {
        float* const y = view.y + t * view.y_stride;
        float* const mask = view.mask + t * view.y_stride;
        const bool answers = responds && t >= go;
        y[0] = static_cast<float>(answers ? kRest : kFixating);
        for (int i = 0; i < kRing; ++i) {
            y[1 + i] = static_cast<float>(kRest) + (answers ? response[i] : 0.0f);
        }
        float weight = 0;
        if (t >= grace && t < go) weight = 1;
        if (t >= go + grace) weight = 5;
        std::fill_n(mask, 1 + kRing, weight);
        mask[0] = 2 * weight;
    }
}

// ---- scores ----

std::optional<double> Yang::score(const Trial& trial, const Answer& answer) const noexcept {
    const float* const z = answer.z + (trial.length - 1) * answer.stride;
    const double location = double{trial.labels[kAnswer]};
    const bool fixates = z[0] > 0.5f;
    if (location < 0) return fixates ? 1 : 0;
    double x = 0, y = 0;  // the population vector
    for (int i = 0; i < kRing; ++i) {
        const double preference = 2 * M_PI * i / kRing;
        x += double{z[1 + i]} * vmath::cos(preference);
        y += double{z[1 + i]} * vmath::sin(preference);
    }
    const double along = x * vmath::cos(location) + y * vmath::sin(location);
    const bool near = along > vmath::cos(0.2 * M_PI) * std::sqrt(x * x + y * y);
    return !fixates && near ? 1 : 0;
}

std::optional<double> Yang::ideal_score(const Trial& trial) const noexcept {
    const RuleInfo& info = yang::info_of(rule_of(trial));
    if (info.family != Family::dm && info.family != Family::delaydm) return 1;
    const auto inverse_steps = [&](std::size_t k) {
        return 1 / static_cast<double>(shown(trial, info.family, k).steps());
    };
    double c = std::abs(double{trial.labels[kCoherence]});
    if (info.evidence == Evidence::both_rings) c *= std::sqrt(2.0);
    const double first = double{trial.labels[kLocation]};
    if (info.family == Family::dm) {
        const double apart = yang::squared_distance(first, double{trial.labels[kLocation + 1]});
        return choice_probability(c * std::sqrt(apart), noise() * std::sqrt(inverse_steps(0)));
    }
    const double signal = 2 * c * std::sqrt(yang::squared_norm(first));
    return choice_probability(signal, noise() * std::sqrt(inverse_steps(0) + inverse_steps(1)));
}

}  // namespace

std::unique_ptr<Task> make_yang(const YangOptions& options) {
    return std::make_unique<Yang>(options);
}

}  // namespace soma::neuro
