#pragma once
// CheckpointWriter: writes checkpoints beside the training.
//
//   training     update | copy | update | update | ...
//   background          \- checksums, write, fsync, rename, fsync of the folder, pruning
//
// The training waits for a copy of parameters and optimizer state, one pass over memory, and for
// the write before it where that has not ended: at most one is in flight. The copy lives as long as
// the writer, so a run needs twice the memory of its state. Training and background share nothing
// but the copy, which only one of them touches at a time.

#include <future>
#include <optional>
#include <string>

#include "soma/train/checkpoint.h"

namespace soma::train {

class CheckpointWriter {
public:
    // A checkpoint that is on disk.
    struct Written {
        std::string path;
        Index step = 0;
        double seconds = 0;  // that the background took
    };

    // Writes <folder>/<checkpoint_name(step)> and keeps the newest `keep` (prune_checkpoints).
    // Store and optimizer are borrowed; the store is frozen.
    CheckpointWriter(std::string folder, Index keep, const nn::ParameterStore& store,
                     const optim::Optimizer& optimizer);
    // Waits for the write in flight; its error is lost unless wait() was called.
    ~CheckpointWriter() = default;
    CheckpointWriter(const CheckpointWriter&) = delete;
    CheckpointWriter& operator=(const CheckpointWriter&) = delete;

    // Copies the state and begins to write it. Errors: those of wait(), before anything is copied.
    void save(const CheckpointInfo& info);
    // Until nothing is in flight. The checkpoint that was, told once; nullopt when there was none.
    // Error(checkpoint) naming the path when it could not be written: the file that had this name
    // and the checkpoints before it are untouched.
    std::optional<Written> wait();

private:
    void copy_state();
    Written write(const CheckpointInfo& info) const;

    std::string folder_;
    Index keep_;
    const nn::ParameterStore& store_;
    const optim::Optimizer& optimizer_;
    TrainingState copy_;
    std::future<Written> in_flight_;  // last: its destructor waits, the copy must still be there
};

}  // namespace soma::train
