#pragma once
// TaskNet: a recurrent net with a linear readout, trained on a task (neuro.md 3, 4).
//
//     u [T, B, I] -> rates r [T, B, N] -> outputs z [T, B, O] = c (r w_out + b_out), or its sigmoid
//
// c is 1, or 1 / N for nets whose readout is a mean over units (low rank). One seed makes the
// whole net and its training: initial weights, trials, recurrent noise. A trained net is a pure
// function of (options, task, training options): threads, ISA and whatever else is trained beside
// it do not enter. Any trial can be run again with the noise it had: it is a function of (seed,
// trial, visit).

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "soma/linalg/matrix.h"
#include "soma/neuro/ctrnn_dynamics.h"
#include "soma/neuro/tasks/batch.h"
#include "soma/nn/ctrnn.h"
#include "soma/nn/linear.h"

namespace soma::neuro {

struct TaskNetOptions {
    Index units = 64;
    nn::CtrnnLayerOptions layer = {};  // alpha is the task's dt / tau, whatever stands here
    bool output_bias = true;
    bool train_output = true;
    bool mean_readout = false;  // c = 1 / N
    bool sigmoid_output = false;
    std::optional<nn::Init> output = {};  // default: N(0, 1 / N)
    std::uint64_t seed = 0;
};

// Which noise a run sees.
enum class NoiseStream { none, training, evaluation };

class TaskNet {
public:
    // Borrows nothing of the task but its sizes and time scale.
    TaskNet(const Task& task, const TaskNetOptions& options);
    TaskNet(const TaskNet&) = delete;
    TaskNet& operator=(const TaskNet&) = delete;

    nn::ParameterStore& store() { return *store_; }
    const TaskNetOptions& options() const { return options_; }
    const nn::Ctrnn& layer() const { return *layer_; }

    struct Pass {
        Var rates, outputs;
    };
    // The batch through the net on `tape`. visit: how often these trials have been shown.
    Pass run(Tape& tape, const TaskBatch& batch, NoiseStream noise, std::uint32_t visit = 0);

    // The loss of 3.6: squared errors under the mask.
    static Var loss(Var outputs, const TaskBatch& batch);

    // The noiseless net in f64, for analyses.
    std::unique_ptr<Dynamics> dynamics() const;
    // Readout weights [O, N] in f64, with the factor c.
    linalg::Matrix readout() const;
    // Where every trial starts: x_0 or r_0, [N].
    std::vector<double> start() const;

private:
    TaskNetOptions options_;
    std::unique_ptr<nn::ParameterStore> store_;
    std::unique_ptr<nn::Ctrnn> layer_;
    nn::ParameterId w_out_ = -1, b_out_ = -1;
    PhiloxKey training_noise_, evaluation_noise_;
};

// ---- training ----

struct TaskTraining {
    Index updates = 1000;
    Index batch = 32;
    Index fixed_trials = 0;  // 0: every update draws new trials; else only the first so many, each
                             // batch a sample of them without replacement
    double rate = 1e-3;      // of Adam
    std::function<double(Index update)> schedule = {};  // factor of the rate; absent: 1
    double clip_norm = 0;                               // 0: none
    double clip_value = 0;                              // 0: none
    Index eval_every = 25;                              // updates between evaluations
    Index eval_trials = 200;
    double stop_loss = 0;  // stop once the evaluation loss is below; 0: never
    // Called after every evaluation; true ends the training. Absent: never.
    std::function<bool(TaskNet& net, Index updates)> reached = {};
    bool keep_best = true;  // end with the weights of the best evaluation
    std::function<bool()> stop_requested = {};
    std::function<void(Index update, double loss)> on_eval = {};
};

struct TaskResult {
    Index updates = 0;      // done
    double loss = 0;        // of the evaluation of the weights kept
    double score = 0;       // mean score of the same trials
    double train_loss = 0;  // of the last update
    double seconds = 0;
    bool interrupted = false;
};

// Adam on the loss, on the calling thread alone: nets are trained side by side, not one by many
// threads. Non-finite losses are Error(non_finite) naming net, update and trial.
TaskResult train_task(TaskNet& net, const Task& task, const TaskTraining& training);

struct TaskEvaluation {
    double loss = 0;
    double score = 0;
    Index trials = 0;  // that count for the score
};
// On trials first ... first + count - 1 of the evaluation stream.
TaskEvaluation evaluate_task(TaskNet& net, const Task& task, Index count, Mode mode = Mode::drawn,
                             NoiseStream noise = NoiseStream::evaluation);

// States [M, N] of the noiseless net in f64 along `trials` trials of the analysis stream, one a
// step: where analyses start.
linalg::Matrix sample_states(const TaskNet& net, const Task& task, Index trials);

}  // namespace soma::neuro
