#include "soma/data/permutation.h"

#include <algorithm>
#include <bit>

#include "soma/core/error.h"
#include "soma/core/rng.h"

namespace soma::data {
namespace {

std::uint64_t finalise(std::uint64_t h) {
    h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCD;
    h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53;
    return h ^ (h >> 33);
}

}  // namespace

Permutation::Permutation(Index n, std::uint64_t seed, std::uint64_t epoch) : n_(n) {
    SOMA_CHECK(n >= 1, "permutation: n is ", n, "; need n >= 1");
    const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n - 1)));
    half_bits_ = std::max(1, (bits + 1) / 2);
    const PhiloxKey key = make_key(seed, Purpose::batch_order);
    for (std::uint32_t block = 0; block < kRounds / 2; ++block) {
        const PhiloxBlock words = philox4x32(
            {block, static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(epoch >> 32), 0},
            key);
        for (std::uint32_t i = 0; i < 2; ++i) {
            keys_[2 * block + i] = words[2 * i] | static_cast<std::uint64_t>(words[2 * i + 1])
                                                      << 32;
        }
    }
}

Index Permutation::operator()(Index position) const {
    SOMA_CHECK(position >= 0 && position < n_, "permutation: position is ", position,
               "; need 0 <= position < ", n_);
    const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
    std::uint64_t value = static_cast<std::uint64_t>(position);
    do {
        std::uint64_t left = value >> half_bits_;
        std::uint64_t right = value & mask;
        for (const std::uint64_t key : keys_) {
            const std::uint64_t next = left ^ (finalise(right ^ key) & mask);
            left = right;
            right = next;
        }
        value = left << half_bits_ | right;
    } while (value >= static_cast<std::uint64_t>(n_));
    return static_cast<Index>(value);
}

}  // namespace soma::data
