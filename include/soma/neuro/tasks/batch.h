#pragma once
// TaskBatch: trials side by side, sequence-major, as recurrent nets take them.
//
//     u [T, B, I]   y, mask [T, B, O]   T = longest trial of the batch
//
// Shorter trials are padded with zeros: mask 0. Buffers are allocated once for the task's longest
// trial; fill() writes into them, in parallel over trials, and allocates nothing.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "soma/neuro/tasks/task.h"
#include "soma/tensor/tensor.h"

namespace soma::neuro {

class TaskBatch {
public:
    // Borrows the task. Error(usage) when size < 1.
    TaskBatch(const Task& task, Index size);

    const Task& task() const { return task_; }
    Index size() const { return static_cast<Index>(trials_.size()); }

    // Trials first ... first + size - 1.
    void fill(const TrialSource& source, std::uint32_t first);
    // Trials of these indices, `size` of them, in any order; else Error(usage). longest_first:
    // those still running in a step stand in front, as ctrnn() wants them.
    enum class Sequence { as_given, longest_first };
    void fill(const TrialSource& source, std::span<const std::uint32_t> indices,
              Sequence sequence = Sequence::as_given);

    // Of the last fill. The tensors share the batch's buffers: the next fill changes them.
    Index steps() const { return steps_; }
    Tensor u() const { return u_.slice(0, steps_); }
    Tensor y() const { return y_.slice(0, steps_); }
    Tensor mask() const { return mask_.slice(0, steps_); }
    std::span<const Trial> trials() const { return trials_; }
    std::span<const Index> lengths() const { return lengths_; }

    // Task::score of every trial for a net's output z [T, B, O] of f32; Error(usage) when it has
    // another shape.
    std::vector<std::optional<double>> scores(const Tensor& z) const;

private:
    void write(const TrialSource& source);

    const Task& task_;
    Tensor u_, y_, mask_;  // [max_steps, B, channels]; the first `steps_` rows are in use
    std::vector<Trial> trials_;
    std::vector<Index> lengths_;
    Index steps_ = 0;
};

// Mean over the trials that count, and how many those are.
struct MeanScore {
    double score = 0;
    Index trials = 0;
};
MeanScore mean_score(std::span<const std::optional<double>> scores);

}  // namespace soma::neuro
