// Runs of equal weight decay and the state every optimizer has. A run ends where the next slice's
// decay differs, so padding belongs to the slice before it; there all arrays are zero.

#include "soma/optim/optimizer.h"

#include <algorithm>

namespace soma::optim {

std::vector<DecayRun> decay_runs(const nn::ParameterStore& store, double decay) {
    SOMA_CHECK(store.frozen(), "decay_runs: the store is not frozen");
    SOMA_CHECK(decay >= 0, "decay_runs: weight decay is ", decay, "; need at least 0");
    std::vector<const nn::ParameterStore::Entry*> slices;
    for (const auto& e : store.entries()) {
        if (e.trainable && e.tied_to < 0) slices.push_back(&e);
    }
    std::sort(slices.begin(), slices.end(),
              [](const auto* a, const auto* b) { return a->offset < b->offset; });
    std::vector<DecayRun> runs;
    for (const auto* e : slices) {
        const double own = e->decays ? decay : 0;
        if (!runs.empty() && runs.back().decay == own) continue;
        if (!runs.empty()) runs.back().end = e->offset;
        runs.push_back({e->offset, e->offset, own});
    }
    if (!runs.empty()) runs.back().end = store.trainable_count();
    return runs;
}

Optimizer::Optimizer(nn::ParameterStore& store, double weight_decay,
                     const std::vector<std::string>& slots, std::vector<Scalar> scalars)
    : store_(store), runs_(decay_runs(store, weight_decay)), scalars_(std::move(scalars)) {
    for (const std::string& name : slots) {
        slots_.push_back({name, Tensor::zeros({store.trainable_count()}, store.dtype())});
    }
}

}  // namespace soma::optim
