#include "soma/data/safetensors.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

#include "data/byte_reader.h"
#include "data/half.h"
#include "data/safetensors_header.h"
#include "soma/core/error.h"
#include "soma/core/hash.h"

namespace soma::data {
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors is little-endian: a big-endian port swaps in load() and the writer");

// Floats of a 2-byte type.
template <class Convert>
void widen(ByteView bytes, std::span<float> out, Convert convert) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        std::uint16_t bits;
        std::memcpy(&bits, bytes.data() + 2 * i, 2);
        out[i] = convert(bits);
    }
}

template <class T>
std::vector<std::int64_t> integers(ByteView bytes) {
    std::vector<std::int64_t> out(bytes.size() / sizeof(T));
    for (std::size_t i = 0; i < out.size(); ++i) {
        T value;
        std::memcpy(&value, bytes.data() + sizeof(T) * i, sizeof(T));
        out[i] = value;
    }
    return out;
}

// Eight lower-case digits, as the writer spells them: a flipped case is damage too.
bool parse_checksum(const std::string& text, std::uint32_t& value) {
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value, 16);
    return error == std::errc{} && end == last && to_hex(value).substr(8) == text;
}

// CRC-32C of the header with the digits of its own checksum as zeros.
std::uint32_t header_checksum(std::string header, const std::string& digits) {
    const std::string field = header_checksum_field(digits);
    const std::size_t at = header.find(field);
    if (at != std::string::npos) {
        header.replace(at, field.size(), header_checksum_field(kZeroChecksum));
    }
    return crc32c(as_bytes(header));
}

}  // namespace

template <class... Parts>
void SafetensorsFile::bad(Index offset, const Parts&... parts) const {
    fail(ErrorCode::data, "safetensors: ", name_, ": offset ", offset, ": ", parts...);
}

SafetensorsFile::SafetensorsFile(Bytes bytes, std::string name)
    : bytes_(std::move(bytes)), name_(std::move(name)) {
    ByteReader in("safetensors", name_, bytes_);
    const auto length = in.little<std::uint64_t>("header length");
    if (length > static_cast<std::uint64_t>(std::min(kMaxHeaderBytes, in.remaining()))) {
        bad(0, "header length: ", length, "; the file has ", in.remaining(),
            " bytes after it and the limit is ", kMaxHeaderBytes);
    }
    const ByteView text = in.take(static_cast<Index>(length), "header");
    buffer_ = in.offset();
    const std::string header(reinterpret_cast<const char*>(text.data()), text.size());
    SafetensorsHeader parsed = parse_safetensors_header(header, name_);
    metadata_ = std::move(parsed.metadata);
    tensors_ = std::move(parsed.tensors);
    check_layout();
    take_checksums(header);
}

