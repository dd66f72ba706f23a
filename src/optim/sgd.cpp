// SGD: plain descent has its own kernel, without a slot to read and write; the three forms of
// momentum share one.

#include "soma/optim/sgd.h"

#include "flat.h"
#include "number.h"
#include "soma/kernels/optim.h"

namespace soma::optim {
namespace {

using kernels::MomentumForm;

const char* name_of(MomentumForm form) {
    switch (form) {
        case MomentumForm::nesterov:
            return "nesterov";
        case MomentumForm::alexnet:
            return "alexnet";
        default:
            return "classic";
    }
}

std::vector<std::string> slots_of(const SgdOptions& options) {
    SOMA_CHECK(options.momentum >= 0 && options.momentum < 1, "Sgd: momentum is ", options.momentum,
               "; need 0 <= momentum < 1");
    if (options.momentum == 0) return {};
    return {"velocity"};
}

}  // namespace

Sgd::Sgd(nn::ParameterStore& store, const SgdOptions& options)
    : Optimizer(store, options.weight_decay, slots_of(options)), options_(options) {}

void Sgd::step(double lr, double gradient_scale) {
    for_each_run(store_, runs_, [&](auto zero, const DecayRun& run) {
        using T = decltype(zero);
        const Index n = run.end - run.begin;
        const T* g = flat<T>(store_.gradients()) + run.begin;
        T* w = flat<T>(store_.values()) + run.begin;
        const T rate = static_cast<T>(lr), scale = static_cast<T>(gradient_scale);
        const T decay = static_cast<T>(run.decay);
        if (slots_.empty()) {
            kernels::update_sgd<T>({.rate = rate, .scale = scale, .decay = decay}, n, g, w);
        } else {
            kernels::update_momentum<T>({.rate = rate,
                                         .scale = scale,
                                         .decay = decay,
                                         .mu = static_cast<T>(options_.momentum),
                                         .form = options_.form},
                                        n, g, w, flat<T>(slots_[0].values) + run.begin);
        }
    });
}

std::string Sgd::describe() const {
    return concat("sgd momentum=", number(options_.momentum), " form=", name_of(options_.form),
                  " weight_decay=", number(options_.weight_decay));
}

}  // namespace soma::optim
