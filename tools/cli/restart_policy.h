#pragma once
// What a supervisor does after a failure: restart or give up, on which hosts, on how many ranks
// (distributed.md 12). Reads texts and numbers only; starts nothing.

#include <span>
#include <string>
#include <vector>

#include "soma/core/types.h"

namespace soma::cli {

// Words as a shell splits them: at blanks that stand in no '...' or "...". Error(usage) when a
// quote is not closed.
std::vector<std::string> split_words(const std::string& command);

struct Host {
    std::string name;
    Index slots = 1;   // ranks that it takes
    std::string line;  // of the file, as it was
};

// A host file of Open MPI or MPICH: a line a host, "node1 slots=4", "node1:4" or "node1", and
// comments behind '#'. Error(data) naming `path` when it names no host or a line has no such form.
std::vector<Host> parse_hosts(const std::string& text, const std::string& path);

// The host whose loss or silence explains why ranks ended, as the launcher and the ranks reported
// it; "" when none is named. A rank that waited in vain for another is no culprit itself.
std::string blamed_host(const std::string& report);

// The largest number of ranks, at most `most`, that divides the shards.
Index ranks_that_divide(Index shards, Index most);

// Whether a start that ended so would end so again: 2, 65, 71 (wrong usage, bad data, ranks
// configured differently), 126 and 127 (no such program).
bool hopeless(int code);

// Two failures without a new checkpoint between them are suspicious, three are the end. A named
// host is dropped, unless it is the last. Where hosts are unknown the first failure is answered
// with as many ranks, since a killed process says nothing about its machine, the second with fewer.
class RestartPolicy {
public:
    // `step`: of the checkpoint that the run begins from.
    RestartPolicy(Index ranks, std::vector<Host> hosts, Index step);

    struct Failure {
        int code = 0;             // exit code of the launcher
        std::string report = {};  // end of its standard error
        Index step = 0;           // of the newest valid checkpoint
        Index shards = 0;         // of the run: a number that every rank count divides
    };
    // Whether to start again, with ranks() on hosts().
    bool restarts_after(const Failure& failure);

    Index ranks() const { return ranks_; }
    std::span<const Host> hosts() const { return hosts_; }

private:
    bool drop(const std::string& name);

    Index ranks_;
    std::vector<Host> hosts_;
    Index step_;
    int failures_ = 0;  // since the last new checkpoint
};

}  // namespace soma::cli
