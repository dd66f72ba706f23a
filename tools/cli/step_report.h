#pragma once
// What soma bench step says, on this machine and on simulated hosts (tools/simulate_step.cpp).

#include <string>

#include "bench/step.h"

namespace soma::cli {

// Lines and a table.
std::string step_report(const bench::StepModel& model, const bench::StepOptions& options,
                        const bench::StepTimes& times, int ranks, const std::string& work);

// One line a round, all times in seconds. Error(checkpoint) when it cannot be written.
void write_step_csv(const std::string& path, const bench::StepTimes& times);

}  // namespace soma::cli
