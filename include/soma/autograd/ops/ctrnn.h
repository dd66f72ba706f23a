#pragma once
// Leaky recurrent networks on the tape: a whole sequence is one node.

#include <span>

#include "soma/autograd/tape.h"
#include "soma/core/rng.h"
#include "soma/kernels/rate_model.h"

namespace soma {

// Recurrent weights of full rank, or m and n of rank R: w = n m^T / N (W = m n^T / N as papers have
// it). Absent ones are zero.
struct CtrnnWeights {
    Var w_rec = {};      // [N, N], from, to
    Var m = {}, n = {};  // [N, R]
    Var w_in = {};       // [I, N]
    Var bias = {};       // [N]
};

struct CtrnnOptions {
    Convention convention = Convention::current;
    Nonlinearity f = Nonlinearity::tanh;
    double alpha = 1;  // dt / tau, in (0, 1]; 1 is the discrete network
    // Noise (kernels/ctrnn.h): sigma as the convention has it, 0 for none. The numbers of a trial
    // depend on its id, the step and the visit alone.
    double sigma = 0;
    PhiloxKey key = {};
    std::uint32_t first_step = 0, visit = 0;
    std::span<const std::uint32_t> trials = {};  // [B] ids; needed with noise
    // Steps of each trial, never growing from trial to trial; empty: T for all. Later rates are 0.
    std::span<const Index> lengths = {};
    // When given, receives where each trial ended [B, N]: the start of the next piece of truncated
    // backpropagation through time.
    Tensor* last = nullptr;
};

// r = rates of a recurrent network that starts at `start` and is driven by u (formulas:
// kernels/rate_model.h).
//   start [N] (all trials) or [B, N]: x_0 of `current`, r_0 of the others
//   u [T, B, I]   r [T, B, N]
// Backward: delta_t by the recursions of table/rnn.h, then every weight gradient is one product
// over all T B rows (order TREE): never T small ones. Noise is not stored and not needed.
// Determinism: rates have the same bits for any batch split; gradients as in linear.
// Cost: 2 T B N (N + I) flop forward, twice that backward.
// Error(usage) for shapes, dtypes, alpha, lengths or trial ids that do not fit.
Var ctrnn(Var start, Var u, const CtrnnWeights& weights, const CtrnnOptions& options = {});

}  // namespace soma
