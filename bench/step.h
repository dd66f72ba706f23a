#pragma once
// What a training step over several ranks costs, part by part, for `soma bench step`.
//
// The step is a model's list of layers: forward and backward take each layer's work, and when the
// backward pass has done with a layer its gradient goes to the wire through dist::DataParallel, as
// in training. Only the work itself is a stand-in, so that every size fits any machine: matrix
// products of as many operations, or nothing but time that passes, for simulated hosts.
//
//     compute   all shards of this rank, nobody to talk to         Tc
//     wire      all buckets at once, nothing to compute            Tm
//     step      both, in each progress mode                        T
//
//     overlap = (Tc + Tm - T) / min(f Tc, Tm)     1: all is hidden that can be hidden
//
// f is the part of Tc beside which gradients travel: 2/3 (backward) times P / S (planner.h).
//
// All times are those of the slowest rank; the contenders of a round take turns.

#include <functional>
#include <string>
#include <vector>

#include "bench/spread.h"
#include "soma/dist/data_parallel.h"

namespace soma::bench {

struct StepLayer {
    std::string name;
    Index parameters = 0;
    double flop = 0;  // of the forward pass of one sample; backward takes twice as many
};

struct StepModel {
    std::string name, what;
    std::vector<StepLayer> layers;  // in the order of the forward pass
    Index samples = 0;              // a rank's, by default

    Index parameters() const;
    double flop() const;  // of one sample, forward and backward
};
// alexnet, resnet50, mlp, lecun1989.
const std::vector<StepModel>& step_models();
// Error(usage) with the nearest names.
const StepModel& step_model(const std::string& name);

// Stands for this many operations of a layer. Calls soma::poll() now and then.
using StepWork = std::function<void(double flop)>;
StepWork product_work();  // matrix products

struct StepOptions {
    Index samples = 0;          // of a rank; 0: the model's
    Index shards_per_rank = 1;  // S / P
    StepWork work = {};         // empty: time passes,
    double gflops = 1000;       // at this rate,
    double jitter = 0;          // with this relative spread of a rank's pace, step by step
    int rounds = 30;
    dist::BucketSizes buckets = {};
    dist::Algorithm algorithm = dist::Algorithm::tree;
    std::vector<dist::ProgressMode> modes = {};
    bool spare_core = false;
    std::function<float*(Index)> memory = {};  // of the gradient, elements; empty: its own
};

struct StepMode {
    dist::ProgressMode mode = dist::ProgressMode::none;
    std::vector<double> seconds = {},
                        exposed = {};  // by round: T, and its part after the backward pass
};

struct StepTimes {
    std::vector<double> compute = {}, wire = {};  // Tc and Tm, by round
    std::vector<StepMode> modes = {};
    Index buckets = 0;
    double window = 0;  // f

    Spread overlap(const StepMode& mode) const;
};

// Collective. Strict where the ranks are a power of two, else the ring (fast mode).
StepTimes measure_step(dist::Comm& comm, const StepModel& model, const StepOptions& options);

}  // namespace soma::bench
