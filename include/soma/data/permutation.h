#pragma once
// Permutation: a keyed bijection of 0 .. n-1 in O(1) memory, with random access.
//
// A balanced Feistel network over `width` bits, width = bits of n-1 rounded up to even (at least
// 2), with 6 rounds; while the result is >= n the network is applied again (cycle walking), fewer
// than 4 times on average because 2^width < 4 n. Round keys come from Philox(seed, epoch), the
// round function is the 64-bit finaliser of MurmurHash3.
//
//   (left, right) -> (right, left xor F(right xor key[r]))        r = 0 .. 5
//
// The order of an epoch is thus a pure function of (seed, epoch): no rank has to agree with
// another, nothing is stored, and a run resumes from two integers (distributed.md 13).
// Source: Luby & Rackoff 1988 (Feistel), Black & Rogaway 2002 (cycle walking).

#include <array>
#include <cstdint>

#include "soma/core/types.h"

namespace soma::data {

class Permutation {
public:
    // Error(usage) when n < 1.
    Permutation(Index n, std::uint64_t seed, std::uint64_t epoch);

    Index size() const { return n_; }
    // The element at a position, 0 <= position < size(); Error(usage) otherwise.
    Index operator()(Index position) const;

private:
    static constexpr int kRounds = 6;

    Index n_;
    int half_bits_;
    std::array<std::uint64_t, kRounds> keys_;
};

}  // namespace soma::data
