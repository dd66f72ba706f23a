#pragma once
// Whether this process is one of many, as the launcher says, and how a verb runs on all of them.

#include <functional>

#include "soma/dist/comm.h"
#include "soma/dist/topology.h"

namespace soma::cli {

// From Open MPI, PMIx, MPICH or Slurm; 0 and 1 for a process started alone. `--help` and argument
// errors use it, so that they never start MPI and are printed once.
int launched_rank();
int launched_size();
int launched_on_this_host();  // ranks; as many as were launched where that is unknown

// body(comm) on the ranks that the launcher started. An error on any of them is printed and ends
// all with its exit code. comm_timeout: seconds a peer may stay silent.
int run_on_ranks(double comm_timeout, const std::function<int(dist::Comm&)>& body);

struct MappingOptions {
    int threads = 1;      // that this rank will use
    bool chosen = false;  // by the user
    bool quiet = false;
    bool dry_run = false;  // the table is printed for one rank too
};
// Where the ranks run, on standard error, before work begins. Collective; Error(usage) with the
// repair when several threads share one core.
dist::Mapping show_mapping(dist::Comm& comm, const MappingOptions& options);

}  // namespace soma::cli
