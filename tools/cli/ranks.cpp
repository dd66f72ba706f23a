#include "cli/ranks.h"

#include <charconv>
#include <initializer_list>
#include <iostream>
#include <memory>
#include <string>

#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/dist/topology.h"

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

// Says why all ranks end. Wrong usage is found by every rank alike: one of them speaks.
void say_before_abort(const dist::Comm& comm, int code, std::string_view why) {
    if (code == static_cast<int>(ErrorCode::usage) && comm.rank() != 0) return;
    // At once: lines of several ranks come together.
    std::cerr << concat("soma: [", comm.name_of(comm.rank()), "] ", why, "\n") << std::flush;
}

}  // namespace

int launched_rank() {
    return first_number({"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}, 0);
}

// SLURM_NTASKS is also set in a batch script, where one process runs: the step's count is meant.
int launched_size() {
    return first_number({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}, 1);
}

int launched_on_this_host() {
    return first_number({"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"}, launched_size());
}

int run_on_ranks(double comm_timeout, const std::function<int(dist::Comm&)>& body) {
    const std::unique_ptr<dist::Comm> comm = dist::make_world_comm(launched_size());
    comm->set_timeout(comm_timeout);
    if (comm->size() > 1) {
        comm->set_abort_handler(
            [&comm = *comm](int code, std::string_view why) { say_before_abort(comm, code, why); });
    }
    return dist::abort_on_exception(*comm, [&] { return body(*comm); });
}

dist::Mapping show_mapping(dist::Comm& comm, const MappingOptions& options) {
    dist::Mapping mapping =
        dist::check_mapping(comm, dist::this_placement(comm, options.threads, options.chosen));
    if (comm.rank() != 0 || options.quiet) return mapping;
    if (comm.size() > 1 || options.dry_run) std::cerr << mapping.table;
    for (const std::string& warning : mapping.warnings) {
        std::cerr << "soma: warning: " << warning << std::endl;
    }
    return mapping;
}

}  // namespace soma::cli
