#pragma once
// Optimizer: turns the gradients of a ParameterStore into an update of its values.
//
// Every optimizer makes one pass over the store's flat arrays (kernels.md 13). Slices that opt out
// of weight decay split that pass into contiguous runs; without weight decay there is one run.
// Padding holds zeros in values, gradients and slots, and every rule keeps it zero.
//
// In the formulas of the optimizers
//   w  value          g  gradient_scale * stored gradient          lr  rate of this step
// and arithmetic is that of the store's dtype.

#include <string>
#include <vector>

#include "soma/nn/parameter_store.h"

namespace soma::optim {

// Elements [begin, end) of the flat arrays, and the weight decay that applies to them.
struct DecayRun {
    Index begin = 0, end = 0;
    double decay = 0;
};

// The trainable part of a frozen store as the fewest runs, in ascending order: `decay` where the
// entry decays, 0 elsewhere; one run when decay is 0.
std::vector<DecayRun> decay_runs(const nn::ParameterStore& store, double decay);

class Optimizer {
public:
    // State with one number per parameter, laid out like the store's trainable part; the tensor
    // shares the optimizer's buffer, so a checkpoint is restored by writing through it.
    struct Slot {
        std::string name;
        Tensor values;
    };
    // State that is one number.
    struct Scalar {
        std::string name;
        double value;
    };

    virtual ~Optimizer() = default;
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;

    // One update of all trainable values. gradient_scale carries the 1 / batch of a summed loss and
    // the factor of clip_scale. The gradients are left as they are.
    virtual void step(double lr, double gradient_scale = 1) = 0;
    // The rule and its options, for logs and the fingerprint: "sgd momentum=0.9 ...".
    virtual std::string describe() const = 0;

    const std::vector<Slot>& slots() const { return slots_; }
    const std::vector<Scalar>& scalars() const { return scalars_; }
    std::vector<Scalar>& scalars() { return scalars_; }

protected:
    // The store must be frozen and outlive the optimizer. Slots start at zero.
    Optimizer(nn::ParameterStore& store, double weight_decay, const std::vector<std::string>& slots,
              std::vector<Scalar> scalars = {});

    nn::ParameterStore& store_;
    std::vector<DecayRun> runs_;
    std::vector<Slot> slots_;
    std::vector<Scalar> scalars_;
};

}  // namespace soma::optim
