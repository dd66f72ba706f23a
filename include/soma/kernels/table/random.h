#pragma once
// Kernel table, random family: rows of Philox4x32 numbers, the bits of soma/core/rng.h.
//
// A row is one trial (or sample): element j of row r is number `first_unit + j` of the family
// (key, step, trials[r], visit). Units are laid out in groups of 16 (four counter blocks), so
// first_unit must be a multiple of 16. Rows shorter than a vector are filled together: lanes span
// rows. Outputs have row stride ld >= units. Entries are noexcept and allocation-free.

#include "soma/core/types.h"

namespace soma::kernels {

struct RandomRows {
    std::uint32_t key[2];
    std::uint32_t step = 0, visit = 0;
    const std::uint32_t* trials = nullptr;  // [rows]
    Index rows = 0;
    std::uint32_t first_unit = 0;
    Index units = 0;
};

// f32 only: f64 arrays widen these numbers, so f32 and f64 runs see the same randomness.
struct RandomTable {
    void (*words)(const RandomRows& at, std::uint32_t* y, Index ld) noexcept;
    // (word >> 8) 2^-24 in [0, 1).
    void (*uniform)(const RandomRows& at, float* y, Index ld) noexcept;
    // (word >> 8) < threshold ? value : 0: a Bernoulli mask with P(value) = threshold 2^-24.
    void (*mask)(const RandomRows& at, std::uint32_t threshold, float value, float* y,
                 Index ld) noexcept;
    // Standard normal by Box-Muller. Words w0, w1 of a counter block give numbers 0 and 1, words
    // w2, w3 numbers 2 and 3: u = ((w_a >> 8) + 1) 2^-24, k = w_b >> 8,
    // r = sqrt(-2 log u), numbers r cos(2 pi k / 2^24) and r sin(2 pi k / 2^24); |number| <= 5.77.
    void (*normal)(const RandomRows& at, float* y, Index ld) noexcept;
};

}  // namespace soma::kernels
