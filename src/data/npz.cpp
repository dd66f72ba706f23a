// Zip archives of .npy members (PKWARE appnote 6.3, without zip64).
//
//   [local header, name, extra, data] ...  [directory entry, name, extra, comment] ...  [end
//   record]
//
// The directory is the truth; a local header is read only to find where its data begin.

#include <zlib.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "data/byte_reader.h"
#include "soma/core/error.h"
#include "soma/data/gzip.h"
#include "soma/data/npy.h"

namespace soma::data {
namespace {

constexpr std::uint32_t kLocalMagic = 0x04034b50, kEntryMagic = 0x02014b50, kEndMagic = 0x06054b50;
constexpr Index kLocalBytes = 30, kEndBytes = 22, kMaxComment = 0xFFFF;
constexpr Index kZipLimit = 0xFFFFFFFE;
constexpr Index kMaxMembers = 0xFFFF;
constexpr std::uint16_t kEncrypted = 1, kStored = 0, kDeflated = 8, kVersion = 20;
constexpr std::uint16_t kFirstDosDate = 0x21;  // 1980-01-01: no clock in the file
constexpr std::string_view kSuffix = ".npy";

struct Entry {
    std::string name;
    std::uint16_t flags = 0, method = 0;
    std::uint32_t crc = 0;
    Index packed = 0, size = 0, local = 0;
};

std::uint32_t crc_of(ByteView bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

Index find_end_record(ByteReader& in, ByteView bytes) {
    const Index size = static_cast<Index>(bytes.size());
    for (Index at = size - kEndBytes; at >= std::max(Index{0}, size - kEndBytes - kMaxComment);
         --at) {
        in.seek(at, "end record");
        if (in.little<std::uint32_t>("end record") == kEndMagic) return at;
    }
    in.seek(0, "end record");
    in.bad("end record", "not a zip archive, or its end is missing");
}

Entry read_entry(ByteReader& in) {
    if (in.little<std::uint32_t>("directory entry") != kEntryMagic) {
        in.bad("directory entry", "wrong magic");
    }
    Entry e;
    in.take(4, "versions");
    e.flags = in.little<std::uint16_t>("flags");
    e.method = in.little<std::uint16_t>("method");
    in.take(4, "time");
    e.crc = in.little<std::uint32_t>("crc");
    e.packed = in.little<std::uint32_t>("compressed size");
    e.size = in.little<std::uint32_t>("size");
    const Index name = in.little<std::uint16_t>("name length");
    const Index extra = in.little<std::uint16_t>("extra length");
    const Index comment = in.little<std::uint16_t>("comment length");
    in.take(8, "attributes");
    e.local = in.little<std::uint32_t>("local offset");
    const ByteView text = in.take(name, "name");
    e.name.assign(reinterpret_cast<const char*>(text.data()), text.size());
    in.take(extra + comment, "extra");
    return e;
}

// Contents of a member, checked against its directory entry.
Bytes read_member(ByteReader& in, const Entry& e, const std::string& file) {
    const std::string label = file + ":" + shown(e.name);
    if (e.flags & kEncrypted) in.bad("flags", shown(e.name), " is encrypted");
    if (e.method != kStored && e.method != kDeflated) {
        in.bad("method", shown(e.name), " uses method ", e.method,
               "; need 0 (stored) or 8 (deflate)");
    }
    in.seek(e.local, "local offset");
    if (in.little<std::uint32_t>("local header") != kLocalMagic) {
        in.bad("local header", shown(e.name), ": wrong magic");
    }
    in.take(kLocalBytes - 8, "local header");
    const Index name = in.little<std::uint16_t>("name length");
    const Index extra = in.little<std::uint16_t>("extra length");
    in.take(name + extra, "name");
    const ByteView packed = in.take(e.packed, "data");
    if (e.method == kStored && e.size != e.packed) {
        in.bad("size", shown(e.name), ": ", e.size, " bytes stored as ", e.packed);
    }
    Bytes bytes = e.method == kStored ? Bytes(packed.begin(), packed.end())
                                      : inflate_raw(packed, e.size, label);
    if (crc_of(bytes) != e.crc) in.bad("crc", shown(e.name), ": wrong checksum");
    return bytes;
}

// The fields that local header and directory entry share, from the version on.
void append_common(Bytes& out, const Bytes& npy, const std::string& name, Index extra) {
    append_little(out, kVersion);
    append_little(out, std::uint16_t{0});
    append_little(out, kStored);
    append_little(out, std::uint16_t{0});
    append_little(out, kFirstDosDate);
    append_little(out, crc_of(npy));
    append_little(out, static_cast<std::uint32_t>(npy.size()));
    append_little(out, static_cast<std::uint32_t>(npy.size()));
    append_little(out, static_cast<std::uint16_t>(name.size()));
    append_little(out, static_cast<std::uint16_t>(extra));
}

void append_text(Bytes& out, const std::string& text) {
    const ByteView bytes = as_bytes(text);
    out.insert(out.end(), bytes.begin(), bytes.end());
}

// An extra field that moves the data to a multiple of 64 bytes: id, length, zeros.
void append_padding(Bytes& out, Index bytes) {
    if (bytes == 0) return;
    append_little(out, std::uint16_t{0x4d53});
    append_little(out, static_cast<std::uint16_t>(bytes - 4));
    out.resize(out.size() + static_cast<std::size_t>(bytes - 4));
}

}  // namespace

std::vector<NpzMember> read_npz(ByteView bytes, const std::string& name) {
    ByteReader in("npz", name, bytes);
    in.seek(find_end_record(in, bytes) + 8, "end record");
    in.take(2, "entries on this disk");
    const Index count = in.little<std::uint16_t>("entries");
    const Index directory_bytes = in.little<std::uint32_t>("directory size");
    const Index directory = in.little<std::uint32_t>("directory offset");
    if (directory > kZipLimit || directory_bytes > kZipLimit)
        in.bad("directory", "zip64 is refused");
    in.seek(directory, "directory offset");
    std::vector<NpzMember> members;
    std::set<std::string> seen;
    Index unpacked = 0;
    for (Index i = 0; i < count; ++i) {
        const Entry e = read_entry(in);
        const Index next = in.offset();
        if (!seen.insert(e.name).second) in.bad("name", "'", shown(e.name), "' occurs twice");
        if (!e.name.ends_with(kSuffix))
            in.bad("name", "'", shown(e.name), "' is not a .npy member");
        unpacked += e.size;
        if (unpacked > inflate_limit(bytes)) in.bad("size", "the members inflate to too much");
        const Bytes npy = read_member(in, e, name);
        members.push_back({e.name.substr(0, e.name.size() - kSuffix.size()),
                           read_npy(npy, name + ":" + shown(e.name))});
        in.seek(next, "directory");
    }
    return members;
}

Bytes write_npz(std::span<const NpzMember> members) {
    SOMA_CHECK(static_cast<Index>(members.size()) <= kMaxMembers, "write_npz: ", members.size(),
               " members; the limit is ", kMaxMembers);
    std::set<std::string> seen;
    Bytes out, directory;
    for (const auto& [stem, array] : members) {
        SOMA_CHECK(!stem.empty() && stem.size() < 4096 && seen.insert(stem).second,
                   "write_npz: name '", stem, "' is empty, too long or occurs twice");
        const std::string name = stem + std::string(kSuffix);
        const Bytes npy = write_npy(array);
        const Index begin = static_cast<Index>(out.size());
        const Index plain = begin + kLocalBytes + static_cast<Index>(name.size());
        Index padding = round_up(plain, 64) - plain;
        if (padding > 0 && padding < 4) padding += 64;  // an extra field has a head of 4 bytes
        SOMA_CHECK(plain + padding + static_cast<Index>(npy.size()) <= kZipLimit,
                   "write_npz: the archive is larger than 4 GB");
        append_little(out, kLocalMagic);
        append_common(out, npy, name, padding);
        append_text(out, name);
        append_padding(out, padding);
        out.insert(out.end(), npy.begin(), npy.end());
        append_little(directory, kEntryMagic);
        append_little(directory, kVersion);
        append_common(directory, npy, name, 0);
        directory.resize(directory.size() + 10);  // comment length, disk, attributes
        append_little(directory, static_cast<std::uint32_t>(begin));
        append_text(directory, name);
    }
    const auto offset = static_cast<std::uint32_t>(out.size());
    out.insert(out.end(), directory.begin(), directory.end());
    append_little(out, kEndMagic);
    append_little(out, std::uint32_t{0});  // disks
    append_little(out, static_cast<std::uint16_t>(members.size()));
    append_little(out, static_cast<std::uint16_t>(members.size()));
    append_little(out, static_cast<std::uint32_t>(directory.size()));
    append_little(out, offset);
    append_little(out, std::uint16_t{0});
    return out;
}

}  // namespace soma::data
