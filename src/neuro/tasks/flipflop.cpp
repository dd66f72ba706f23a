// Step t of bit i takes word t bits + i of two streams: the first decides whether a pulse begins
// (its upper 24 bits are below p 2^24) and its sign (bit 0), the second its width.

#include "soma/neuro/tasks/flipflop.h"

#include <algorithm>

#include "neuro/tasks/paint.h"
#include "soma/core/error.h"

namespace soma::neuro {
namespace {

constexpr const char* kName = "flipflop";
constexpr Index kMaxBits = 256;

class Flipflop final : public Task {
public:
    explicit Flipflop(const FlipflopOptions& o)
        : Task({.name = kName,
                .inputs = o.bits,
                .outputs = o.bits,
                .max_steps = o.steps,
                .dt = o.dt,
                .tau = o.tau,
                .loss = TaskLoss::per_trial,
                .labels = {},
                .noise = o.noise,
                .noisy_inputs = o.bits}),
          options_(o) {
        check_fraction(kName, "pulse_probability", o.pulse_probability);
        SOMA_CHECK(o.bits <= kMaxBits, kName, ": ", o.bits, " bits; need at most ", kMaxBits);
        SOMA_CHECK(1 <= o.width_min && o.width_min <= o.width_max && o.width_max <= o.steps, kName,
                   ": widths from ", o.width_min, " to ", o.width_max, " of ", o.steps,
                   " steps; need 1 <= width_min <= width_max <= steps");
    }

    Trial plan(const TrialSource&, std::uint32_t index) const noexcept override {
        Trial trial;
        trial.index = index;
        trial.append("memory", options_.steps);
        return trial;
    }

    std::optional<double> score(const Trial& trial, const Answer& answer) const noexcept override {
        Index right = 0;
        for (Index t = 0; t < trial.length; ++t) {
            const Index row = t * answer.stride;
            for (Index i = 0; i < outputs(); ++i) {
                if (answer.z[row + i] * answer.y[row + i] > 0) ++right;
            }
        }
        return static_cast<double>(right) / static_cast<double>(trial.length * outputs());
    }

    std::optional<double> ideal_score(const Trial&) const noexcept override {
        return noise() == 0 ? std::optional<double>(1) : std::nullopt;
    }

private:
    void paint(const TrialSource& source, const Trial& trial,
               const TrialView& view) const noexcept override {
        const double scaled = options_.pulse_probability * 0x1p24;
        const auto threshold = static_cast<std::uint32_t>(std::lround(scaled));
        const Index bits = inputs();
        const auto easy = static_cast<float>(options_.easy);
        const bool one_width = options_.width_min == options_.width_max;
        WordStream pulses(source, trial.index, 1), widths(source, trial.index, 2);
        float last[kMaxBits] = {};
        Index off[kMaxBits] = {};  // the step in which the bit's pulse ends
        for (Index t = 0; t < trial.length; ++t) {
            float* const u = view.u + t * view.u_stride;
            float* const y = view.y + t * view.y_stride;
            for (Index i = 0; i < bits; ++i) {
                const std::uint32_t word = pulses.next();
                const Index steps = one_width ? options_.width_min : width(widths.next());
                // Selected, not branched on: half of the branches would be guessed wrong.
                const bool pulse = t == 0 || (word >> 8) < threshold;
                last[i] = pulse ? static_cast<float>(word & 1) * 2 - 1 : last[i];
                off[i] = pulse ? t + steps : off[i];
                u[i] += t < off[i] ? easy * last[i] : 0.0f;
                y[i] = last[i];
            }
            std::fill_n(view.mask + t * view.y_stride, bits, 1.0f);
        }
    }

    Index width(std::uint32_t word) const noexcept {
        const auto n = static_cast<std::uint64_t>(options_.width_max - options_.width_min + 1);
        return options_.width_min + static_cast<Index>(word * n >> 32);
    }

    FlipflopOptions options_;
};

}  // namespace

std::unique_ptr<Task> make_flipflop(const FlipflopOptions& options) {
    return std::make_unique<Flipflop>(options);
}

}  // namespace soma::neuro
