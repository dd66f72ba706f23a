#pragma once
// Ema: an exponential moving average of the trainable values, used instead of them at evaluation.
//
//     e_0 = w,    e <- decay e + (1 - decay) w    after every update
// computed as e <- e + (1 - decay) (w - e)

#include "soma/nn/parameter_store.h"

namespace soma::optim {

class Ema {
public:
    // The store must be frozen and outlive this. 0 <= decay < 1, else Error(usage).
    Ema(nn::ParameterStore& store, double decay);

    void update();
    // Exchanges the average with the store's values; a second call restores them.
    void swap();
    // The average, laid out like the store's trainable part; shares the buffer (for checkpoints).
    Tensor values() const { return average_; }

private:
    nn::ParameterStore& store_;
    double decay_;
    Tensor average_;
};

}  // namespace soma::optim