void SafetensorsFile::check_layout() {
    std::vector<const StoredTensor*> by_offset;
    for (const StoredTensor& t : tensors_) {
        std::optional<Index> size = size_of(t.type);
        for (const Index n : t.sizes) {
            if (size) size = checked_multiply(*size, n);
        }
        if (!size) bad(kPrefixBytes, "'", shown(t.name), "', shape: shape x dtype overflows");
        if (t.begin > t.end || t.end - t.begin != *size) {
            bad(kPrefixBytes, "'", shown(t.name), "', data_offsets: [", t.begin, ", ", t.end,
                "]; shape and dtype need ", *size, " bytes");
        }
        by_offset.push_back(&t);
    }
    std::sort(by_offset.begin(), by_offset.end(), [](const auto* a, const auto* b) {
        return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    Index covered = 0;
    for (const StoredTensor* t : by_offset) {
        if (t->begin != covered) {
            bad(kPrefixBytes, "'", shown(t->name), "', data_offsets: begins at ", t->begin,
                " where the tensors before it end at ", covered,
                "; overlaps and holes are refused");
        }
        covered = t->end;
    }
    const Index present = static_cast<Index>(bytes_.size()) - buffer_;
    if (covered != present) {
        bad(buffer_, "buffer: the tensors cover ", covered, " bytes, the file has ", present);
    }
}

// Moves the checksums out of the metadata and checks that of the header. Tensor checksums without
// one of the header mean that its key itself is damaged.
void SafetensorsFile::take_checksums(const std::string& header) {
    bool header_is_checked = false;
    for (auto at = metadata_.lower_bound("crc32c"); at != metadata_.end();) {
        const auto& [key, text] = *at;
        if (!key.starts_with("crc32c")) break;
        std::uint32_t crc = 0;
        if (!parse_checksum(text, crc)) {
            bad(kPrefixBytes, "'", shown(key), "': need eight hexadecimal digits");
        }
        if (key == kHeaderChecksum) {
            header_is_checked = true;
            if (header_checksum(header, text) != crc) bad(kPrefixBytes, "header: wrong checksum");
        } else {
            const bool of_tensor = key.starts_with(kTensorChecksum);
            const std::string tensor = of_tensor ? key.substr(std::strlen(kTensorChecksum)) : "";
            if (!of_tensor || !find(tensor))
                bad(kPrefixBytes, "'", shown(key), "': no such tensor");
            checksums_[tensor] = crc;
        }
        at = metadata_.erase(at);
    }
    if (!checksums_.empty() && !header_is_checked) {
        bad(kPrefixBytes, "metadata: '", kHeaderChecksum, "' is missing");
    }
}

const std::string& SafetensorsFile::metadata(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) bad(kPrefixBytes, "metadata: '", shown(key), "' is missing");
    return found->second;
}

const StoredTensor* SafetensorsFile::find(const std::string& name) const {
    const auto at =
        std::lower_bound(tensors_.begin(), tensors_.end(), name,
                         [](const StoredTensor& t, const std::string& n) { return t.name < n; });
    return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

ByteView SafetensorsFile::bytes_of(const StoredTensor& tensor) const {
    return ByteView(bytes_).subspan(static_cast<std::size_t>(buffer_ + tensor.begin),
                                    static_cast<std::size_t>(tensor.end - tensor.begin));
}

void SafetensorsFile::verify(const StoredTensor& tensor) const {
    const auto expected = checksums_.find(tensor.name);
    if (expected != checksums_.end() && crc32c(bytes_of(tensor)) != expected->second) {
        bad(buffer_ + tensor.begin, "'", shown(tensor.name), "': wrong checksum");
    }
}

void SafetensorsFile::verify() const {
    for (const StoredTensor& tensor : tensors_) verify(tensor);
}

const StoredTensor& SafetensorsFile::get(const std::string& name) const {
    const StoredTensor* tensor = find(name);
    if (tensor == nullptr) bad(kPrefixBytes, "'", shown(name), "': there is no such tensor");
    verify(*tensor);
    return *tensor;
}

Tensor SafetensorsFile::load(const std::string& name) const {
    const StoredTensor& stored = get(name);
    const ByteView bytes = bytes_of(stored);
    const bool is_f64 = stored.type == StoredType::f64;
    if (!is_f64 && stored.type != StoredType::f32 && stored.type != StoredType::f16 &&
        stored.type != StoredType::bf16) {
        bad(buffer_ + stored.begin, "'", shown(name), "': dtype ", name_of(stored.type),
            " where F32, F64, F16 or BF16 is needed");
    }
    Tensor out(Shape(stored.sizes), is_f64 ? DType::f64 : DType::f32);
    if (out.count() == 0) return out;
    switch (stored.type) {
        case StoredType::f16:
            widen(bytes, out.data<float>(), half_to_float);
            break;
        case StoredType::bf16:
            widen(bytes, out.data<float>(), bfloat_to_float);
            break;
        default:
            std::memcpy(out.raw(), bytes.data(), bytes.size());
    }
    return out;
}

std::vector<std::int64_t> SafetensorsFile::load_integers(const std::string& name) const {
    const StoredTensor& stored = get(name);
    const ByteView bytes = bytes_of(stored);
    switch (stored.type) {
        case StoredType::i64:
            return integers<std::int64_t>(bytes);
        case StoredType::i32:
            return integers<std::int32_t>(bytes);
        case StoredType::i16:
            return integers<std::int16_t>(bytes);
        case StoredType::i8:
            return integers<std::int8_t>(bytes);
        case StoredType::u8:
        case StoredType::boolean:
            return integers<std::uint8_t>(bytes);
        default:
            bad(buffer_ + stored.begin, "'", shown(name), "': dtype ", name_of(stored.type),
                " where an integer type is needed");
    }
}

}  // namespace soma::data
