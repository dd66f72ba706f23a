#pragma once
// The judgements of `soma info --mpi`: from what the ranks said and measured to lines of value,
// verdict and the command that repairs it. Nothing here asks the system: tests bring fixed facts.

#include <span>
#include <string>
#include <vector>

#include "bench/comm.h"
#include "cli/cluster.h"
#include "cli/host_facts.h"
#include "soma/dist/clock_offset.h"
#include "soma/dist/topology.h"

namespace soma::cli {

struct Check {
    std::string name, value;
    std::string problem = "";  // "": ok, and no fix
    std::string fix = "";      // a command, or what to do
    bool ok() const { return problem.empty(); }
};

// Facts are by rank.
Check check_hosts(std::span<const HostFacts> facts);
// A line for each complaint of the mapping, or one that all is well.
std::vector<Check> check_binding(const dist::Mapping& mapping);
// Several networks between several hosts of which none was chosen: Open MPI tries them all, also
// those that do not lead to the other host. The fix names a network that all hosts share.
Check check_interfaces(std::span<const HostFacts> facts);
// The same before MPI starts, from what one of several hosts knows; "" when all is well.
std::string early_warning(const HostFacts& mine);
// Locked memory (RDMA registers its buffers), open files (a socket a peer), stack.
std::vector<Check> check_limits(std::span<const HostFacts> facts);
// Logs of hosts whose clocks are more than kMostSkew apart cannot be put side by side.
inline constexpr double kMostSkew = 0.01;  // seconds
Check check_clocks(std::span<const HostFacts> facts, std::span<const dist::ClockOffset> offsets);
// Library and version, the same for all ranks; thread level; who moves messages beside compute.
std::vector<Check> check_library(std::span<const HostFacts> facts, const std::string& thread_level,
                                 const std::string& progress);

// A record is compared with where it has the size, and, for sums, was of as many ranks.
inline constexpr double kSlower = 1.25;  // times what was recorded: a problem
enum class Message { pingpong, allreduce };
// library: the message library's seconds for the same, 0 where not measured. recorded: may be null.
Check check_time(Message what, const Timing& now, double library, const Cluster& here,
                 const Cluster* recorded);
// Whether a record of other ranks or hosts was given.
std::vector<Check> check_record(const Cluster& here, const Cluster* recorded);

// "check  value  verdict", each problem with its fix below.
std::string checks_text(std::span<const Check> checks);

}  // namespace soma::cli
