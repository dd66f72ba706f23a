#pragma once
// What one trial of a task looks like: a CSV file and figures of its inputs and targets.

#include <cstdint>
#include <string>

#include "soma/neuro/tasks/task.h"

namespace soma::train {
class RunFolder;
}

namespace soma::systems {

// One line a step under the header "step,ms,epoch,u_0,...,y_0,...,mask_0,...". Numbers are in their
// shortest form that reads back to the same float; ms is when the step begins.
std::string trial_csv(const neuro::Task& task, const neuro::TrialSource& source,
                      std::uint32_t index);

// Adds <task>-trial-<index>.csv to the folder, and the figures <task>-trial-<index>-inputs and
// -targets: curves for up to eight channels, else colours. The captions say what was drawn.
void add_trial(train::RunFolder& folder, const neuro::Task& task, const neuro::TrialSource& source,
               std::uint32_t index);

}  // namespace soma::systems
