#pragma once
// Trainer: the loop of data-parallel training, written once against dist::Comm.
//
// One update at batch size B with S virtual shards over P ranks:
//
//   for my S/P shards:  samples of the shard -> forward -> backward -> shard gradient (a SUM)
//   fold them by the balanced tree over shard numbers, first inside the rank, then across
//   divide by the total weight W, clip, schedule, one optimizer pass
//
// The gradient is the same bits for any P that divides S, any thread count and any ISA. Loss,
// counts and the stop request travel in the same reduction, so all ranks stop after the same
// update.

#include <functional>
#include <string>

#include "soma/data/loader.h"
#include "soma/dist/comm.h"
#include "soma/optim/optimizer.h"
#include "soma/train/checkpoint.h"
#include "soma/train/model.h"
#include "soma/train/options.h"

namespace soma::train {

// A recipe made concrete: what to train, on what, how.
struct Training {
    std::string system = {}, recipe = {};
    Model* model = nullptr;
    optim::Optimizer* optimizer = nullptr;
    const data::Loader* train = nullptr;  // its batch size and shards are the run's
    const data::Loader* test = nullptr;   // constant order; nullptr: no evaluation
    Index epochs = 1;
    Index eval_every = 1;  // epochs between evaluations; the last always
    std::function<double(Index step)> learning_rate = {};  // of update 0, 1, ...
    double clip_norm = 0;                                  // 0: no clipping
    double statistics_momentum = 0.1;                      // of running means (batch norm)
    // Called on every rank before the first update of an epoch (the 1989 curvature estimate).
    std::function<void(Index epoch)> before_epoch = {};
    std::string data = {};    // name and hash of the training set
    std::string config = {};  // JSON of the resolved options, for log and checkpoint
};

// Runs the training under the caller's options. Errors: usage (shards, ranks, resume from another
// experiment), data, fingerprint, checkpoint, timeout, non_finite.
TrainResult run_training(const Training& training, const TrainOptions& options, dist::Comm& comm);

struct Evaluation {
    double loss = 0;  // mean over samples
    Index wrong = 0, samples = 0;
    std::vector<std::int32_t> predictions = {};  // by sample id; -1 where the sample was not seen
    double error_percent() const;
};

// Evaluates a model on all samples of a loader, on this rank alone.
Evaluation evaluate(Model& model, const data::Loader& loader);

}  // namespace soma::train
