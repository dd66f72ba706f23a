// A table of conditions runs through coherence_2 fastest, then coherence_1, then context.

#include "soma/neuro/tasks/mante.h"

#include "neuro/tasks/paint.h"

namespace soma::neuro {
namespace {

constexpr const char* kName = "mante";

enum Label { kCoherence1, kCoherence2, kContext, kChoice };

class Mante final : public Task {
public:
    Mante(const ManteOptions& o, const ContextSteps& steps)
        : Task({.name = kName,
                .inputs = 4,
                .outputs = 1,
                .max_steps = steps.all(),
                .dt = o.dt,
                .tau = o.tau,
                .loss = TaskLoss::per_trial,
                .labels = {"coherence_1", "coherence_2", "context", "choice"},
                .noise = o.noise,
                .noisy_inputs = 2}),
          steps_(steps),
          levels_(kName, o.coherences, o.psychometric),
          gain_(o.gain * o.easy),
          amplitude_(o.amplitude),
          catch_fraction_(o.catch_fraction) {
        check_fraction(kName, "catch_fraction", o.catch_fraction);
    }

    Index cells(Mode mode) const noexcept override {
        const auto n = static_cast<Index>(levels_.of(mode).size());
        return mode == Mode::drawn ? 1 : 2 * n * n;
    }

    Trial plan(const TrialSource& source, std::uint32_t index) const noexcept override {
        Trial trial;
        trial.index = index;
        steps_.append_to(trial);
        RandomSequence random = source.parameters(index);
        float c1 = 0, c2 = 0, context = 0;
        if (source.mode() == Mode::drawn) {
            if (random.coin(static_cast<float>(catch_fraction_))) return trial;
            c1 = levels_.draw(random);
            c2 = levels_.draw(random);
            context = 1 + static_cast<float>(random.below(2));
        } else {
            const auto levels = levels_.of(source.mode());
            const std::size_t n = levels.size();
            c1 = levels[index / n % n];
            c2 = levels[index % n];
            context = 1 + static_cast<float>(index / (n * n) % 2);
        }
        trial.labels = {c1, c2, context, choice_of(context == 1 ? c1 : c2, random)};
        return trial;
    }

    std::optional<double> score(const Trial& trial, const Answer& answer) const noexcept override {
        return score_choice(trial.epoch("decision"), answer, trial.labels[kChoice]);
    }

    std::optional<double> ideal_score(const Trial& trial) const noexcept override {
        if (trial.labels[kChoice] == 0) return std::nullopt;
        const Label attended = trial.labels[kContext] == 1 ? kCoherence1 : kCoherence2;
        const double signal = std::abs(gain_ * trial.labels[attended]);
        return choice_probability(signal * std::sqrt(steps_.stimulus), noise());
    }

private:
    void paint(const TrialSource&, const Trial& trial,
               const TrialView& view) const noexcept override {
        const Epoch stimulus = trial.epoch("stimulus"), decision = trial.epoch("decision");
        add_input(view, stimulus, 0, gain_ * trial.labels[kCoherence1]);
        add_input(view, stimulus, 1, gain_ * trial.labels[kCoherence2]);
        const auto context = static_cast<Index>(trial.labels[kContext]);
        if (context > 0) {
            const Epoch on{"", trial.epoch("context").begin, decision.begin};
            add_input(view, on, 1 + context, amplitude_);
        }
        set_target(view, decision, 0, trial.labels[kChoice]);
        set_mask(view, decision, 0, 1);
    }

    ContextSteps steps_;
    SignedLevels levels_;
    double gain_, amplitude_, catch_fraction_;
};

}  // namespace

std::unique_ptr<Task> make_mante(const ManteOptions& options) {
    return std::make_unique<Mante>(options, context_steps(kName, options));
}

}  // namespace soma::neuro
