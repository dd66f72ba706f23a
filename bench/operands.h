#pragma once
// Arrays of random numbers for measurements, 64-byte aligned as tensors are.

#include <cstdint>

#include "soma/core/arena.h"
#include "soma/core/rng.h"

namespace soma::bench {

template <class T>
class Operand {
public:
    explicit Operand(Index n)
        : block_(allocate_aligned(static_cast<std::size_t>(n) * sizeof(T))), count_(n) {}
    // Uniform in [low, high).
    Operand(Index n, std::uint64_t seed, float low, float high) : Operand(n) {
        RandomSequence sequence(make_key(seed, Purpose::data_generation));
        for (Index i = 0; i < n; ++i) data()[i] = static_cast<T>(sequence.uniform(low, high));
    }
    T* data() const { return reinterpret_cast<T*>(block_.get()); }
    Index count() const { return count_; }

private:
    AlignedBlock block_;
    Index count_;
};

}  // namespace soma::bench
