#include "soma/train/checkpoint_writer.h"

#include <utility>

#include "soma/core/timer.h"

namespace soma::train {

// The copy is made here already, so that no update pays for the first touch of its memory.
CheckpointWriter::CheckpointWriter(std::string folder, Index keep, const nn::ParameterStore& store,
                                   const optim::Optimizer& optimizer)
    : folder_(std::move(folder)),
      keep_(keep),
      store_(store),
      optimizer_(optimizer),
      copy_(state_of(store, optimizer)) {
    copy_.values = copy_.values.clone();
    for (optim::Optimizer::Slot& slot : copy_.slots) slot.values = slot.values.clone();
}

void CheckpointWriter::copy_state() {
    copy_.values.copy_from(store_.values());
    for (std::size_t i = 0; i < copy_.slots.size(); ++i) {
        copy_.slots[i].values.copy_from(optimizer_.slots()[i].values);
    }
    copy_.scalars = optimizer_.scalars();
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
