#pragma once
// Replica check: all ranks still hold the same bits.
//
// Ranks update their own copies of the parameters from the same reduced gradient. A bad memory
// cell, a diverging instruction or a bug makes one copy drift, and training goes on with nonsense.

#include <cstddef>
#include <span>
#include <string>

#include "soma/core/types.h"
#include "soma/dist/comm.h"

namespace soma::dist {

struct NamedBytes {
    std::string name;
    std::span<const std::byte> bytes;
};

// Collective; all ranks pass the same names in the same order. Reads every byte once and exchanges
// 8 bytes per rank. When the hashes differ, all ranks throw the same Error(diverged) naming step,
// the first tensor that differs and the ranks in the minority (in a tie, those that differ from
// rank 0): "replicas: after step 300 conv1.weight on rank 3 (node2) differs from the other ranks".
void check_replicas(Comm& comm, Index step, std::span<const NamedBytes> tensors);

}  // namespace soma::dist
