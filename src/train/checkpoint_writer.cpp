#include "soma/train/checkpoint_writer.h"

#include <utility>

#include "soma/core/timer.h"

namespace soma::train {

CheckpointWriter::CheckpointWriter(std::string folder, Index keep, const nn::ParameterStore& store,
                                   const optim::Optimizer& optimizer)
    : folder_(std::move(folder)), keep_(keep), store_(store), optimizer_(optimizer) {}

void CheckpointWriter::copy_state() {
    const TrainingState state = state_of(store_, optimizer_);
    if (copy_.values.empty()) {
        copy_.values = state.values.clone();
        for (const auto& [name, values] : state.slots)
            copy_.slots.push_back({name, values.clone()});
    } else {
        copy_.values.copy_from(state.values);
        for (std::size_t i = 0; i < state.slots.size(); ++i) {
            copy_.slots[i].values.copy_from(state.slots[i].values);
        }
    }
    copy_.scalars = state.scalars;
}

CheckpointWriter::Written CheckpointWriter::write(const CheckpointInfo& info) const {
    const Timer timer;
    const std::string path = folder_ + "/" + checkpoint_name(info.step);
    save_checkpoint(path, info, store_, optimizer_, copy_);
    prune_checkpoints(folder_, keep_, path);
    return {.path = path, .step = info.step, .seconds = timer.seconds()};
}

void CheckpointWriter::save(const CheckpointInfo& info) {
    wait();
    copy_state();
    in_flight_ = std::async(std::launch::async, [this, info] { return write(info); });
}

std::optional<CheckpointWriter::Written> CheckpointWriter::wait() {
    if (!in_flight_.valid()) return std::nullopt;
    return in_flight_.get();
}

}  // namespace soma::train
