#pragma once
// CharNgram: how often a character follows the last ones, the yardstick of character models.
//
//     p(c | h) = (n(h c) + d(h) p(c | h')) / (n(h) + d(h))
//
// n counts in the training text, d(h) is the number of distinct characters that followed h, h' is h
// without its first character; p(c | nothing) begins at 1 / V (Witten & Bell 1991, method C,
// interpolated).

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "soma/core/types.h"

namespace soma::systems {

class CharNgram {
public:
    // Contexts of 0 .. order characters. vocabulary <= 256, order <= 7.
    CharNgram(std::span<const std::int32_t> text, Index vocabulary, int order);

    // Mean of -log p over a text, in nats; its first characters have shorter contexts.
    double nats(std::span<const std::int32_t> text) const;

private:
    struct Followers {
        double total = 0;
        std::vector<std::pair<std::int32_t, double>> counts;
    };
    // The `length` characters before place i as one number.
    static std::uint64_t context(std::span<const std::int32_t> text, std::size_t i,
                                 std::size_t length);
    double probability(std::span<const std::int32_t> text, std::size_t i) const;

    double vocabulary_;
    std::vector<std::unordered_map<std::uint64_t, Followers>> followers_;  // by context length
};

}  // namespace soma::systems
