#pragma once
// Dropout (Hinton et al. 2012), inverted: y = x m / (1 - p), m = 1 with probability 1 - p, else 0.
//
// The mask is a pure function of (key, step, sample id, position inside the sample): neither the
// place of a sample in the batch nor the batch size, thread or rank changes it. Nothing is stored
// for the backward, which draws the same mask again: dx = dy m / (1 - p).

#include <span>

#include "soma/autograd/tape.h"
#include "soma/core/rng.h"

namespace soma {

struct DropoutOptions {
    double p = 0.5;          // probability that an element is dropped, 0 <= p < 1
    PhiloxKey key{};         // make_key(seed, Purpose::dropout, net, number of the layer)
    std::uint32_t step = 0;  // update number
};

// x is seen as [ids.size(), rest]: ids.size() must be the product of x's first sizes (one of them:
// samples; two of a sequence [T, B, C]: one id for every step of every sample). The ids are copied.
// p == 0 returns x itself. Error(usage) on another shape or p.
Var dropout(Var x, std::span<const std::uint32_t> ids, const DropoutOptions& options);

}  // namespace soma
