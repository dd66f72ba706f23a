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

// Slicing (Kounavis & Berry 2005): table k holds the CRC of a byte that k zero bytes follow, so
// that the sixteen bytes of a slice are looked up independently of each other.
constexpr std::size_t kSlice = 16;
using CrcTables = std::array<std::array<std::uint32_t, 256>, kSlice>;

constexpr CrcTables make_crc_tables() {
    CrcTables tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? (c >> 1) ^ 0x82F63B78 : c >> 1;
        tables[0][i] = c;
    }
    for (std::size_t k = 1; k < kSlice; ++k) {
        for (std::size_t i = 0; i < 256; ++i) {
            const std::uint32_t c = tables[k - 1][i];
            tables[k][i] = tables[0][c & 0xFF] ^ (c >> 8);
        }
    }
    return tables;
}
constexpr CrcTables kCrcTables = make_crc_tables();

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
    for (; bytes.size() >= kSlice; bytes = bytes.subspan(kSlice)) {
        std::array<std::uint8_t, kSlice> slice;
        std::memcpy(slice.data(), bytes.data(), kSlice);
        for (std::size_t i = 0; i < sizeof crc; ++i) {
            slice[i] ^= static_cast<std::uint8_t>(crc >> 8 * i);
        }
        crc = 0;
        for (std::size_t i = 0; i < kSlice; ++i) crc ^= kCrcTables[kSlice - 1 - i][slice[i]];
    }
    for (const std::byte b : bytes) {
        crc = kCrcTables[0][(crc ^ static_cast<std::uint32_t>(b)) & 0xFF] ^ (crc >> 8);
    }
    return ~crc;
}

std::string to_hex(std::uint64_t value) {
    std::string text(16, '0');
    for (int i = 15; i >= 0; --i, value >>= 4) text[i] = "0123456789abcdef"[value & 15];
    return text;
}

}  // namespace soma
