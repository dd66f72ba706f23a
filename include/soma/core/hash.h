#pragma once
// Checksums: a 64-bit hash to compare runs, CRC-32C to find damaged files.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace soma {

// 64-bit hash of bytes, chained through `seed`: FNV-1a over 8-byte words with a final mix. Not
// cryptographic; equal bytes give equal hashes on every machine (little-endian words).
std::uint64_t hash64(std::span<const std::byte> bytes, std::uint64_t seed = 0);
std::uint64_t hash64(const std::string& text, std::uint64_t seed = 0);

// Mixes one number into a hash.
std::uint64_t hash_mix(std::uint64_t hash, std::uint64_t value);

// CRC-32C (Castagnoli), as used by iSCSI and ext4. crc32c("123456789") = 0xE3069283.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0);

// Sixteen lower-case hexadecimal digits.
std::string to_hex(std::uint64_t value);

}  // namespace soma
