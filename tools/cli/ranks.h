#pragma once
// Whether this process is one of many, as the launcher says, before MPI is started.

namespace soma::cli {

// From Open MPI, PMIx, MPICH or Slurm; 0 and 1 for a process started alone. `--help` and argument
// errors use it, so that they never start MPI and are printed once.
int launched_rank();
int launched_size();

}  // namespace soma::cli
