// One class for both: `senses` is 1 or 2. What Task adds as noise is the signal itself.

#include "soma/neuro/tasks/integrator.h"

#include <algorithm>

#include "neuro/tasks/paint.h"
#include "soma/core/error.h"
#include "soma/kernels/random.h"

namespace soma::neuro {
namespace {

constexpr Index kMaxSenses = 2;

class Integrator final : public CurveTask {
public:
    Integrator(const std::string& name, Index senses, const IntegratorOptions& o)
        : CurveTask({.name = name,
                     .inputs = senses == 1 ? 1 : 2 * senses,
                     .outputs = 1,
                     .max_steps = Clock(name, o.dt, o.tau).at_least_one("duration", o.duration),
                     .dt = o.dt,
                     .tau = o.tau,
                     .loss = TaskLoss::per_trial,
                     .labels = senses == 1
                                   ? std::vector<std::string>{"bias"}
                                   : std::vector<std::string>{"bias_1", "bias_2", "context"},
                     .noise = o.noise / std::sqrt(o.dt / 1000),
                     .noisy_inputs = senses}),
          senses_(senses),
          bias_(static_cast<float>(o.bias * o.easy)),
          original_bias_(o.original_bias) {
        SOMA_CHECK(o.bias >= 0, name, ": bias is ", o.bias, "; need at least 0");
    }

    Index cells(Mode mode) const noexcept override { return mode == Mode::drawn ? 1 : senses_; }

    Trial plan(const TrialSource& source, std::uint32_t index) const noexcept override {
        RandomSequence random = source.parameters(index);
        Trial trial;
        trial.index = index;
        trial.append("integration", max_steps());
        float normals[kMaxSenses];
        kernels::random_normal(source.parameter_key(), {.step = 1, .trial = index}, kMaxSenses,
                               0.0f, 1.0f, normals);
        for (Index i = 0; i < senses_; ++i) {
            const float uniform = random.uniform(-bias_, bias_);
            const float original = 2 * bias_ * (normals[i] - 0.5f);
            trial.labels[static_cast<std::size_t>(i)] = original_bias_ ? original : uniform;
        }
        if (senses_ == 1) return trial;
        const auto senses = static_cast<std::uint32_t>(senses_);
        const std::uint32_t coin = random.below(senses);
        const std::uint32_t context = source.mode() == Mode::drawn ? coin : index % senses;
        trial.labels[static_cast<std::size_t>(senses_)] = static_cast<float>(1 + context);
        return trial;
    }

private:
    void paint(const TrialSource&, const Trial& trial,
               const TrialView& view) const noexcept override {
        const Epoch all = trial.epochs[0];
        for (Index i = 0; i < senses_; ++i) {
            add_input(view, all, i, trial.labels[static_cast<std::size_t>(i)]);
        }
        Index attended = 0;
        if (senses_ > 1) {
            attended = static_cast<Index>(trial.labels[static_cast<std::size_t>(senses_)]) - 1;
            add_input(view, all, senses_ + attended, 1);
        }
        set_mask(view, all, 0, 1);
        double sum = 0;
        for (Index t = 0; t < trial.length; ++t) {
            sum += static_cast<double>(view.u[t * view.u_stride + attended]);
            view.y[t * view.y_stride] = static_cast<float>(sum);
        }
    }

    Index senses_;
    float bias_;
    bool original_bias_;
};

}  // namespace

std::unique_ptr<Task> make_integrator(const IntegratorOptions& options) {
    return std::make_unique<Integrator>("integrator", 1, options);
}

std::unique_ptr<Task> make_contextual_integrator(const IntegratorOptions& options) {
    return std::make_unique<Integrator>("contextual_integrator", kMaxSenses, options);
}

}  // namespace soma::neuro
