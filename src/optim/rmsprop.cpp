// RMSprop and Adadelta share options, checks and step scalars; only slots and kernel differ.

#include "soma/optim/rmsprop.h"

#include "flat.h"
#include "number.h"
#include "soma/kernels/optim.h"

namespace soma::optim {
namespace {

template <class Options>
const Options& checked(const char* rule, const Options& o) {
    SOMA_CHECK(0 <= o.rho && o.rho < 1 && o.eps > 0, rule, ": rho is ", o.rho, ", eps is ", o.eps,
               "; need 0 <= rho < 1 and eps > 0");
    return o;
}

template <class Options>
std::string text(const char* rule, const Options& o) {
    return concat(rule, " rho=", number(o.rho), " eps=", number(o.eps),
                  " weight_decay=", number(o.weight_decay));
}

// The scalars of a step: RmspropStep and AdadeltaStep have the same ones.
template <class Step, class Options>
Step step_of(double lr, double gradient_scale, double decay, const Options& o) {
    using T = decltype(Step::rate);
    return {.rate = static_cast<T>(lr),
            .scale = static_cast<T>(gradient_scale),
            .decay = static_cast<T>(decay),
            .rho = static_cast<T>(o.rho),
            .one_minus_rho = static_cast<T>(1 - o.rho),
            .eps = static_cast<T>(o.eps)};
}

}  // namespace

Rmsprop::Rmsprop(nn::ParameterStore& store, const RmspropOptions& options)
    : Optimizer(store, options.weight_decay, {"square"}), options_(checked("Rmsprop", options)) {}

void Rmsprop::step(double lr, double gradient_scale) {
    for_each_run(store_, runs_, [&](auto zero, const DecayRun& run) {
        using T = decltype(zero);
        kernels::update_rmsprop<T>(
            step_of<kernels::RmspropStep<T>>(lr, gradient_scale, run.decay, options_),
            run.end - run.begin, flat<T>(store_.gradients()) + run.begin,
            flat<T>(store_.values()) + run.begin, flat<T>(slots_[0].values) + run.begin);
    });
}

std::string Rmsprop::describe() const { return text("rmsprop", options_); }

Adadelta::Adadelta(nn::ParameterStore& store, const AdadeltaOptions& options)
    : Optimizer(store, options.weight_decay, {"square", "delta"}),
      options_(checked("Adadelta", options)) {}

void Adadelta::step(double lr, double gradient_scale) {
    for_each_run(store_, runs_, [&](auto zero, const DecayRun& run) {
        using T = decltype(zero);
        kernels::update_adadelta<T>(
            step_of<kernels::AdadeltaStep<T>>(lr, gradient_scale, run.decay, options_),
            run.end - run.begin, flat<T>(store_.gradients()) + run.begin,
            flat<T>(store_.values()) + run.begin, flat<T>(slots_[0].values) + run.begin,
            flat<T>(slots_[1].values) + run.begin);
    });
}

std::string Adadelta::describe() const { return text("adadelta", options_); }

}  // namespace soma::optim
