#pragma once
// ByteReader: a bounded cursor over the bytes of a file; the base of every binary reader.
//
// Nothing is read past the end and nothing is allocated on a file's word alone: take() proves the
// bytes are present first. Every failure is Error(data) with format, file, offset and field:
//     "idx: train-images: offset 4: rows: need 4 bytes, 2 are left"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "soma/core/error.h"
#include "soma/core/types.h"
#include "soma/data/file.h"

namespace soma::data {

// The beginning of a text from a file, fit for a message: control bytes become '?', so that no file
// can write escape codes to a terminal.
inline std::string shown(std::string_view text) {
    constexpr std::size_t kMost = 40;
    std::string out(text.substr(0, kMost));
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') c = '?';
    }
    return out;
}

// Product or sum of sizes claimed by a file; nullopt on overflow of Index.
inline std::optional<Index> checked_multiply(Index a, Index b) {
    Index result = 0;
    if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
    return result;
}
inline std::optional<Index> checked_add(Index a, Index b) {
    Index result = 0;
    if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
    return result;
}

class ByteReader {
public:
    ByteReader(std::string format, std::string name, ByteView bytes)
        : format_(std::move(format)), name_(std::move(name)), bytes_(bytes) {}

    Index offset() const { return offset_; }
    Index remaining() const { return static_cast<Index>(bytes_.size()) - offset_; }
    void seek(Index offset, const char* field) {
        if (offset < 0 || offset > static_cast<Index>(bytes_.size())) {
            bad(field, "points to byte ", offset, " of ", bytes_.size());
        }
        offset_ = offset;
    }

    ByteView take(Index n, const char* field) {
        if (n < 0 || n > remaining()) bad(field, "need ", n, " bytes, ", remaining(), " are left");
        const auto begin = static_cast<std::size_t>(std::exchange(offset_, offset_ + n));
        return bytes_.subspan(begin, static_cast<std::size_t>(n));
    }
    // An unsigned number in the named byte order.
    template <class T>
    T big(const char* field) {
        std::uint64_t value = 0;
        for (const std::byte b : take(sizeof(T), field)) {
            value = value << 8 | static_cast<std::uint64_t>(b);
        }
        return static_cast<T>(value);
    }
    template <class T>
    T little(const char* field) {
        std::uint64_t value = 0;
        int shift = 0;
        for (const std::byte b : take(sizeof(T), field)) {
            value |= static_cast<std::uint64_t>(b) << shift;
            shift += 8;
        }
        return static_cast<T>(value);
    }

    template <class... Parts>
    [[noreturn]] void bad(const char* field, const Parts&... parts) const {
        fail(ErrorCode::data, format_, ": ", name_, ": offset ", offset_, ": ", field, ": ",
             parts...);
    }

private:
    std::string format_, name_;
    ByteView bytes_;
    Index offset_ = 0;
};

// Appends an unsigned number in the named byte order.
template <class T>
void append_big(Bytes& out, T value) {
    for (int shift = 8 * static_cast<int>(sizeof(T)) - 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> shift));
    }
}
template <class T>
void append_little(Bytes& out, T value) {
    for (int shift = 0; shift < 8 * static_cast<int>(sizeof(T)); shift += 8) {
        out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> shift));
    }
}

}  // namespace soma::data
