#pragma once
// One training step of a recurrent layer beside its parts (neuro.md 3.9), for `soma bench rnn`.
//
//     step         pass, and Adam over all weights
//     pass         forward, backward and gradients of w_rec, w_in and bias; a ctrnn has noise
//     products     the products of a pass alone, its floor; with G gates a unit:
//                  T times [B, N] x [N, G N] forward, T times [B, G N] x [G N, N] backward, one
//                  [N, T B] x [T B, G N]; above 8 inputs also [T B, I] x [I, G N] and
//                  [I, T B] x [T B, G N]
//     activations  tanh and sigmoid of T [B, G N] pre-activations
//     noise        T fills of [B, N] normals (ctrnn only)
//
// The layer is the one of nn/, its start is fixed at zero, its gradient of the rates is given.

#include <string>
#include <vector>

#include "bench/outcome.h"

namespace soma::bench {

struct RnnShape {
    std::string cell = "ctrnn";  // one of rnn_cells()
    Index units = 128;           // N
    Index batch = 32, steps = 51, inputs = 4;
};

// ctrnn (tanh, `current`, alpha .2, noise .05), lstm, gru (reset after), gru_before, ugrnn.
std::vector<std::string> rnn_cells();

// The places of the parts in Outcome::timings; noise may be absent.
enum RnnPart : std::size_t { kStep, kPass, kProducts, kActivations, kNoise };

// Outcome::flop counts the products of a step. Error(usage) for an unknown cell or a size below 1.
Outcome rnn_contest(const RnnShape& shape, const MeasureOptions& options);

}  // namespace soma::bench
