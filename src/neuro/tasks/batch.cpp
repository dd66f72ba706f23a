#include "soma/neuro/tasks/batch.h"

#include <algorithm>

#include "soma/core/error.h"
#include "soma/core/parallel.h"

namespace soma::neuro {
namespace {

constexpr Index kGrainFloats = 1 << 14;  // written floats worth a thread: about 20 us

}  // namespace

TaskBatch::TaskBatch(const Task& task, Index size) : task_(task) {
    SOMA_CHECK(size >= 1, task.name(), ": a batch of ", size, " trials; need at least 1");
    u_ = Tensor({task.max_steps(), size, task.inputs()}, DType::f32);
    y_ = Tensor({task.max_steps(), size, task.outputs()}, DType::f32);
    mask_ = Tensor({task.max_steps(), size, task.outputs()}, DType::f32);
    trials_.resize(static_cast<std::size_t>(size));
    lengths_.resize(static_cast<std::size_t>(size));
}

void TaskBatch::fill(const TrialSource& source, std::uint32_t first) {
    for (std::size_t b = 0; b < trials_.size(); ++b) {
        trials_[b] = task_.plan(source, first + static_cast<std::uint32_t>(b));
    }
    write(source);
}

void TaskBatch::fill(const TrialSource& source, std::span<const std::uint32_t> indices,
                     Sequence sequence) {
    SOMA_CHECK(indices.size() == trials_.size(), task_.name(), ": ", indices.size(),
               " indices for a batch of ", trials_.size(), " trials; need as many");
    for (std::size_t b = 0; b < trials_.size(); ++b) trials_[b] = task_.plan(source, indices[b]);
    if (sequence == Sequence::longest_first) {
        std::stable_sort(trials_.begin(), trials_.end(),
                         [](const Trial& a, const Trial& b) { return a.length > b.length; });
    }
    write(source);
}

void TaskBatch::write(const TrialSource& source) {
    steps_ = 0;
    for (std::size_t b = 0; b < trials_.size(); ++b) {
        lengths_[b] = trials_[b].length;
        steps_ = std::max(steps_, lengths_[b]);
    }
    const Index in = task_.inputs(), out = task_.outputs();
    float* const u = u_.data<float>().data();
    float* const y = y_.data<float>().data();
    float* const mask = mask_.data<float>().data();
    const Index grain = ceil_div(kGrainFloats, steps_ * (in + 2 * out));
    parallel_for(size(), grain, [&](Index begin, Index end) {
        for (Index b = begin; b < end; ++b) {
            task_.write(source, trials_[static_cast<std::size_t>(b)],
                        {.steps = steps_,
                         .u = u + b * in,
                         .u_stride = size() * in,
                         .y = y + b * out,
                         .mask = mask + b * out,
                         .y_stride = size() * out});
        }
    });
}

std::vector<std::optional<double>> TaskBatch::scores(const Tensor& z) const {
    const Shape need{steps_, size(), task_.outputs()};
    SOMA_CHECK(z.shape() == need && z.dtype() == DType::f32, task_.name(), ": z is ", z.shape(),
               " of ", name_of(z.dtype()), "; need ", need, " of f32");
    std::vector<std::optional<double>> result(trials_.size());
    for (std::size_t b = 0; b < trials_.size(); ++b) {
        const Index offset = static_cast<Index>(b) * task_.outputs();
        result[b] = task_.score(trials_[b], {.z = z.data<float>().data() + offset,
                                             .y = y_.data<float>().data() + offset,
                                             .mask = mask_.data<float>().data() + offset,
                                             .stride = size() * task_.outputs()});
    }
    return result;
}

MeanScore mean_score(std::span<const std::optional<double>> scores) {
    MeanScore mean;
    for (const auto& score : scores) {
        if (!score) continue;
        mean.score += *score;
        ++mean.trials;
    }
    if (mean.trials > 0) mean.score /= static_cast<double>(mean.trials);
    return mean;
}

}  // namespace soma::neuro
