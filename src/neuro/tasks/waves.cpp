// Sines are soma's own (kernels/vmath.h): the same bits with every C library.

#include "soma/neuro/tasks/waves.h"

#include "neuro/tasks/paint.h"
#include "soma/core/error.h"
#include "soma/kernels/vmath.h"

namespace soma::neuro {
namespace {

double sin_of_turns(double turns) { return vmath::sin(2 * M_PI * (turns - std::floor(turns))); }

// ---- sine ----

enum Label { kCycles, kCue };

Index sine_steps(const SineOptions& o) {
    const Clock clock("sine", o.dt, o.tau);
    SOMA_CHECK(2 * o.dt < o.period_min && o.period_min <= o.period_max, "sine: periods from ",
               o.period_min, " to ", o.period_max, " ms, dt ", o.dt,
               " ms; need 2 dt < period_min <= period_max");
    return clock.at_least_one("the whole wave", o.periods * o.period_max);
}

class Sine final : public CurveTask {
public:
    explicit Sine(const SineOptions& o)
        : CurveTask({.name = "sine",
                     .inputs = 1,
                     .outputs = 1,
                     .max_steps = sine_steps(o),
                     .dt = o.dt,
                     .tau = o.tau,
                     .loss = TaskLoss::per_trial,
                     .labels = {"cycles", "cue"},
                     .noise = o.noise,
                     .noisy_inputs = 1}),
          options_(o) {
        SOMA_CHECK(o.frequencies >= 1 && o.frequencies <= 1 << 20, "sine: ", o.frequencies,
                   " frequencies; need 1 to ", 1 << 20);
        SOMA_CHECK((o.frequencies == 1) == (o.period_min == o.period_max), "sine: ", o.frequencies,
                   " frequencies with periods from ", o.period_min, " to ", o.period_max,
                   " ms; need different periods for more than one, and only then");
    }

    Index cells(Mode mode) const noexcept override {
        return mode == Mode::drawn ? 1 : options_.frequencies;
    }

    Trial plan(const TrialSource& source, std::uint32_t index) const noexcept override {
        RandomSequence random = source.parameters(index);
        const auto n = static_cast<std::uint32_t>(options_.frequencies);
        const std::uint32_t j = source.mode() == Mode::drawn ? random.below(n) : index % n;
        const double slow = 1000 / options_.period_max, fast = 1000 / options_.period_min;
        const double share = n == 1 ? 0 : static_cast<double>(j) / (n - 1);
        Trial trial;
        trial.index = index;
        trial.append("wave", max_steps());
        trial.labels[kCycles] = static_cast<float>(slow + share * (fast - slow));
        trial.labels[kCue] = n == 1 ? 0 : static_cast<float>(0.25 + static_cast<double>(j) / n);
        return trial;
    }

private:
    void paint(const TrialSource&, const Trial& trial,
               const TrialView& view) const noexcept override {
        add_input(view, trial.epochs[0], 0, trial.labels[kCue]);
        set_mask(view, trial.epochs[0], 0, 1);
        for (Index t = 0; t < trial.length; ++t) {
            const double seconds = static_cast<double>(t + 1) * dt() / 1000;
            const double y = options_.amplitude * sin_of_turns(seconds * trial.labels[kCycles]);
            view.y[t * view.y_stride] = static_cast<float>(y);
        }
    }

    SineOptions options_;
};

// ---- sum_of_sines ----

class SumOfSines final : public CurveTask {
public:
    explicit SumOfSines(const SumOfSinesOptions& o)
        : CurveTask({.name = "sum_of_sines",
                     .inputs = 1,
                     .outputs = 1,
                     .max_steps = o.steps,
                     .dt = o.dt,
                     .tau = o.tau,
                     .loss = TaskLoss::per_trial,
                     .labels = {},
                     .noise = o.noise,
                     .noisy_inputs = 1}) {
        for (Index t = 0; t < o.steps; ++t) {
            const double turns = static_cast<double>(t + 1) / static_cast<double>(o.steps);
            curve_.push_back(static_cast<float>(sin_of_turns(turns) +
                                                0.5 * sin_of_turns(2 * turns) +
                                                0.25 * sin_of_turns(4 * turns)));
        }
    }

    Trial plan(const TrialSource&, std::uint32_t index) const noexcept override {
        Trial trial;
        trial.index = index;
        trial.append("wave", max_steps());
        return trial;
    }

private:
    void paint(const TrialSource&, const Trial& trial,
               const TrialView& view) const noexcept override {
        set_mask(view, trial.epochs[0], 0, 1);
        for (Index t = 0; t < trial.length; ++t) {
            view.y[t * view.y_stride] = curve_[static_cast<std::size_t>(t)];
        }
    }

    std::vector<float> curve_;
};

}  // namespace

std::unique_ptr<Task> make_sine(const SineOptions& options) {
    return std::make_unique<Sine>(options);
}

std::unique_ptr<Task> make_sum_of_sines(const SumOfSinesOptions& options) {
    return std::make_unique<SumOfSines>(options);
}

}  // namespace soma::neuro
