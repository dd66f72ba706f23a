#pragma once
// Context: what a forward pass knows besides its inputs; passed to every module.

#include <span>

#include "soma/core/types.h"

namespace soma::nn {

struct Context {
    bool training = true;    // false: dropout is the identity, norms use running statistics
    std::uint64_t seed = 0;  // of the run; keys dropout masks
    Index step = 0;          // update number; keys dropout masks
    // Sample ids of the batch's rows: masks belong to samples, not rows.
    std::span<const Index> ids = {};
};

}  // namespace soma::nn
