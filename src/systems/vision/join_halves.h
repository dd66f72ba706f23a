#pragma once
// join_halves: the exchange of activations between the two ranks of a net in two halves
// (Krizhevsky et al. 2012, figure 2). An op on the tape of each rank.
//
//   rank 0   x0 [..., C]          y [..., 2 C] = x0 | x1 on both ranks
//   rank 1   x1 [..., C]

#include "soma/autograd/tape.h"
#include "soma/dist/comm.h"

namespace soma::systems {

// What the ranks do with y, and so what the gradient of x is.
enum class JoinedUse {
    // Each rank goes on with kernels of its own: dx is the sum of both ranks' dy, in its half.
    own_kernels,
    // Both ranks compute the same from it (the loss): dx is this rank's dy, in its half.
    same_result,
};

// Collective, as is the backward sweep that passes it. Both ranks give x of one shape and dtype;
// comm has two ranks and outlives the sweeps. 2 n bytes travel for n bytes of x, forward and, for
// own_kernels, backward. Error(usage) unless comm has two ranks and x a last axis.
Var join_halves(dist::Comm& comm, Var x, JoinedUse use);

}  // namespace soma::systems
