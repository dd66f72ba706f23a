#include "soma/nn/linear.h"

namespace soma::nn {

Linear::Linear(ParameterStore& store, const std::string& name, Index in, Index out,
               const LinearOptions& options)
    : store_(&store), activation_(options.activation), slope_(options.slope) {
    SOMA_CHECK(in >= 1 && out >= 1, "Linear '", name, "': in is ", in, ", out is ", out,
               "; need at least 1");
    weight_ = store.add(name + ".weight", {in, out},
                        options.weight.value_or(Init::glorot_uniform(in, out)));
    if (options.bias) bias_ = store.add(name + ".bias", {out}, options.bias_init, false);
}

Var Linear::operator()(Var x) const {
    Tape& tape = x.tape();
    const Var w = store_->var(tape, weight_);
    const Var b = bias_ < 0 ? Var{} : store_->var(tape, bias_);
    return linear(x, w, b, activation_, slope_);
}

}  // namespace soma::nn
