#pragma once
// cluster.json: what messages of a cluster cost when it was well. `soma bench comm --tune` writes
// it, `soma info --mpi --cluster` compares with it, `soma plan --cluster` predicts from it.
//
//   {"schema": 1, "ranks": 2, "hosts": 2, "latency_us": 11.5, "ns_per_byte": 8.5,
//    "pingpong":  [{"bytes": 8, "us": 11.2}, ...],      half of a round trip
//    "allreduce": [{"bytes": 4096, "us": 60.1}, ...]}   soma's own sum, of f32

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "soma/core/types.h"
#include "soma/dist/comm.h"

namespace soma::cli {

struct Timing {
    Index bytes = 0;
    double seconds = 0;
};

struct Cluster {
    Index ranks = 0, hosts = 0;
    double latency = 0, seconds_per_byte = 0;  // of one message: time = latency + bytes * the other
    std::vector<Timing> pingpong = {}, allreduce = {};
};

// Its ranks and hosts; nothing measured yet.
Cluster cluster_of(const dist::Comm& comm);

nlohmann::ordered_json to_json(const Cluster& cluster);
// Error(data) naming `name` and the field for text that is no such record.
Cluster cluster_from(const std::string& text, const std::string& name);

Cluster read_cluster(const std::string& path);
// Error(checkpoint) when it cannot be written; the second asks that beforehand.
void write_cluster(const std::string& path, const Cluster& cluster);
void check_writable(const std::string& path);

}  // namespace soma::cli
