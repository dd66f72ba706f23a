#pragma once
// soma train --supervise: a parent without MPI that starts the launcher and, after a failure,
// starts it again from the newest checkpoint, on fewer ranks where that is wise: the same bits
// (distributed.md 12).

#include <string>
#include <vector>

#include "cli/restart_policy.h"

namespace soma::cli {

struct Supervision {
    std::string command;     // launcher, with {P} for ranks and {hosts} for a host file
    Index ranks = 0;         // of the first start; 0: two, or what the hosts hold
    std::string hosts = {};  // host file; "": unknown
    std::string program;     // this program's path
    std::vector<std::string> training = {};  // its arguments: "train", system, options
    std::string folder = {};                 // the run folder, which exists
    std::string resume = {};                 // checkpoint to begin from; "": none
    Index shards = 0;                        // of the run; 0: unknown until there is a checkpoint
};

// Where a restart finds the run.
struct Position {
    std::string checkpoint;  // "": none, from the beginning
    Index step = 0, shards = 0;
};

// Launcher, program and arguments of one start. Error(usage) when the command is empty, has no {P}
// for several ranks, or has {hosts} without a host file or the reverse.
std::vector<std::string> start_command(const Supervision& run, Index ranks,
                                       const std::string& host_file, const Position& from);

// The newest checkpoint of the run folder that passes verification, else run.resume; those passed
// over are named on standard error.
Position newest_position(const Supervision& run);

// Runs to the end and returns the exit code: that of the last start; 85 or 130 after a stop.
int supervise(const Supervision& run);

}  // namespace soma::cli
