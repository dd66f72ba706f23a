#include "soma/neuro/tasks/task.h"

#include <algorithm>
#include <string_view>

#include "soma/core/error.h"
#include "soma/core/text.h"
#include "soma/kernels/random.h"

namespace soma::neuro {

TrialSource::TrialSource(std::uint64_t seed, Stream stream, Mode mode)
    : parameters_(make_key(seed, Purpose::trial_parameters, 0, static_cast<std::uint32_t>(stream))),
      noise_(make_key(seed, Purpose::input_noise, 0, static_cast<std::uint32_t>(stream))),
      mode_(mode) {}

void Trial::append(const char* name, Index steps) noexcept {
    epochs[static_cast<std::size_t>(epoch_count++)] = {name, length, length + steps};
    length += steps;
}

Epoch Trial::epoch(const char* name) const noexcept {
    for (int i = 0; i < epoch_count; ++i) {
        const Epoch& e = epochs[static_cast<std::size_t>(i)];
        if (std::string_view(e.name) == name) return e;
    }
    return {};
}

Task::Task(TaskShape shape) : shape_(std::move(shape)) {
    const TaskShape& s = shape_;
    SOMA_CHECK(s.inputs >= 1 && s.outputs >= 1 && s.max_steps >= 1, s.name, ": ", s.inputs,
               " inputs, ", s.outputs, " outputs, ", s.max_steps,
               " steps; need at least 1 of each");
    SOMA_CHECK(s.dt > 0 && s.dt <= s.tau, s.name, ": dt is ", s.dt, " ms, tau is ", s.tau,
               " ms; need 0 < dt <= tau");
    SOMA_CHECK(s.noise >= 0 && s.noisy_inputs <= s.inputs, s.name, ": noise is ", s.noise, " on ",
               s.noisy_inputs, " of ", s.inputs, " inputs; need noise >= 0");
    SOMA_CHECK(s.labels.size() <= kMaxLabels, s.name, ": ", s.labels.size(),
               " labels; need at most ", kMaxLabels);
}

int Task::label(const std::string& label_name) const {
    const auto at = std::find(shape_.labels.begin(), shape_.labels.end(), label_name);
    SOMA_CHECK(at != shape_.labels.end(), name(), ": no label '", label_name, "'",
               did_you_mean(label_name, shape_.labels));
    return static_cast<int>(at - shape_.labels.begin());
}

Index Task::cells(Mode) const noexcept { return 1; }

std::optional<double> Task::ideal_score(const Trial&) const noexcept { return std::nullopt; }

Trial Task::trial(const TrialSource& source, std::uint32_t index,
                  const TrialView& view) const noexcept {
    const Trial planned = plan(source, index);
    write(source, planned, view);
    return planned;
}

void Task::write(const TrialSource& source, const Trial& trial,
                 const TrialView& view) const noexcept {
    const Index first_zero = shape_.noise > 0 ? shape_.noisy_inputs : 0;
    for (Index t = 0; t < view.steps; ++t) {
        float* u = view.u + t * view.u_stride;
        std::fill(t < trial.length ? u + first_zero : u, u + inputs(), 0.0f);
        std::fill_n(view.y + t * view.y_stride, outputs(), 0.0f);
        std::fill_n(view.mask + t * view.y_stride, outputs(), 0.0f);
    }
    if (shape_.noise > 0) add_noise(source, trial, view);
    paint(source, trial, view);
}

void Task::add_noise(const TrialSource& source, const Trial& trial,
                     const TrialView& view) const noexcept {
    constexpr Index kBlock = 1024;
    alignas(64) float normals[kBlock];
    const Index channels = shape_.noisy_inputs, count = trial.length * channels;
    const auto sd = static_cast<float>(shape_.noise);
    float* row = view.u;
    Index c = 0;  // the next normal goes to row[c]
    for (Index begin = 0; begin < count; begin += kBlock) {
        const Index n = std::min(kBlock, count - begin);
        const RandomIndex at{.step = static_cast<std::uint32_t>(begin / kBlock),
                             .trial = trial.index};
        kernels::random_normal(source.noise_key(), at, n, 0.0f, sd, normals);
        for (Index done = 0; done < n;) {
            const Index run = std::min(channels - c, n - done);
            for (Index i = 0; i < run; ++i) row[c + i] = normals[done + i];
            done += run;
            c += run;
            if (c < channels) break;
            c = 0;
            row += view.u_stride;
        }
    }
}

}  // namespace soma::neuro
