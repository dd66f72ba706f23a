#pragma once
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): random numbers as a pure function of
// (seed, purpose, indices), never of a stream position. Rank, thread and batch position never
// enter, so any number can be generated alone, anywhere, with the same bits.
//
// Known answer: counter 0, key 0 -> 6627e8d5 e169c58d bc57ac4c 9b00dbd8 (Random123 1.14).
// This header holds the scalar form; kernels/random.h fills whole arrays with the same numbers.

#include <array>
#include <cstdint>

#include "soma/core/types.h"

namespace soma {

using PhiloxKey = std::array<std::uint32_t, 2>;
using PhiloxBlock = std::array<std::uint32_t, 4>;

// What random numbers are drawn for; part of the key (neuro.md 3.2).
enum class Purpose : std::uint32_t {
    recurrent_noise = 1,
    input_noise = 2,
    trial_parameters = 3,
    initial_weights = 4,
    batch_order = 5,
    spikes = 6,
    augmentation = 7,
    analysis_seeds = 8,
    resampling = 9,
    feedback_matrices = 10,
    perturbation = 11,
    surrogate_data = 12,
    evaluation_noise = 13,
    dropout = 14,
    data_generation = 15,
};

// Ten rounds of Philox4x32.
PhiloxBlock philox4x32(PhiloxBlock counter, PhiloxKey key);

// Key of a family of numbers: one Philox call with key = seed, counter = {net lo, net hi, purpose,
// tag}.
PhiloxKey make_key(std::uint64_t seed, Purpose purpose, std::uint64_t net = 0,
                   std::uint32_t tag = 0);

// Position inside a key's family. unit varies fastest and is what array fills run over.
struct RandomIndex {
    std::uint32_t step = 0;   // time step, update number or tensor number
    std::uint32_t trial = 0;  // sample, trial or row
    std::uint32_t visit = 0;  // how often a fixed sample has been shown
};

// Word of unit i = 16 g + 4 w + l: output word w of counter block {4 g + l, step, trial, visit}.
// This mapping is the one the vector fills use, so both give the same bits.
std::uint32_t random_word(PhiloxKey key, std::uint32_t unit, RandomIndex at = {});

// Uniform in [0, 1): (word >> 8) * 2^-24, exact in f32.
inline float uniform01(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

// Scalar convenience for host code (task generators, recipes): draws number i of a key's family.
class RandomSequence {
public:
    explicit RandomSequence(PhiloxKey key, RandomIndex at = {}) : key_(key), at_(at) {}
    std::uint32_t word() { return random_word(key_, next_++, at_); }
    float uniform() { return uniform01(word()); }
    float uniform(float low, float high) { return low + (high - low) * uniform(); }
    // Uniform integer in [0, n), without modulo bias. n >= 1.
    std::uint32_t below(std::uint32_t n);
    bool coin(float p) { return uniform() < p; }

private:
    PhiloxKey key_;
    RandomIndex at_;
    std::uint32_t next_ = 0;
};

}  // namespace soma
