#pragma once
// What messages between ranks cost, for `soma bench comm` and `soma info --mpi`: a ping-pong,
// soma's all-reduce (dist/collectives.h) and the message library's.
//
// All ranks measure together: in every round each contender takes its turn, between barriers, for
// as many calls as fill a block; a call's time is that of the slowest rank. Several processes
// cannot share a clock of CPU time, so times are wall times: other work on the machine enters them.

#include <vector>

#include "bench/measure.h"
#include "soma/dist/comm.h"

namespace soma::bench {

struct CommOptions {
    int rounds = 20;
    double block_seconds = 0.01;
};

// Seconds of a call, one value a round; the same on all ranks.
struct AllreduceTimes {
    Index bytes = 0;
    std::vector<double> own, library;  // library: empty where there is none

    // Per round: time of the library / own time.
    Spread ratio() const;
    // Of the 2 (P - 1) / P bytes that each rank must send: bytes per second of the own one.
    double bandwidth(int ranks) const;
};
// Of bytes / 4 floats. Collective. Error(usage) unless the number of ranks is a power of two;
// Error(internal) when a sum of small whole numbers is not exact.
AllreduceTimes measure_allreduce(dist::Comm& comm, Index bytes, const CommOptions& options);

// Half of a round trip of `bytes` between rank 0 and the nearest rank of another host, or rank 1
// where there is no other host. Collective; needs two ranks.
std::vector<double> measure_pingpong(dist::Comm& comm, Index bytes, const CommOptions& options);

// time = latency + bytes * seconds_per_byte, by least squares of relative errors.
struct LinkFit {
    double latency = 0, seconds_per_byte = 0;
};
LinkFit fit_link(const std::vector<Index>& bytes, const std::vector<double>& seconds);

}  // namespace soma::bench
