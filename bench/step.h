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
#include <memory>
#include <span>
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

// What one rank computes in a step.
class StepProgram {
public:
    virtual ~StepProgram() = default;
    virtual std::string what() const = 0;           // in words
    virtual std::span<float> gradient() = 0;        // flat
    virtual std::vector<Index> starts() const = 0;  // of parameters in it, ascending from 0
    virtual void begin_step() {}
    // Forward and backward pass of a shard; adds to the gradient, and announces each parameter.
    virtual void compute(const dist::DataParallel::Ready& ready) = 0;
    virtual void update() {}  // the optimizer's pass
};

struct StepOptions {
    Index samples = 0;          // of a rank; 0: the model's
    Index shards_per_rank = 1;  // S / P
    int rounds = 30;
    bool warms_up = true;
    dist::BucketSizes buckets = {};
    dist::Algorithm algorithm = dist::Algorithm::tree;
    std::vector<dist::ProgressMode> modes = {};
    bool spare_core = false;
    dist::Add<float> add = dist::plain_add<float>;

    Index shard_samples(const StepModel& model) const {
        return (samples > 0 ? samples : model.samples) / shards_per_rank;
    }
};

// The net itself, or null where there is none.
std::unique_ptr<StepProgram> make_net_program(const StepModel& model, Index shard_samples);

// Stands for this many operations. Calls soma::poll() now and then.
using StepWork = std::function<void(double flop)>;
StepWork product_work();  // matrix products

// The model's layers, each of them so much work.
class LayerProgram : public StepProgram {
public:
    // memory(n): n floats for the gradient; empty: its own.
    LayerProgram(const StepModel& model, Index shard_samples, StepWork work,
                 const std::function<float*(Index)>& memory = {});

    std::string what() const override { return "matrix products of as many operations"; }
    std::span<float> gradient() override { return gradient_; }
    std::vector<Index> starts() const override { return starts_; }
    void compute(const dist::DataParallel::Ready& ready) override;

private:
    const StepModel& model_;
    double samples_;
    StepWork work_;
    std::vector<Index> starts_;
    std::vector<float> own_;
    std::span<float> gradient_;
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

// Collective.
StepTimes measure_step(dist::Comm& comm, const StepModel& model, StepProgram& program,
                       const StepOptions& options);

}  // namespace soma::bench
