#pragma once
// Flat: typed pointers into what an optimizer's pass reads and writes.

#include "soma/optim/optimizer.h"

namespace soma::optim {

template <class T>
T* flat(Tensor values) {
    return values.data<T>().data();
}

// f(zero, run) with the store's C++ type, once for each run.
template <class F>
void for_each_run(const nn::ParameterStore& store, const std::vector<DecayRun>& runs, F&& f) {
    with_dtype(store.dtype(), [&](auto zero) {
        for (const DecayRun& run : runs) f(zero, run);
    });
}

}  // namespace soma::optim
