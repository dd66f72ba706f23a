#pragma once
// Planner: how data-parallel training scales over a network, before anything is bought or queued
// (distributed.md 16).
//
//     Tm = sum over buckets of  2 log2(P) a  +  2 (P - 1) / P n_i b          the tree of
//     collectives.h T  = Tc + max(0, Tm - f Tc) + s Tc sqrt(2 ln P) efficiency = Tc / T
//
//     P  ranks, a node each           Tc  seconds of compute of a step on one node
//     a  seconds of latency           b   seconds a byte           n_i  bytes of bucket i
//     f  share of Tc beside which gradients travel: 2/3 (backward) times P / S, as only the last of
//     a
//        rank's S / P shards hides them; 0 with a single bucket, which is full when backward ends
//     s  jitter: relative spread of Tc; a step waits for the slowest rank
//
// Tc is of one node and does not change with P: weak scaling. The model has no contention: it is of
// full-duplex links and switches that carry all of them at once.

#include <string>
#include <vector>

#include "soma/core/types.h"

namespace soma::dist {

struct Network {
    std::string name;
    double latency = 0;           // a, seconds
    double seconds_per_byte = 0;  // b
};
// 1gbe, 10gbe, 100g: Ethernet as TCP sees it, and a fabric with RDMA.
const std::vector<Network>& named_networks();
// Error(usage) with the nearest names.
const Network& network_named(const std::string& name);

// A model whose steps are known on paper.
struct StepProfile {
    std::string name, what;  // "resnet50", "25.6e6 parameters, 224 x 224 images"
    double parameters = 0;
    double flop_per_sample = 0;  // forward and backward
    Index samples = 0;           // of a node's batch
};
// resnet50, alexnet, gpt_mini, lecun1989.
const std::vector<StepProfile>& step_profiles();
const StepProfile& step_profile(const std::string& name);

struct PlanOptions {
    double compute_seconds = 0;  // Tc
    double parameters = 0;
    double bytes_per_value = 4;  // on the wire
    double bucket_bytes = 4e6;
    Index shards = 0;   // S; 0: as many as ranks
    double jitter = 0;  // s
    bool overlap = true;
};

struct PlanRow {
    Index ranks = 1;
    double compute = 0;                 // Tc
    double latency = 0, bandwidth = 0;  // the two parts of Tm
    double step = 0;                    // T
    double efficiency = 1;              // Tc / T

    double communication() const { return latency + bandwidth; }
    // What takes longest of the three: "compute", "latency" or "bandwidth".
    const char* bound() const;
};

// Error(usage) for times and sizes that are not positive, and ranks that are no power of two or do
// not divide S.
PlanRow predict(const PlanOptions& options, const Network& network, Index ranks);

}  // namespace soma::dist
