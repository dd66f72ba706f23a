#pragma once
// NetRecipe: a recurrent net of a system and how it is trained, as data: what `soma train` trains
// and `soma analyze` takes apart.
//
// A checkpoint names system, recipe and seed, and holds the net's description (`config`): task,
// convention, nonlinearity, sizes, time scale. restore_net builds the net of that recipe again,
// loads the weights into it, and refuses a file whose description is not that of the recipe.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "soma/neuro/task_net.h"
#include "soma/neuro/tasks/task.h"
#include "soma/train/log.h"
#include "soma/train/options.h"

namespace soma::dist {
class Comm;
}

namespace soma::systems {

struct NetRecipe {
    std::string system, name;  // "lowrank2022", "mante"
    std::unique_ptr<neuro::Task> task;
    neuro::TaskNetOptions net;  // but for the seed
    neuro::TaskTraining training;
    Index test_trials = 1000;

    neuro::TaskNetOptions options(std::uint64_t seed) const;
};

struct TrainedNet {
    std::unique_ptr<neuro::TaskNet> net;
    neuro::TaskResult result;
};
// A new net of the recipe, trained on this thread, until `stop` at the latest.
TrainedNet train_new(const NetRecipe& recipe, std::uint64_t seed,
                     const std::function<bool()>& stop);

// What a net is, for checkpoints and reports: task, convention, nonlinearity, units, inputs,
// outputs, rank, dt_ms, tau_ms, sigma, bias, mean_readout.
train::Fields describe(const NetRecipe& recipe);

// Trains the recipe's net once under the caller's options, on this thread; writes training log,
// curve and one checkpoint (parameters only) at the end. `options.resume` with no step left
// evaluates that checkpoint. Error(usage) for options that make no sense here: several ranks or
// shards, a data set, checkpoints on the way, going on from a checkpoint, epochs of a task that
// draws new trials.
train::TrainResult train_net(NetRecipe recipe, const train::TrainOptions& options,
                             dist::Comm& comm);

// A trained net and its task.
struct RestoredNet {
    NetRecipe recipe;
    std::unique_ptr<neuro::TaskNet> net;
    std::uint64_t seed = 0;
    Index updates = 0;
};
// Of a checkpoint file. Error(data) for files that are none or of another net; Error(usage) naming
// the systems with recurrent nets when its system has none.
RestoredNet restore_net(const std::string& checkpoint);

}  // namespace soma::systems
