// Cells of the grid, with m magnitudes in ascending order and L = 2 m levels:
//     [0, L)              visual, level k
//     [L, 2 L)            auditory, level k - L
//     [2 L, 2 L + 2 m m)  both: sign, then magnitude of visual, then of auditory, fastest
// The psychometric table has L' levels, 0 among them, and 3 L' cells: visual, auditory, both equal.

#include "soma/neuro/tasks/raposo.h"

#include "neuro/tasks/paint.h"

namespace soma::neuro {
namespace {

constexpr const char* kName = "raposo";

enum Label { kVisual, kAuditory, kModality, kChoice };
enum Modality { kBoth, kOnlyVisual, kOnlyAuditory };

// Coherences and modality of a trial.
struct Stimulus {
    float visual, auditory;
    Modality modality;
};

Stimulus stimulus_of(Modality modality, float visual, float auditory) {
    return {modality == kOnlyAuditory ? 0 : visual, modality == kOnlyVisual ? 0 : auditory,
            modality};
}

class Raposo final : public Task {
public:
    Raposo(const RaposoOptions& o, const ContextSteps& steps)
        : Task({.name = kName,
                .inputs = 4,
                .outputs = 1,
                .max_steps = steps.all(),
                .dt = o.dt,
                .tau = o.tau,
                .loss = TaskLoss::per_trial,
                .labels = {"coherence_visual", "coherence_auditory", "modality", "choice"},
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
        const auto n = static_cast<Index>(levels_.of(mode).size()), m = n / 2;
        if (mode == Mode::drawn) return 1;
        return mode == Mode::grid ? 2 * n + 2 * m * m : 3 * n;
    }

    Trial plan(const TrialSource& source, std::uint32_t index) const noexcept override {
        Trial trial;
        trial.index = index;
        steps_.append_to(trial);
        RandomSequence random = source.parameters(index);
        if (source.mode() == Mode::drawn && random.coin(static_cast<float>(catch_fraction_))) {
            return trial;
        }
        const Stimulus s = source.mode() == Mode::drawn ? drawn(random)
                           : source.mode() == Mode::grid
                               ? grid_cell(index % static_cast<std::uint32_t>(cells(Mode::grid)))
                               : psychometric_cell(index);
        const float choice = choice_of(s.visual + s.auditory, random);
        trial.labels = {s.visual, s.auditory, static_cast<float>(s.modality), choice};
        return trial;
    }

    std::optional<double> score(const Trial& trial, const Answer& answer) const noexcept override {
        return score_choice(trial.epoch("decision"), answer, trial.labels[kChoice]);
    }

    std::optional<double> ideal_score(const Trial& trial) const noexcept override {
        if (trial.labels[kChoice] == 0) return std::nullopt;
        const double signal =
            gain_ * std::hypot(double{trial.labels[kVisual]}, double{trial.labels[kAuditory]});
        return choice_probability(signal * std::sqrt(steps_.stimulus), noise());
    }

private:
    // Level of a sign (0: negative) and a magnitude's rank; levels ascend, so negatives mirror.
    float level(std::size_t sign, std::size_t rank) const noexcept {
        const auto levels = levels_.of(Mode::grid);
        const std::size_t m = levels.size() / 2;
        return levels[sign == 0 ? m - 1 - rank : m + rank];
    }

    Stimulus drawn(RandomSequence& random) const noexcept {
        const auto m = static_cast<std::uint32_t>(levels_.of(Mode::grid).size() / 2);
        const std::size_t sign = random.below(2);
        const auto modality = static_cast<Modality>(random.below(3));
        const float visual = level(sign, random.below(m)), auditory = level(sign, random.below(m));
        return stimulus_of(modality, visual, auditory);
    }

    Stimulus grid_cell(std::size_t cell) const noexcept {
        const auto levels = levels_.of(Mode::grid);
        const std::size_t n = levels.size(), m = n / 2;
        if (cell < n) return stimulus_of(kOnlyVisual, levels[cell], 0);
        if (cell < 2 * n) return stimulus_of(kOnlyAuditory, 0, levels[cell - n]);
        const std::size_t pair = cell - 2 * n, sign = pair / (m * m);
        return stimulus_of(kBoth, level(sign, pair / m % m), level(sign, pair % m));
    }

    Stimulus psychometric_cell(std::size_t index) const noexcept {
        constexpr Modality kOrder[] = {kOnlyVisual, kOnlyAuditory, kBoth};
        const auto levels = levels_.of(Mode::psychometric);
        const float c = levels[index % levels.size()];
        return stimulus_of(kOrder[index / levels.size() % 3], c, c);
    }

    void paint(const TrialSource&, const Trial& trial,
               const TrialView& view) const noexcept override {
        const Epoch stimulus = trial.epoch("stimulus"), decision = trial.epoch("decision");
        const auto modality = static_cast<Modality>(trial.labels[kModality]);
        if (trial.labels[kChoice] != 0) {
            const Epoch on{"", trial.epoch("context").begin, stimulus.end};
            if (modality != kOnlyAuditory) add_input(view, on, 2, amplitude_);
            if (modality != kOnlyVisual) add_input(view, on, 3, amplitude_);
        }
        add_input(view, stimulus, 0, gain_ * trial.labels[kVisual]);
        add_input(view, stimulus, 1, gain_ * trial.labels[kAuditory]);
        set_target(view, decision, 0, trial.labels[kChoice]);
        set_mask(view, decision, 0, 1);
    }

    ContextSteps steps_;
    SignedLevels levels_;
    double gain_, amplitude_, catch_fraction_;
};

}  // namespace

std::unique_ptr<Task> make_raposo(const RaposoOptions& options) {
    return std::make_unique<Raposo>(options, context_steps(kName, options));
}

}  // namespace soma::neuro
