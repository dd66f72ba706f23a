#include "soma/neuro/tasks/dms.h"

#include "neuro/tasks/paint.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

constexpr const char* kName = "dms";

enum Label { kSample, kTest, kChoice };

struct Steps {
    Index fixation, sample, longest_delay, test, decision;
    Index longest() const { return fixation + sample + longest_delay + test + decision; }
};

Steps in_steps(const DmsOptions& o) {
    const Clock clock(kName, o.dt, o.tau);
    SOMA_CHECK(o.delay_min >= 0 && o.delay_min <= o.delay_max, kName, ": delay_min is ",
               o.delay_min, " ms, delay_max is ", o.delay_max,
               " ms; need 0 <= delay_min <= delay_max");
    return {.fixation = clock.steps("fixation", o.fixation),
            .sample = clock.at_least_one("sample", o.sample),
            .longest_delay = clock.steps("delay_max", o.delay_max),
            .test = clock.at_least_one("test", o.test),
            .decision = clock.at_least_one("decision", o.decision)};
}

class Dms final : public Task {
public:
    Dms(const DmsOptions& o, const Steps& steps)
        : Task({.name = kName,
                .inputs = 2,
                .outputs = 1,
                .max_steps = steps.longest(),
                .dt = o.dt,
                .tau = o.tau,
                .loss = TaskLoss::per_trial,
                .labels = {"sample", "test", "choice"},
                .noise = o.noise,
                .noisy_inputs = 2}),
          steps_(steps),
          delay_min_(o.delay_min),
          delay_max_(o.delay_max),
          easy_(o.easy),
          catch_fraction_(o.catch_fraction) {
        check_fraction(kName, "catch_fraction", o.catch_fraction);
    }

    Index cells(Mode mode) const noexcept override { return mode == Mode::drawn ? 1 : 4; }

    Trial plan(const TrialSource& source, std::uint32_t index) const noexcept override {
        RandomSequence random = source.parameters(index);
        const bool drawn = source.mode() == Mode::drawn;
        const double ms = delay_min_ + (delay_max_ - delay_min_) * double{random.uniform()};
        Trial trial;
        trial.index = index;
        trial.append("fixation", steps_.fixation);
        trial.append("sample", steps_.sample);
        trial.append("delay", drawn ? steps_of(ms, dt()) : steps_.longest_delay);
        trial.append("test", steps_.test);
        trial.append("decision", steps_.decision);
        if (drawn && random.coin(static_cast<float>(catch_fraction_))) return trial;
        const std::uint32_t pair = drawn ? random.below(4) : index % 4;
        const std::uint32_t sample = pair / 2, test = pair % 2;
        trial.labels = {static_cast<float>(1 + sample), static_cast<float>(1 + test),
                        sample == test ? 1.0f : -1.0f};
        return trial;
    }

    std::optional<double> score(const Trial& trial, const Answer& answer) const noexcept override {
        return score_choice(trial.epoch("decision"), answer, trial.labels[kChoice]);
    }

    std::optional<double> ideal_score(const Trial& trial) const noexcept override {
        if (trial.labels[kChoice] == 0) return std::nullopt;
        const auto recognised = [&](Index steps) {
            return choice_probability(easy_ * std::sqrt(static_cast<double>(steps) / 2), noise());
        };
        const double p = recognised(steps_.sample), q = recognised(steps_.test);
        return p * q + (1 - p) * (1 - q);
    }

private:
    void paint(const TrialSource&, const Trial& trial,
               const TrialView& view) const noexcept override {
        const Epoch decision = trial.epoch("decision");
        set_mask(view, decision, 0, 1);
        if (trial.labels[kChoice] == 0) return;
        const auto stimulus = [&](Label label) {
            return static_cast<Index>(trial.labels[label]) - 1;
        };
        add_input(view, trial.epoch("sample"), stimulus(kSample), easy_);
        add_input(view, trial.epoch("test"), stimulus(kTest), easy_);
        set_target(view, decision, 0, trial.labels[kChoice]);
    }

    Steps steps_;
    double delay_min_, delay_max_, easy_, catch_fraction_;
};

}  // namespace

std::unique_ptr<Task> make_dms(const DmsOptions& options) {
    return std::make_unique<Dms>(options, in_steps(options));
}

}  // namespace soma::neuro
