// Adam and AdamW: f64 host code turns the options into the scalars of one kernel pass. The bias
// corrections are running products, so that resuming needs two numbers and no pow().

#include "soma/optim/adam.h"

#include <cmath>

#include "flat.h"
#include "number.h"
#include "soma/kernels/optim.h"

namespace soma::optim {
namespace {

enum { kFirst, kSecond };  // slots m and v, scalars beta1^t and beta2^t

const AdamOptions& checked(const AdamOptions& o) {
    SOMA_CHECK(0 <= o.beta1 && o.beta1 < 1 && 0 <= o.beta2 && o.beta2 < 1 && o.eps > 0,
               "Adam: beta1 is ", o.beta1, ", beta2 is ", o.beta2, ", eps is ", o.eps,
               "; need 0 <= beta < 1 and eps > 0");
    return o;
}

}  // namespace

Adam::Adam(nn::ParameterStore& store, const AdamOptions& options, bool decoupled)
    : Optimizer(store, options.weight_decay, {"m", "v"}, {{"beta1_power", 1}, {"beta2_power", 1}}),
      options_(checked(options)),
      decoupled_(decoupled) {}

void Adam::step(double lr, double gradient_scale) {
    scalars_[kFirst].value *= options_.beta1;
    scalars_[kSecond].value *= options_.beta2;
    const double rate = lr / (1 - scalars_[kFirst].value);
    const double root = 1 / std::sqrt(1 - scalars_[kSecond].value);
    for_each_run(store_, runs_, [&](auto zero, const DecayRun& run) {
        using T = decltype(zero);
        kernels::update_adam<T>({.rate = static_cast<T>(rate),
                                 .scale = static_cast<T>(gradient_scale),
                                 .decay = static_cast<T>(decoupled_ ? 0 : run.decay),
                                 .beta1 = static_cast<T>(options_.beta1),
                                 .one_minus_beta1 = static_cast<T>(1 - options_.beta1),
                                 .beta2 = static_cast<T>(options_.beta2),
                                 .one_minus_beta2 = static_cast<T>(1 - options_.beta2),
                                 .root = static_cast<T>(root),
                                 .eps = static_cast<T>(options_.eps),
                                 .shrink = static_cast<T>(decoupled_ ? lr * run.decay : 0)},
                                run.end - run.begin, flat<T>(store_.gradients()) + run.begin,
                                flat<T>(store_.values()) + run.begin,
                                flat<T>(slots_[kFirst].values) + run.begin,
                                flat<T>(slots_[kSecond].values) + run.begin);
    });
}

std::string Adam::describe() const {
    return concat(decoupled_ ? "adamw" : "adam", " beta1=", number(options_.beta1),
                  " beta2=", number(options_.beta2), " eps=", number(options_.eps),
                  " weight_decay=", number(options_.weight_decay));
}

}  // namespace soma::optim
