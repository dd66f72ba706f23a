#pragma once
// What task files share: times in steps, strokes on a trial, rules of scoring, checks of options.

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "soma/neuro/tasks/task.h"

namespace soma::neuro {

// Turns the times of a task's options into steps. Error(usage) unless 0 < dt <= tau.
class Clock {
public:
    Clock(const std::string& task, double dt, double tau);
    // floor(ms / dt + 1e-9); Error(usage) unless ms is finite and at least 0.
    Index steps(const char* what, double ms) const;
    // The same for times that may not be empty: at least one step.
    Index at_least_one(const char* what, double ms) const;

private:
    std::string task_;
    double dt_;
};

// Steps of a trial in which a context comes before the stimulus: mante and raposo.
struct ContextSteps {
    Index fixation, context, stimulus, delay, decision;
    Index all() const { return fixation + context + stimulus + delay + decision; }
    void append_to(Trial& trial) const noexcept;
};
// Of options with these times. Error(usage) as Clock.
template <class Options>
ContextSteps context_steps(const std::string& task, const Options& o) {
    const Clock clock(task, o.dt, o.tau);
    return {.fixation = clock.steps("fixation", o.fixation),
            .context = clock.steps("context", o.context),
            .stimulus = clock.at_least_one("stimulus", o.stimulus),
            .delay = clock.steps("delay", o.delay),
            .decision = clock.at_least_one("decision", o.decision)};
}

// floor(ms / dt + 1e-9) of a valid time.
inline Index steps_of(double ms, double dt) noexcept {
    return static_cast<Index>(std::floor(ms / dt + 1e-9));
}

// Error(usage) unless 0 <= fraction <= 1.
void check_fraction(const std::string& task, const char* what, double fraction);

// ---- strokes over the steps of an epoch ----
void add_input(const TrialView& view, const Epoch& epoch, Index input, double value) noexcept;
void set_target(const TrialView& view, const Epoch& epoch, Index output, double value) noexcept;
void set_mask(const TrialView& view, const Epoch& epoch, Index output, double weight) noexcept;

// ---- scores ----
// 1 when the mean of output 0 over the epoch has the sign of `choice`, else 0; none for choice 0.
std::optional<double> score_choice(const Epoch& epoch, const Answer& answer,
                                   double choice) noexcept;
// max(0, 1 - sum e^2 / sum (mask y)^2), e = mask (z - y), over all steps and outputs.
std::optional<double> score_curve(Index steps, Index outputs, const Answer& answer) noexcept;

// A task whose target is a curve that follows from u: the best observer is always right.
class CurveTask : public Task {
public:
    using Task::Task;
    std::optional<double> score(const Trial& trial, const Answer& answer) const noexcept override {
        return score_curve(trial.length, outputs(), answer);
    }
    std::optional<double> ideal_score(const Trial&) const noexcept override { return 1; }
};

// Phi(x), the standard normal distribution function.
double normal_cdf(double x) noexcept;
// Phi(signal / noise) with the limits 1/2 for no signal and 1 for no noise.
double choice_probability(double signal, double noise) noexcept;

// Levels of a signed quantity: +-magnitude, in ascending order.
class SignedLevels {
public:
    // Magnitudes of training, positive; of the psychometric table, where 0 may be among them.
    SignedLevels(const std::string& task, std::span<const double> training,
                 std::span<const double> psychometric);
    // Those of a table; `drawn` has those of training.
    std::span<const float> of(Mode mode) const noexcept {
        return mode == Mode::psychometric ? psychometric_ : training_;
    }
    // One of the training levels, uniformly.
    float draw(RandomSequence& random) const noexcept;

private:
    std::vector<float> training_, psychometric_;
};

// Random words of a trial in order, for tasks that draw in every step: word k is unit k % 512 of
// step 65536 stream + k / 512 of the trial's parameters. Streams are numbered from 1.
class WordStream {
public:
    WordStream(const TrialSource& source, std::uint32_t trial, std::uint32_t stream) noexcept
        : key_(source.parameter_key()), at_{.step = stream << 16, .trial = trial} {}
    std::uint32_t next() noexcept {
        if (used_ == kBlock) refill();
        return words_[used_++];
    }

private:
    static constexpr Index kBlock = 512;
    void refill() noexcept;

    PhiloxKey key_;
    RandomIndex at_;
    Index used_ = kBlock;
    std::uint32_t words_[kBlock];
};

// -1 or +1 by the sign of x; a coin where x is 0. Takes one number in either case.
float choice_of(float x, RandomSequence& random) noexcept;

}  // namespace soma::neuro
