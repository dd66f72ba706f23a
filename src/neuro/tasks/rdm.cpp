#include "soma/neuro/tasks/rdm.h"

#include "neuro/tasks/paint.h"

namespace soma::neuro {
namespace {

constexpr const char* kName = "rdm";

enum Label { kCoherence, kChoice };

struct Steps {
    Index fixation, stimulus, delay, decision;
    Index all() const { return fixation + stimulus + delay + decision; }
};

Steps in_steps(const RdmOptions& o) {
    const Clock clock(kName, o.dt, o.tau);
    return {.fixation = clock.steps("fixation", o.fixation),
            .stimulus = clock.at_least_one("stimulus", o.stimulus),
            .delay = clock.steps("delay", o.delay),
            .decision = clock.at_least_one("decision", o.decision)};
}

class Rdm final : public Task {
public:
    Rdm(const RdmOptions& o, const Steps& steps)
        : Task({.name = kName,
                .inputs = 1,
                .outputs = 1,
                .max_steps = steps.all(),
                .dt = o.dt,
                .tau = o.tau,
                .loss = TaskLoss::per_trial,
                .labels = {"coherence", "choice"},
                .noise = o.noise,
                .noisy_inputs = 1}),
          steps_(steps),
          levels_(kName, o.coherences, o.psychometric),
          gain_(o.gain * o.easy),
          catch_fraction_(o.catch_fraction) {
        check_fraction(kName, "catch_fraction", o.catch_fraction);
    }

    Index cells(Mode mode) const noexcept override {
        return mode == Mode::drawn ? 1 : static_cast<Index>(levels_.of(mode).size());
    }

    Trial plan(const TrialSource& source, std::uint32_t index) const noexcept override {
        Trial trial;
        trial.index = index;
        trial.append("fixation", steps_.fixation);
        trial.append("stimulus", steps_.stimulus);
        trial.append("delay", steps_.delay);
        trial.append("decision", steps_.decision);
        RandomSequence random = source.parameters(index);
        const bool drawn = source.mode() == Mode::drawn;
        if (random.coin(static_cast<float>(catch_fraction_)) && drawn) return trial;
        const auto levels = levels_.of(source.mode());
        const float c = drawn ? levels_.draw(random) : levels[index % levels.size()];
        trial.labels[kCoherence] = c;
        trial.labels[kChoice] = choice_of(c, random);
        return trial;
    }

    std::optional<double> score(const Trial& trial, const Answer& answer) const noexcept override {
        return score_choice(trial.epoch("decision"), answer, trial.labels[kChoice]);
    }

    std::optional<double> ideal_score(const Trial& trial) const noexcept override {
        if (trial.labels[kChoice] == 0) return std::nullopt;
        const double signal = std::abs(gain_ * trial.labels[kCoherence]);
        return choice_probability(signal * std::sqrt(steps_.stimulus), noise());
    }

private:
    void paint(const TrialSource&, const Trial& trial,
               const TrialView& view) const noexcept override {
        const Epoch decision = trial.epoch("decision");
        add_input(view, trial.epoch("stimulus"), 0, gain_ * trial.labels[kCoherence]);
        set_target(view, decision, 0, trial.labels[kChoice]);
        set_mask(view, decision, 0, 1);
    }

    Steps steps_;
    SignedLevels levels_;
    double gain_, catch_fraction_;
};

}  // namespace

std::unique_ptr<Task> make_rdm(const RdmOptions& options) {
    return std::make_unique<Rdm>(options, in_steps(options));
}

}  // namespace soma::neuro
