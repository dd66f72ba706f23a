#pragma once
// Checkpoint: everything a run needs to continue bit-identically, as one safetensors file that
// every framework can read.
//
//   tensors    <parameter or buffer name>            logical shapes, never ranks or flat layout
//              opt.<slot>.<parameter name>           optimizer state
//   metadata   schema, system, recipe, step, seed, batch, shards, config, optimizer scalars,
//              weights (hash), crc32c of each tensor
//
// The file is written to a temporary name, synced and renamed: a crash or a full disk leaves the
// previous checkpoint untouched. Any rank count that divides the shards can resume it.

#include <map>
#include <string>

#include "soma/nn/parameter_store.h"
#include "soma/optim/optimizer.h"

namespace soma::train {

// Sums over the updates of the epoch that was under way.
struct EpochSums {
    double weight = 0, loss = 0, wrong = 0;
    double mean_loss() const { return loss / weight; }
    double error_percent() const { return 100 * wrong / weight; }
};

struct CheckpointInfo {
    std::string system, recipe;
    Index step = 0;
    std::uint64_t seed = 0;
    Index batch = 0, shards = 0;
    std::string data;    // name and hash of the training set
    std::string config;  // the resolved options, JSON, for the reader
    EpochSums epoch = {};
};

// Errors: ErrorCode::checkpoint naming the path when it cannot be written.
void save_checkpoint(const std::string& path, const CheckpointInfo& info,
                     const nn::ParameterStore& store, const optim::Optimizer& optimizer);

// The numbers that training changes: those of a store and its optimizer themselves, or a copy.
struct TrainingState {
    Tensor values;  // ParameterStore::values()
    std::vector<optim::Optimizer::Slot> slots = {};
    std::vector<optim::Optimizer::Scalar> scalars = {};
};
// Shares the buffers of both.
TrainingState state_of(const nn::ParameterStore& store, const optim::Optimizer& optimizer);

// The checkpoint of a copy taken earlier; store and optimizer say what it is a copy of.
void save_checkpoint(const std::string& path, const CheckpointInfo& info,
                     const nn::ParameterStore& store, const optim::Optimizer& optimizer,
                     const TrainingState& state);

// Without an optimizer: for evaluation and analysis. load_checkpoint refuses it.
void save_parameters(const std::string& path, const CheckpointInfo& info,
                     const nn::ParameterStore& store);

// Reads a checkpoint into a frozen store and its optimizer; nothing is changed unless every tensor
// of the model is in the file and fits. Errors: ErrorCode::data naming the file and the tensor or
// field.
CheckpointInfo load_checkpoint(const std::string& path, nn::ParameterStore& store,
                               optim::Optimizer& optimizer);
// Parameters and buffers only, for evaluation.
CheckpointInfo load_parameters(const std::string& path, nn::ParameterStore& store);
// The metadata alone, of a file whose checksums are all right.
CheckpointInfo read_checkpoint_info(const std::string& path);

// Writes the parameters and buffers of a checkpoint as a plain safetensors file with the checksums
// and {format: pt, system, recipe, step, weights}; the optimizer stays behind. Returns what the
// checkpoint is of. Errors: data as above; checkpoint naming `out` when it cannot be written.
CheckpointInfo export_parameters(const std::string& path, const std::string& out);

// step-00000120.safetensors, so that names sort by step.
std::string checkpoint_name(Index step);
// The newest checkpoint of a folder that passes its checksums; files that fail are reported through
// `warning` and passed over. "" when there is none.
std::string newest_valid_checkpoint(const std::string& folder, std::string* warning = nullptr);
// Deletes all but the `keep` checkpoints of a folder with the highest steps, and never `newest`,
// the one just written: a folder may hold later steps of a run that was resumed from an earlier
// one. Also deletes what killed runs left half written; the folder has one writer.
void prune_checkpoints(const std::string& folder, Index keep, const std::string& newest);

}  // namespace soma::train
