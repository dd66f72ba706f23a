#include "soma/core/rng.h"

namespace soma {

PhiloxBlock philox4x32(PhiloxBlock c, PhiloxKey k) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0];
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c[2];
        c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
             static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
        k[0] += 0x9E3779B9;
        k[1] += 0xBB67AE85;
    }
    return c;
}

PhiloxKey make_key(std::uint64_t seed, Purpose purpose, std::uint64_t net, std::uint32_t tag) {
    const PhiloxBlock out =
        philox4x32({static_cast<std::uint32_t>(net), static_cast<std::uint32_t>(net >> 32),
                    static_cast<std::uint32_t>(purpose), tag},
                   {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    return {out[0], out[1]};
}

std::uint32_t random_word(PhiloxKey key, std::uint32_t unit, RandomIndex at) {
    const std::uint32_t group = unit / 16, word = unit % 16 / 4, lane = unit % 4;
    return philox4x32({4 * group + lane, at.step, at.trial, at.visit}, key)[word];
}

std::uint32_t RandomSequence::below(std::uint32_t n) {
    const std::uint32_t limit = (0u - n) % n;  // 2^32 mod n: words below it would be biased
    std::uint32_t w = word();
    std::uint64_t product = std::uint64_t{w} * n;
    while (static_cast<std::uint32_t>(product) < limit) product = std::uint64_t{word()} * n;
    return static_cast<std::uint32_t>(product >> 32);
}

}  // namespace soma
