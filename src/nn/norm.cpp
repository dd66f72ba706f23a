// Normalisation layers. BatchNorm adds its batch statistics into the statistics' gradient slots:
// they are then folded and exchanged with the gradients, in the same fixed order.

#include "soma/nn/norm.h"

#include "soma/autograd/ops/norm.h"
#include "soma/kernels/elementwise.h"

namespace soma::nn {
namespace {

ParameterId add_gain(ParameterStore& store, const char* layer, const std::string& name,
                     Index channels) {
    SOMA_CHECK(channels >= 1, layer, " '", name, "': channels is ", channels, "; need at least 1");
    return store.add(name + ".weight", {channels}, Init::constant(1), false);
}

ParameterId add_bias(ParameterStore& store, const std::string& name, Index channels) {
    return store.add(name + ".bias", {channels}, Init::zeros(), false);
}

// slot += factor * value.
void add_to(Tensor slot, double factor, const Tensor& value) {
    with_dtype(slot.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::axpy(slot.count(), static_cast<T>(factor), value.data<T>().data(),
                      slot.data<T>().data());
    });
}

}  // namespace

BatchNorm::BatchNorm(ParameterStore& store, const std::string& name, Index channels, double eps)
    : store_(&store),
      weight_(add_gain(store, "BatchNorm", name, channels)),
      bias_(add_bias(store, name, channels)),
      mean_(store.add_statistic(name + ".running_mean", {channels}, Init::zeros())),
      variance_(store.add_statistic(name + ".running_variance", {channels}, Init::constant(1))),
      eps_(eps) {}

Var BatchNorm::operator()(Var x, const Context& context) const {
    Tape& tape = x.tape();
    const Var weight = store_->var(tape, weight_), bias = store_->var(tape, bias_);
    if (!context.training) {
        return batch_norm_eval(x, weight, bias, store_->value(mean_), store_->value(variance_),
                               eps_);
    }
    SOMA_CHECK(x.shape().rows() >= 2, "BatchNorm '", store_->entry(weight_).name, "': x is ",
               x.shape(), "; training needs at least two rows");
    BatchStatistics batch;
    const Var y = batch_norm(x, weight, bias, eps_, &batch);
    const double n = static_cast<double>(batch.count);
    add_to(store_->gradient(mean_), 1, batch.mean);
    add_to(store_->gradient(variance_), n / (n - 1), batch.variance);
    return y;
}

LayerNorm::LayerNorm(ParameterStore& store, const std::string& name, Index channels, double eps)
    : store_(&store),
      weight_(add_gain(store, "LayerNorm", name, channels)),
      bias_(add_bias(store, name, channels)),
      eps_(eps) {}

Var LayerNorm::operator()(Var x) const {
    Tape& tape = x.tape();
    return layer_norm(x, store_->var(tape, weight_), store_->var(tape, bias_), eps_);
}

RmsNorm::RmsNorm(ParameterStore& store, const std::string& name, Index channels, double eps)
    : store_(&store), weight_(add_gain(store, "RmsNorm", name, channels)), eps_(eps) {}

Var RmsNorm::operator()(Var x) const { return rms_norm(x, store_->var(x.tape(), weight_), eps_); }

GroupNorm::GroupNorm(ParameterStore& store, const std::string& name, Index channels, Index groups,
                     double eps)
    : store_(&store),
      weight_(add_gain(store, "GroupNorm", name, channels)),
      bias_(add_bias(store, name, channels)),
      groups_(groups),
      eps_(eps) {
    SOMA_CHECK(groups >= 1 && channels % groups == 0, "GroupNorm '", name, "': channels is ",
               channels, ", groups is ", groups, "; need groups that divide the channels");
}

Var GroupNorm::operator()(Var x) const {
    Tape& tape = x.tape();
    return group_norm(x, store_->var(tape, weight_), store_->var(tape, bias_), groups_, eps_);
}

}  // namespace soma::nn
