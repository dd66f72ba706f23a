#pragma once
// One run of a launcher such as mpirun, from a process that has no MPI.
//
// The launcher gets a process group of its own and no standard input. Its standard error is passed
// on as it comes. It ends when its ranks end; when a rank has reported its failure and the launcher
// stays, it gets SIGTERM after 3 s and its group SIGKILL 10 s later. What it leaves behind on this
// machine, ranks that became orphans included, is killed: the calling process adopts them
// (PR_SET_CHILD_SUBREAPER). Ranks on other hosts are their launcher's affair.

#include <string>
#include <vector>

namespace soma::cli {

struct LauncherResult {
    int code = 0;         // exit code, or 128 + signal; 127 when it could not be started
    std::string report;   // the end of its standard error
    bool killed = false;  // it did not end by itself
};

// Runs words[0] with the others as arguments until it has ended. A stop that is requested
// (signals.h) is passed on once, as SIGUSR1: mpirun hands that on to the ranks, which save and
// exit with 85, while SIGTERM and SIGINT make it end them within a second. Error(internal) when no
// process can be made.
LauncherResult run_launcher(const std::vector<std::string>& words);

}  // namespace soma::cli
