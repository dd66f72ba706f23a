#include "soma/optim/optimizer.h"

#include <algorithm>

namespace soma::optim {

Optimizer::Optimizer(nn::ParameterStore& store, const std::vector<std::string>& slots,
                     std::vector<Scalar> scalars)
    : store_(store), scalars_(std::move(scalars)) {
    SOMA_CHECK(store.frozen(), "Optimizer: the store is not frozen");
    for (const std::string& name : slots) {
        slots_.push_back({name, Tensor::zeros({store.trainable_count()}, store.dtype())});
    }
}

std::vector<DecayRun> decay_runs(const nn::ParameterStore& store) {
    SOMA_CHECK(store.frozen(), "decay_runs: the store is not frozen");
    std::vector<const nn::ParameterStore::Entry*> slices;
    for (const auto& e : store.entries()) {
        if (e.trainable && e.tied_to < 0) slices.push_back(&e);
    }
    std::sort(slices.begin(), slices.end(),
              [](const auto* a, const auto* b) { return a->offset < b->offset; });
    std::vector<DecayRun> runs;
    for (const auto* e : slices) {
        if (!runs.empty()) runs.back().end = e->offset;
        if (runs.empty() || runs.back().decays != e->decays) {
            runs.push_back({e->offset, e->offset, e->decays});
        }
    }
    if (!runs.empty()) runs.back().end = store.trainable_count();
    return runs;
}

}  // namespace soma::optim
