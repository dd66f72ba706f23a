#include "soma/core/hash.h"

#include <array>
#include <cstring>

namespace soma {
namespace {

constexpr std::uint64_t kPrime = 0x100000001B3;
constexpr std::uint64_t kOffset = 0xCBF29CE484222325;

std::uint64_t finish(std::uint64_t h) {  // the finaliser of MurmurHash3
    h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCD;
    h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53;
    return h ^ (h >> 33);
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? (c >> 1) ^ 0x82F63B78 : c >> 1;
        table[i] = c;
    }
    return table;
}
constexpr auto kCrcTable = make_crc_table();

}  // namespace

std::uint64_t hash_mix(std::uint64_t hash, std::uint64_t value) {
    return finish((hash ^ value) * kPrime + kOffset);
}

std::uint64_t hash64(std::span<const std::byte> bytes, std::uint64_t seed) {
    std::uint64_t h = kOffset ^ finish(seed);
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + i, 8);
        h = (h ^ word) * kPrime;
        h ^= h >> 29;
    }
    for (; i < bytes.size(); ++i) h = (h ^ static_cast<std::uint64_t>(bytes[i])) * kPrime;
    return finish(h ^ bytes.size());
}

std::uint64_t hash64(const std::string& text, std::uint64_t seed) {
    return hash64(std::as_bytes(std::span(text.data(), text.size())), seed);
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) {
    crc = ~crc;
    for (const std::byte b : bytes) {
        crc = kCrcTable[(crc ^ static_cast<std::uint32_t>(b)) & 0xFF] ^ (crc >> 8);
    }
    return ~crc;
}

std::string to_hex(std::uint64_t value) {
    std::string text(16, '0');
    for (int i = 15; i >= 0; --i, value >>= 4) text[i] = "0123456789abcdef"[value & 15];
    return text;
}

}  // namespace soma
