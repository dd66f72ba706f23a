// Training of a TaskNet: one net, one thread at a time, so that thousands run side by side.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "soma/core/parallel.h"
#include "soma/core/timer.h"
#include "soma/neuro/task_net.h"
#include "soma/optim/adam.h"
#include "soma/optim/clip.h"

namespace soma::neuro {
namespace {

constexpr Index kEvaluationBatch = 128;

// The trials of an update, longest first.
class Sampler {
public:
    Sampler(const TaskTraining& training, std::uint64_t seed)
        : source_(seed),
          order_key_(make_key(seed, Purpose::batch_order)),
          fixed_(training.fixed_trials),
          indices_(static_cast<std::size_t>(training.batch)) {
        SOMA_CHECK(fixed_ == 0 || fixed_ >= training.batch, "train_task: fixed_trials is ", fixed_,
                   ", batch is ", training.batch, "; need at least a batch of trials, or 0");
        pool_.resize(static_cast<std::size_t>(fixed_));
    }

    void fill(Index update, TaskBatch& batch) {
        if (fixed_ == 0) {
            std::iota(indices_.begin(), indices_.end(),
                      static_cast<std::uint32_t>(update * batch.size()));
        } else {  // the first numbers of a shuffle
            std::iota(pool_.begin(), pool_.end(), 0u);
            RandomSequence random(order_key_, {.step = static_cast<std::uint32_t>(update)});
            for (std::size_t i = 0; i < indices_.size(); ++i) {
                const auto left = static_cast<std::uint32_t>(pool_.size() - i);
                std::swap(pool_[i], pool_[i + random.below(left)]);
                indices_[i] = pool_[i];
            }
        }
        batch.fill(source_, indices_, TaskBatch::Sequence::longest_first);
    }

    // New trials are shown once; of a fixed set, the update tells the showings apart.
    std::uint32_t visit(Index update) const {
        return fixed_ == 0 ? 0 : static_cast<std::uint32_t>(update);
    }

private:
    TrialSource source_;
    PhiloxKey order_key_;
    Index fixed_;
    std::vector<std::uint32_t> indices_, pool_;
};

double update(TaskNet& net, const TaskBatch& batch, const TaskTraining& training, Index number,
              std::uint32_t visit, Tape& tape, optim::Adam& adam) {
    tape.reset();
    net.store().zero_gradients();
    const Var loss =
        TaskNet::loss(net.run(tape, batch, NoiseStream::training, visit).outputs, batch);
    const double value = loss.item();
    if (!std::isfinite(value)) {
        throw Error(
            ErrorCode::non_finite,
            "train_task, " + batch.task().name() + ", seed " + std::to_string(net.options().seed) +
                ": the loss of update " + std::to_string(number) + " is not finite (trials from " +
                std::to_string(batch.trials().front().index) + "); a smaller rate may help");
    }
    tape.backward(loss);
    if (training.clip_value > 0) optim::clip_by_value(net.store(), training.clip_value);
    const double scale =
        training.clip_norm > 0
            ? optim::clip_scale(optim::gradient_norm(net.store()), training.clip_norm)
            : 1;
    const double factor = training.schedule ? training.schedule(number) : 1;
    adam.step(training.rate * factor, scale);
    return value;
}

}  // namespace

TaskEvaluation evaluate_task(TaskNet& net, const Task& task, Index count, Mode mode,
                             NoiseStream noise) {
    const TrialSource source(net.options().seed, Stream::evaluation, mode);
    TaskEvaluation result;
    double score = 0;
    for (Index first = 0; first < count; first += kEvaluationBatch) {
        TaskBatch batch(task, std::min(kEvaluationBatch, count - first));
        batch.fill(source, static_cast<std::uint32_t>(first));
        Tape tape(Tape::Mode::no_grad);
        const TaskNet::Pass pass = net.run(tape, batch, noise);
        result.loss +=
            TaskNet::loss(pass.outputs, batch).item() * static_cast<double>(batch.size());
        const MeanScore mean = mean_score(batch.scores(pass.outputs.tensor()));
        score += mean.score * static_cast<double>(mean.trials);
        result.trials += mean.trials;
    }
    result.loss /= static_cast<double>(count);
    result.score = result.trials == 0 ? 0 : score / static_cast<double>(result.trials);
    return result;
}

TaskResult train_task(TaskNet& net, const Task& task, const TaskTraining& training) {
    SOMA_CHECK(training.updates >= 1 && training.batch >= 1 && training.rate > 0 &&
                   training.eval_every >= 1 && training.eval_trials >= 1,
               "train_task: updates, batch, eval_every, eval_trials are ", training.updates, ", ",
               training.batch, ", ", training.eval_every, ", ", training.eval_trials, ", rate is ",
               training.rate, "; need at least 1 each and a rate above 0");
    const SerialScope one_thread;
    Timer timer;
    Sampler sampler(training, net.options().seed);
    TaskBatch batch(task, training.batch);
    optim::Adam adam(net.store());
    Tape tape;
    TaskResult result;
    Tensor best;
    for (Index k = 0; k < training.updates; ++k) {
        sampler.fill(k, batch);
        result.train_loss = update(net, batch, training, k, sampler.visit(k), tape, adam);
        result.updates = k + 1;
        result.interrupted = training.stop_requested && training.stop_requested();
        const bool last = k + 1 == training.updates || result.interrupted;
        if (!last && (k + 1) % training.eval_every != 0) continue;
        const TaskEvaluation now = evaluate_task(net, task, training.eval_trials);
        if (training.on_eval) training.on_eval(k + 1, now.loss);
        if (best.empty() || now.loss < result.loss || !training.keep_best) {
            best = net.store().values().clone();
            result.loss = now.loss;
            result.score = now.score;
        }
        const bool reached =
            training.reached && !result.interrupted && training.reached(net, k + 1);
        if (last || reached || now.loss < training.stop_loss) break;
    }
    net.store().values().copy_from(best);
    result.seconds = timer.seconds();
    return result;
}

}  // namespace soma::neuro
