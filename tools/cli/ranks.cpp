#include "cli/ranks.h"

#include <charconv>
#include <initializer_list>
#include <string>

#include "soma/core/cpu.h"

namespace soma::cli {
namespace {

// The first of these variables that holds a number.
int first_number(std::initializer_list<const char*> variables, int otherwise) {
    for (const char* variable : variables) {
        const std::string text = environment(variable);
        int value = 0;
        const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
        if (!text.empty() && end.ec == std::errc{}) return value;
    }
    return otherwise;
}

}  // namespace

int launched_rank() {
    return first_number({"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}, 0);
}

// SLURM_NTASKS is also set in a batch script, where one process runs: the step's count is meant.
int launched_size() {
    return first_number({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}, 1);
}

}  // namespace soma::cli
