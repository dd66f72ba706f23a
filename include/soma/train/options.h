#pragma once
// What a caller may say about one training run, and what comes back.

#include <functional>
#include <string>
#include <vector>

#include "soma/core/types.h"
#include "soma/dist/data_parallel.h"

namespace soma::train {

class RunFolder;

// Zero or empty means: the recipe's own value.
struct TrainOptions {
    std::uint64_t seed = 1;
    Index epochs = 0;
    Index steps = 0;  // stop after this many updates in all, counted from the run's beginning
    Index batch = 0;
    Index shards = 0;  // virtual shards of the batch (distributed.md 8); a power of two
    double lr = 0;
    std::string recipe = {};  // "paper", "modern", ... for systems that have several
    std::string set = {};     // force a data set
    std::vector<std::string> data_roots = {};
    bool roots_given = false;
    // ---- checkpoints ----
    std::string resume = {};     // checkpoint file, or run folder: its newest valid checkpoint
    Index checkpoint_every = 0;  // updates between checkpoints; 0: at the end of every epoch
    Index keep = 3;              // how many checkpoints stay
    // ---- reporting ----
    RunFolder* folder = nullptr;  // null: nothing is written (tests); on rank 0 only
    std::string log_dir = {};     // folder for a file per rank (timeline.h); "": none
    bool progress = false;        // a bar on the terminal or a line per interval
    double comm_timeout = 300;    // seconds a peer may stay silent
    bool deterministic = true;    // strict mode: refuses what would make the bits depend on P
    dist::ExchangeOptions exchange = {};
    bool dry_run = false;  // checks, fingerprint and mapping table, then return
    std::function<bool()> stop_requested = {};  // polled every step: SIGINT, SIGTERM, SIGUSR1
};

// One epoch as the trainer saw it; test values are NaN where it was not evaluated.
struct EpochRecord {
    Index epoch = 0;
    double train_loss = 0, train_error = 0;  // means over the epoch's own updates; error in %
    double test_loss = 0, test_error = 0;
};

struct TrainResult {
    std::uint64_t weights = 0;  // hash of all parameters: ParameterStore::hash
    Index steps = 0, epochs = 0;
    Index samples = 0;       // seen by this run, resumed part not counted
    double train_loss = 0;   // mean over the last epoch
    double train_error = 0;  // share of wrong answers in the last epoch, in %
    double test_loss = 0, test_error = 0;
    Index test_wrong = 0, test_samples = 0;
    double seconds = 0;          // in the loop, without evaluation
    double exposed_seconds = 0;  // of them spent waiting for sums over ranks, nothing left to do
    double flop = 0;             // of this rank
    std::vector<EpochRecord> history = {};  // epochs completed by this run
    bool interrupted = false;               // a stop was requested; the state was saved
    std::string checkpoint = {};            // path of the last one written, "" when none
    std::string headline = {};  // paper's figure beside this run's, for the last lines of output
};

}  // namespace soma::train
