#pragma once
// Fingerprint: proof at the start that all ranks run the same experiment.
//
// Ranks that differ in seed, data or layout do not fail by themselves: they train something that
// nobody asked for. So each states what must be equal as named text fields, in one call.

#include <string>
#include <utility>
#include <vector>

#include "soma/dist/comm.h"

namespace soma::dist {

// (name, value): build, seed, shards, batch, parameters, optimizer, data hash, config text, ...
using FingerprintFields = std::vector<std::pair<std::string, std::string>>;

// Collective. Compares 8 bytes per rank; only when they differ are the fields exchanged, and every
// rank throws the same Error(fingerprint):
//   fingerprint: ranks were started with different configurations
//     seed: 1 on rank 0 (node1), rank 1 (node1); 2 on rank 2 (node2)
void check_fingerprint(Comm& comm, const FingerprintFields& fields);

}  // namespace soma::dist
