#pragma once
// The JSON header of a safetensors file, parsed event by event.
//
// The DOM of a JSON library silently keeps the last of duplicate keys; the event interface lets
// every key, type and depth be checked as it comes. Depth is bounded by the grammar: an object of
// objects of arrays, nothing deeper.

#include <string>
#include <vector>

#include "soma/data/safetensors.h"

namespace soma::data {

inline constexpr Index kMaxHeaderBytes = 100'000'000;
inline constexpr Index kMaxTensors = 1'000'000;
inline constexpr std::size_t kMaxNameBytes = 4096;
inline constexpr std::size_t kMaxRank = Shape::kMaxRank;
inline constexpr Index kPrefixBytes = 8;  // the length before the header
inline constexpr const char* kMetadataKey = "__metadata__";
inline constexpr const char* kTensorChecksum = "crc32c:";
inline constexpr const char* kHeaderChecksum = "crc32c.header";
inline constexpr const char* kZeroChecksum = "00000000";

// The header's checksum as the writer spells it; it is computed with the digits as zeros. Quotes
// inside names are escaped in JSON, so no name can imitate it.
inline std::string header_checksum_field(const std::string& digits) {
    return '"' + std::string(kHeaderChecksum) + "\":\"" + digits + '"';
}

struct SafetensorsHeader {
    Metadata metadata;
    std::vector<StoredTensor> tensors;  // sorted by name, each name once
};

// Error(data) with the offset in the file where the text goes wrong.
SafetensorsHeader parse_safetensors_header(const std::string& text, const std::string& file);

}  // namespace soma::data
