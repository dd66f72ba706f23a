// The writer of safetensors files.

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "data/byte_reader.h"
#include "data/safetensors_header.h"
#include "soma/core/error.h"
#include "soma/core/hash.h"
#include "soma/data/safetensors.h"

namespace soma::data {
namespace {

using nlohmann::json;

ByteView bytes_of(const Tensor& tensor) {
    if (tensor.count() == 0) return {};
    return {static_cast<const std::byte*>(tensor.raw()), static_cast<std::size_t>(tensor.bytes())};
}

std::string crc_text(std::uint32_t crc) { return to_hex(crc).substr(8); }

void check_names(std::span<const NamedTensor> sorted, const Metadata& metadata) {
    SOMA_CHECK(static_cast<Index>(sorted.size()) <= kMaxTensors,
               "write_safetensors: ", sorted.size(), " tensors; the limit is ", kMaxTensors);
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        const std::string& name = sorted[i].name;
        SOMA_CHECK(!name.empty() && name != kMetadataKey && name.size() <= kMaxNameBytes,
                   "write_safetensors: name '", name.substr(0, 40), "'; need 1 to ", kMaxNameBytes,
                   " bytes other than ", kMetadataKey);
        SOMA_CHECK(i == 0 || sorted[i - 1].name != name, "write_safetensors: the name '", name,
                   "' occurs twice");
    }
    for (const auto& [key, value] : metadata) {
        SOMA_CHECK(!key.starts_with("crc32c"), "write_safetensors: metadata key '", key,
                   "'; keys that begin with crc32c are reserved");
    }
}

json describe(const Tensor& tensor, Index begin) {
    const auto sizes = tensor.shape().sizes();
    const Index end = begin + static_cast<Index>(bytes_of(tensor).size());
    return {{"dtype", tensor.dtype() == DType::f32 ? "F32" : "F64"},
            {"shape", std::vector<Index>(sizes.begin(), sizes.end())},
            {"data_offsets", {begin, end}}};
}

// The header's text, padded so that the buffer begins at a multiple of 64 bytes.
std::string header_text(std::span<const NamedTensor> sorted, const Metadata& metadata) {
    json header = json::object();
    json& texts = header[kMetadataKey] = metadata;
    texts[kHeaderChecksum] = kZeroChecksum;
    Index begin = 0;
    for (const auto& [name, tensor] : sorted) {
        header[name] = describe(tensor, begin);
        begin = header[name]["data_offsets"][1].get<Index>();
        texts[kTensorChecksum + name] = crc_text(crc32c(bytes_of(tensor)));
    }
    try {
        std::string text = header.dump();
        const auto padded = round_up(kPrefixBytes + static_cast<Index>(text.size()), kAlignment);
        text.resize(static_cast<std::size_t>(padded - kPrefixBytes), ' ');
        return text;
    } catch (const json::type_error& e) {
        fail(ErrorCode::usage,
             "write_safetensors: a name or metadata text is not UTF-8: ", e.what());
    }
}

// Sorts the tensors into the order of the buffer; all bytes of the file before it.
Bytes head_of_file(std::vector<NamedTensor>& tensors, const Metadata& metadata) {
    std::sort(tensors.begin(), tensors.end(),
              [](const NamedTensor& a, const NamedTensor& b) { return a.name < b.name; });
    check_names(tensors, metadata);
    std::string header = header_text(tensors, metadata);
    SOMA_CHECK(static_cast<Index>(header.size()) <= kMaxHeaderBytes,
               "write_safetensors: header of ", header.size(), " bytes; the limit is ",
               kMaxHeaderBytes);
    const std::string zeroed = header_checksum_field(kZeroChecksum);
    const std::string crc = crc_text(crc32c(as_bytes(header)));
    header.replace(header.find(zeroed), zeroed.size(), header_checksum_field(crc));

    Bytes head;
    append_little(head, static_cast<std::uint64_t>(header.size()));
    const ByteView text = as_bytes(header);
    head.insert(head.end(), text.begin(), text.end());
    return head;
}

}  // namespace

Bytes write_safetensors(std::vector<NamedTensor> tensors, const Metadata& metadata) {
    Bytes out = head_of_file(tensors, metadata);
    std::size_t total = out.size();
    for (const NamedTensor& t : tensors) total += bytes_of(t.tensor).size();
    out.reserve(total);
    for (const NamedTensor& t : tensors) {
        const ByteView bytes = bytes_of(t.tensor);
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
}

void write_safetensors_file(const std::string& path, std::vector<NamedTensor> tensors,
                            const Metadata& metadata) {
    const Bytes head = head_of_file(tensors, metadata);
    std::vector<ByteView> pieces{head};
    for (const NamedTensor& t : tensors) pieces.push_back(bytes_of(t.tensor));
    write_pieces_atomically(path, pieces);
}

}  // namespace soma::data
