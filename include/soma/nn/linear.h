#pragma once
// Linear: dense layer y = f(x w + b).
//
// Parameters: <name>.weight [in, out], <name>.bias [out].

#include <optional>
#include <string>

#include "soma/autograd/ops/linear.h"
#include "soma/nn/parameter_store.h"

namespace soma::nn {

struct LinearOptions {
    bool bias = true;
    Activation activation = Activation::none;
    double slope = 0.01;              // of Activation::leaky_relu
    std::optional<Init> weight = {};  // default: Glorot uniform
    Init bias_init = Init::zeros();
};

class Linear {
public:
    Linear(ParameterStore& store, const std::string& name, Index in, Index out,
           const LinearOptions& options = {});

    // x [..., in] -> [..., out]
    Var operator()(Var x) const;

    ParameterId weight() const { return weight_; }
    ParameterId bias() const { return bias_; }  // -1 when there is none

private:
    ParameterStore* store_;
    ParameterId weight_ = -1, bias_ = -1;
    Activation activation_;
    double slope_;
};

}  // namespace soma::nn
