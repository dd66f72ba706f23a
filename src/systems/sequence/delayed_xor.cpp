#include "systems/sequence/delayed_xor.h"

#include <algorithm>
#include <cmath>

#include "soma/nn/parameter_store.h"
#include "soma/optim/adam.h"
#include "soma/optim/clip.h"

namespace soma::systems {
namespace {

enum class Use : std::uint32_t { training, test };

class DelayedXorNet {
public:
    DelayedXorNet(const DelayedXorOptions& o, std::uint64_t seed)
        : o_(o), seed_(seed), cell_(o.units, 1), bits_(static_cast<std::size_t>(o.steps)) {
        const nn::Init init = nn::Init::normal(1 / std::sqrt(static_cast<double>(o.units)));
        theta_ = store_.add("theta", {cell_.parameters()}, init);
        readout_ = store_.add("readout", {o.units + 1}, init);  // w_out, b_out
        store_.freeze(seed);
    }

    nn::ParameterStore& store() { return store_; }

    // Adds the gradient of the cross-entropy of one sequence to the store.
    void learn(const GradientMethod& method, Use use, Index update, Index trial) {
        const PhiloxKey key =
            make_key(seed_, Purpose::data_generation, 0, static_cast<std::uint32_t>(use));
        RandomSequence random(key, {.step = static_cast<std::uint32_t>(update),
                                    .trial = static_cast<std::uint32_t>(trial)});
        for (double& bit : bits_) bit = random.coin(0.5F) ? 1 : -1;
        const std::vector<double> start(static_cast<std::size_t>(o_.units));
        const Tensor theta = store_.value(theta_);
        const neuro::StepLoss loss = [this](Index t, neuro::Values x, neuro::MutableValues dx) {
            return answer(t, x, dx);
        };
        const neuro::RecurrentGradient g =
            method({cell_, theta.data<double>(), start, bits_, o_.steps, loss});
        Tensor gradient = store_.gradient(theta_);
        const auto sum = gradient.data<double>();
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += g.theta[i];
    }

    Index answers = 0, right = 0;  // since they were last set to 0

private:
    double answer(Index t, neuro::Values x, neuro::MutableValues dx) {
        std::fill(dx.begin(), dx.end(), 0.0);
        const Index late = t - 1 - o_.delay;
        if (late < 1) return 0;
        const auto bit = [&](Index i) { return bits_[static_cast<std::size_t>(i)] > 0; };
        const double target = bit(late) != bit(late - 1) ? 1 : 0;
        const Tensor weights = store_.value(readout_);
        Tensor gradient = store_.gradient(readout_);
        const auto w = weights.data<double>();
        const auto dw = gradient.data<double>();
        const std::size_t n = x.size();
        double logit = w[n];
        for (std::size_t i = 0; i < n; ++i) logit += w[i] * x[i];
        const double error = 1 / (1 + std::exp(-logit)) - target;
        for (std::size_t i = 0; i < n; ++i) {
            dx[i] = error * w[i];
            dw[i] += error * x[i];
        }
        dw[n] += error;
        ++answers;
        right += (logit > 0) == (target > 0) ? 1 : 0;
        return std::max(logit, 0.0) - logit * target + std::log1p(std::exp(-std::abs(logit)));
    }

    DelayedXorOptions o_;
    std::uint64_t seed_;
    neuro::CtrnnCell cell_;
    nn::ParameterStore store_{DType::f64};
    nn::ParameterId theta_, readout_;
    std::vector<double> bits_;  // of the sequence being learnt
};

}  // namespace

DelayedXorRun train_delayed_xor(const DelayedXorOptions& o, const GradientMethod& method,
                                std::uint64_t seed, const std::function<bool()>& stop) {
    DelayedXorNet net(o, seed);
    optim::Adam optimizer(net.store());
    DelayedXorRun run;
    const double scale = 1 / static_cast<double>(o.batch * (o.steps - o.delay - 1));
    constexpr Index kBlock = 100;
    Index block_right = 0, block_answers = 0;
    while (run.updates < o.updates && !stop()) {
        net.store().zero_gradients();
        for (Index b = 0; b < o.batch; ++b) net.learn(method, Use::training, run.updates, b);
        Tensor gradients = net.store().gradients();
        for (double& g : gradients.data<double>()) g *= scale;
        const double norm = optim::gradient_norm(net.store());
        optimizer.step(o.rate, optim::clip_scale(norm, o.clip));
        ++run.updates;
        if (run.updates % o.mean_of == 0) {
            const double share = static_cast<double>(net.right) / static_cast<double>(net.answers);
            run.errors.x.push_back(static_cast<double>(run.updates));
            run.errors.y.push_back(1 - share);
            block_right += net.right;
            block_answers += net.answers;
            net.right = net.answers = 0;
        }
        if (run.updates % kBlock == 0) {
            const bool done =
                static_cast<double>(block_right) >= o.enough * static_cast<double>(block_answers);
            block_right = block_answers = 0;
            if (done) break;
        }
    }
    net.right = net.answers = 0;
    for (Index b = 0; b < o.test_trials; ++b) net.learn(neuro::bptt, Use::test, 0, b);
    run.right = static_cast<double>(net.right) / static_cast<double>(net.answers);
    return run;
}

}  // namespace soma::systems
