#include "soma/optim/ema.h"

#include "flat.h"
#include "soma/kernels/optim.h"

namespace soma::optim {

Ema::Ema(nn::ParameterStore& store, double decay) : store_(store), decay_(decay) {
    SOMA_CHECK(store.frozen(), "Ema: the store is not frozen");
    SOMA_CHECK(0 <= decay && decay < 1, "Ema: decay is ", decay, "; need 0 <= decay < 1");
    average_ = store.values().slice(0, store.trainable_count()).clone();
}

void Ema::update() {
    with_dtype(store_.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::update_ema(average_.count(), static_cast<T>(1 - decay_),
                            static_cast<const T*>(flat<T>(store_.values())), flat<T>(average_));
    });
}

void Ema::swap() {
    Tensor values = store_.values().slice(0, store_.trainable_count());
    const Tensor current = values.clone();
    values.copy_from(average_);
    average_.copy_from(current);
}

}  // namespace soma::optim
