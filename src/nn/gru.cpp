#include "soma/nn/gru.h"

#include <cmath>

namespace soma::nn {
namespace {

void check_sizes(const char* layer, const std::string& name, Index in, Index units) {
    SOMA_CHECK(in >= 1 && units >= 1, layer, " '", name, "': in is ", in, ", units are ", units,
               "; need at least 1");
}

Init as_pytorch(Index units) { return Init::uniform(1 / std::sqrt(static_cast<double>(units))); }

}  // namespace

Gru::Gru(ParameterStore& store, const std::string& name, Index in, Index units,
         const GruLayerOptions& options)
    : store_(&store), units_(units), form_(options.form) {
    check_sizes("Gru", name, in, units);
    const Init uniform = as_pytorch(units);
    w_in_ = store.add(name + ".w_in", {in, 3 * units}, options.w_in.value_or(uniform));
    w_rec_ = store.add(name + ".w_rec", {units, 3 * units}, options.w_rec.value_or(uniform));
    bias_ = store.add(name + ".bias", {3 * units}, Init::zeros(), false);
    if (form_ == GruForm::reset_after) {
        bias_rec_ = store.add(name + ".bias_rec", {units}, Init::zeros(), false);
    }
}

Var Gru::operator()(Var x, Var start, const GatedOptions& options) const {
    Tape& tape = x.tape();
    const Var bias_rec = bias_rec_ < 0 ? Var{} : store_->var(tape, bias_rec_);
    return gru(start, x,
               {.w_in = store_->var(tape, w_in_),
                .w_rec = store_->var(tape, w_rec_),
                .bias = store_->var(tape, bias_),
                .bias_rec = bias_rec},
               form_, options);
}

Ugrnn::Ugrnn(ParameterStore& store, const std::string& name, Index in, Index units,
             const UgrnnLayerOptions& options)
    : store_(&store), units_(units) {
    check_sizes("Ugrnn", name, in, units);
    const Init uniform = as_pytorch(units);
    w_in_ = store.add(name + ".w_in", {in, 2 * units}, options.w_in.value_or(uniform));
    w_rec_ = store.add(name + ".w_rec", {units, 2 * units}, options.w_rec.value_or(uniform));
    bias_ = store.add(name + ".bias", {2 * units},
                      Init::constant_in(options.gate_bias, units, 2 * units), false);
}

Var Ugrnn::operator()(Var x, Var start, const GatedOptions& options) const {
    Tape& tape = x.tape();
    return ugrnn(start, x,
                 {.w_in = store_->var(tape, w_in_),
                  .w_rec = store_->var(tape, w_rec_),
                  .bias = store_->var(tape, bias_)},
                 options);
}

}  // namespace soma::nn
