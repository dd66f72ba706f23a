#include "soma/data/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "soma/core/error.h"

namespace soma::data {
namespace {

constexpr int kGzipWindow = 16 + MAX_WBITS;  // zlib's code for "gzip header and CRC"
constexpr int kRawWindow = -MAX_WBITS;
constexpr Index kChunk = 1 << 16;
constexpr Index kFreeOutput = Index{64} << 20;
constexpr Index kOutputPerInput = 64;

// A zlib decoder that is released with its owner.
class Inflater {
public:
    Inflater(ByteView bytes, int window, const std::string& name) : name_(name), total_(bytes) {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
        if (inflateInit2(&stream_, window) != Z_OK) {
            fail(ErrorCode::internal, "gzip: zlib did not start");
        }
    }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    std::size_t consumed() const {
        return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(stream_.next_in) -
                                        total_.data());
    }
    ByteView rest() const { return total_.subspan(consumed()); }
    void next_member() { inflateReset(&stream_); }

    // Appends one member to out, at most to `limit` bytes in all.
    void member(Bytes& out, Index limit) {
        for (int status = Z_OK; status != Z_STREAM_END;) {
            const auto begin = out.size();
            const auto room = std::min(std::max<std::size_t>(kChunk, begin),
                                       static_cast<std::size_t>(limit) + 1 - begin);
            out.resize(begin + std::min<std::size_t>(room, 1u << 30));
            stream_.next_out = reinterpret_cast<Bytef*>(out.data() + begin);
            stream_.avail_out = static_cast<uInt>(out.size() - begin);
            stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(rest().size(), 1u << 30));
            const bool starved = stream_.avail_in == 0;
            status = inflate(&stream_, Z_NO_FLUSH);
            out.resize(out.size() - stream_.avail_out);
            if (static_cast<Index>(out.size()) > limit) bad("more than ", limit, " bytes inside");
            if (status == Z_BUF_ERROR || (status == Z_OK && starved && stream_.avail_out > 0)) {
                bad("truncated");
            }
            if (status != Z_OK && status != Z_STREAM_END) {
                bad(stream_.msg ? stream_.msg : "damaged");
            }
        }
    }

    template <class... Parts>
    [[noreturn]] void bad(const Parts&... parts) const {
        fail(ErrorCode::data, "gzip: ", name_, ": offset ", consumed(), ": data: ", parts...);
    }

private:
    const std::string& name_;
    ByteView total_;
    z_stream stream_{};
};

}  // namespace

Index inflate_limit(ByteView compressed) {
    return kFreeOutput + kOutputPerInput * static_cast<Index>(compressed.size());
}

bool is_gzip(ByteView bytes) {
    return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

Bytes gunzip(ByteView bytes, const std::string& name) {
    const Index limit = inflate_limit(bytes);
    Inflater inflater(bytes, kGzipWindow, name);
    Bytes out;
    inflater.member(out, limit);
    while (!inflater.rest().empty()) {
        if (!is_gzip(inflater.rest())) inflater.bad("bytes after the end");
        inflater.next_member();
        inflater.member(out, limit);
    }
    return out;
}

Bytes inflate_raw(ByteView bytes, Index size, const std::string& name) {
    Inflater inflater(bytes, kRawWindow, name);
    Bytes out;
    inflater.member(out, size);
    if (static_cast<Index>(out.size()) != size || !inflater.rest().empty()) {
        inflater.bad("holds ", out.size(), " bytes with ", inflater.rest().size(),
                     " left over; the directory says ", size, " and 0");
    }
    return out;
}

Bytes gzip(ByteView bytes) {
    z_stream stream{};
    if (deflateInit2(&stream, 6, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        fail(ErrorCode::internal, "gzip: zlib did not start");
    }
    Bytes out;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    std::size_t left = bytes.size();
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        const auto feed = std::min<std::size_t>(left, 1u << 30);
        left -= feed;
        stream.avail_in += static_cast<uInt>(feed);
        do {
            const auto begin = out.size();
            out.resize(begin + kChunk);
            stream.next_out = reinterpret_cast<Bytef*>(out.data() + begin);
            stream.avail_out = static_cast<uInt>(kChunk);
            status = deflate(&stream, left == 0 ? Z_FINISH : Z_NO_FLUSH);
            out.resize(out.size() - stream.avail_out);
        } while (stream.avail_out == 0 && status != Z_STREAM_END);
    }
    deflateEnd(&stream);
    return out;
}

}  // namespace soma::data
