#pragma once
// Diagonal curvature: LeCun's 1989 estimate of the second derivatives h_kk of the error.
//
// One reverse sweep with squared local derivatives (Tape::curvature) per batch, started with
// h_y = d^2 E / dy^2, gives the diagonal of the Gauss-Newton matrix summed over the batch: exact
// where every path from a weight to an output is its own, an approximation that drops the
// off-diagonal terms elsewhere (systems.md 4.7). The result never is negative.

#include <functional>

#include "soma/autograd/tape.h"
#include "soma/nn/parameter_store.h"

namespace soma::optim {

// Builds the network's output y [n, ...] for n samples, batch number `batch`.
using OutputFunction = std::function<Var(Tape& tape, Index batch)>;

// Mean over all samples of batches 0 .. batches - 1 of the diagonal, laid out like
// the trainable part of the store; h_y is the second derivative of one sample's error with respect
// to each output (1 for E = 1/2 sum (y - d)^2). Works in store.gradients(), which is zero
// afterwards. Error(usage) names an op without curvature.
Tensor diagonal_curvature(nn::ParameterStore& store, Index batches, const OutputFunction& output,
                          double h_y = 1);

}  // namespace soma::optim
