#include "soma/nn/lstm.h"

#include <cmath>

namespace soma::nn {

Lstm::Lstm(ParameterStore& store, const std::string& name, Index in, Index units,
           const LstmLayerOptions& options)
    : store_(&store), units_(units) {
    SOMA_CHECK(in >= 1 && units >= 1, "Lstm '", name, "': in is ", in, ", units are ", units,
               "; need at least 1");
    const Init uniform = Init::uniform(1 / std::sqrt(static_cast<double>(units)));
    w_in_ = store.add(name + ".w_in", {in, 4 * units}, options.w_in.value_or(uniform));
    w_rec_ = store.add(name + ".w_rec", {units, 4 * units}, options.w_rec.value_or(uniform));
    bias_ = store.add(name + ".bias", {4 * units},
                      Init::constant_in(options.forget_bias, units, 2 * units), false);
    if (options.peepholes) {
        peephole_ = store.add(name + ".peephole", {3, units}, uniform, false);
    }
}

Var Lstm::operator()(Var x, const LstmStart& start, const LstmOptions& options) const {
    Tape& tape = x.tape();
    const Var peephole = peephole_ < 0 ? Var{} : store_->var(tape, peephole_);
    return lstm(start, x,
                {.w_in = store_->var(tape, w_in_),
                 .w_rec = store_->var(tape, w_rec_),
                 .bias = store_->var(tape, bias_),
                 .peephole = peephole},
                options);
}

}  // namespace soma::nn
