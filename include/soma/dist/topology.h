#pragma once
// Topology: where the ranks and their threads run, and whether they tread on each other.
//
// Launchers bind ranks to cores. Open MPI's default leaves a rank one core, on which its threads
// then take turns: a silent factor of T. The table says what each rank got, and names the flags
// that repair it:
//
//   rank  host   cpus   threads  binding
//   0     node1  0-15   16       ok
//   1     node2  0      16       E-BIND: 16 threads on 1 core
//     fix: mpirun --map-by ppr:1:numa:PE=16 --bind-to core ...   or   mpirun --bind-to none ...

#include <span>
#include <string>
#include <vector>

#include "soma/dist/comm.h"

namespace soma::dist {

// Where one rank runs.
struct Placement {
    std::string host;
    std::vector<int> cpus;        // it may run on, ascending
    int threads = 1;              // it will use
    bool threads_chosen = false;  // by the user, not by default
    int host_cores = 1;           // logical processors of the host
};

// This rank's: affinity and cores from core/cpu.h.
Placement this_placement(const Comm& comm, int threads, bool threads_chosen);

// Placements of all ranks. Collective.
std::vector<Placement> gather_placements(Comm& comm, const Placement& mine);

struct Mapping {
    std::string table;                  // as above, lines end with '\n'
    std::vector<std::string> warnings;  // slower than need be; each with the flags to paste
    std::string error;                  // E-BIND: what is wrong and the flags; "" when fine
    std::vector<bool> spare_core;       // by rank: a thread that only sends has a core of its own
};

// Judges placements, indexed by rank. E-BIND: bound to one core of several, with
// several threads. Warnings: a host's
// threads exceed its cores; one thread by default on a rank that owns several cores.
Mapping describe_mapping(std::span<const Placement> placements);

// The mapping of this run; Error(usage) with table and fix on E-BIND, on every rank alike.
// Collective.
Mapping check_mapping(Comm& comm, const Placement& mine);

}  // namespace soma::dist
