#pragma once
// Normalisation layers: the ops of ops/norm.h with gain and bias in the store.
//
// Parameters: <name>.weight [C] (ones), <name>.bias [C] (zeros); weight decay does not apply.
// LocalResponseNorm has none.
// BatchNorm also has the statistics <name>.running_mean (zeros) and <name>.running_variance (ones).

#include <string>

#include "soma/autograd/ops/lrn.h"
#include "soma/nn/context.h"
#include "soma/nn/parameter_store.h"

namespace soma::nn {

// Statistics of the batch while training, running statistics otherwise.
//
// A training call adds its batch's mean and unbiased variance to the statistics' slots in the
// gradient array, where they are folded over shards and ranks like gradients; the owner of the
// training loop calls ParameterStore::update_statistics once an update (distributed.md 8.3).
class BatchNorm {
public:
    BatchNorm(ParameterStore& store, const std::string& name, Index channels, double eps = 1e-5);

    // x [..., C], at least two rows while training.
    Var operator()(Var x, const Context& context) const;

private:
    ParameterStore* store_;
    ParameterId weight_, bias_, mean_, variance_;
    double eps_;
};

// Over the last axis of every row.
class LayerNorm {
public:
    LayerNorm(ParameterStore& store, const std::string& name, Index channels, double eps = 1e-5);
    Var operator()(Var x) const;

private:
    ParameterStore* store_;
    ParameterId weight_, bias_;
    double eps_;
};

// As LayerNorm without centring and without bias.
class RmsNorm {
public:
    RmsNorm(ParameterStore& store, const std::string& name, Index channels, double eps = 1e-5);
    Var operator()(Var x) const;

private:
    ParameterStore* store_;
    ParameterId weight_;
    double eps_;
};

// Over each sample's pixels in each of `groups` equal runs of channels.
class GroupNorm {
public:
    GroupNorm(ParameterStore& store, const std::string& name, Index channels, Index groups,
              double eps = 1e-5);
    Var operator()(Var x) const;  // x [N, ..., C]

private:
    ParameterStore* store_;
    ParameterId weight_, bias_;
    Index groups_;
    double eps_;
};

// Across neighbouring channels, without parameters (AlexNet). Its alpha is the paper's: torch's
// LocalResponseNorm(n, alpha, beta, k) is {.size = n, .alpha = alpha / n, .beta = beta, .k = k}.
class LocalResponseNorm {
public:
    explicit LocalResponseNorm(const LocalResponseNormOptions& options = {}) : options_(options) {}
    Var operator()(Var x) const { return local_response_norm(x, options_); }  // x [..., C]

private:
    LocalResponseNormOptions options_;
};

}  // namespace soma::nn
