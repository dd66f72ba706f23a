#pragma once
// Dropout: each element is zeroed with probability p while training and scaled by 1 / (1 - p).
//
// The mask of a sample is keyed by (seed, layer name, update, sample id): it does not depend on the
// sample's place in the batch, on shards, ranks or threads. Without a layer name two layers would
// share their masks.

#include <string>

#include "soma/autograd/tape.h"
#include "soma/core/hash.h"
#include "soma/nn/context.h"

namespace soma::nn {

class Dropout {
public:
    // 0 <= p < 1, else Error(usage).
    Dropout(const std::string& name, double p);

    // x [N, ...]; context.ids names the N samples.
    Var operator()(Var x, const Context& context) const;

private:
    std::uint64_t layer_;  // hash of the name
    double p_;
};

}  // namespace soma::nn
