// Hostile files, made here, each named by the defect it would trigger in a careless reader. The
// corpus for safetensors stands in safetensors_test.cpp.

#include <gtest/gtest.h>

#include <cstring>

#include "data/byte_reader.h"
#include "data/support.h"
#include "soma/data/csv.h"
#include "soma/data/gzip.h"
#include "soma/data/idx.h"
#include "soma/data/npy.h"
#include "soma/data/png.h"

namespace soma::data {
namespace {

using test::error_of;
using test::to_bytes;

struct Hostile {
    const char* bug;
    Bytes file;
    const char* message;  // what the error must say
};

Bytes join(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

// Every file is refused with Error(data) that names file, offset and defect.
template <class Read>
void expect_refused(const std::vector<Hostile>& files, Read&& read) {
    for (const Hostile& h : files) {
        SCOPED_TRACE(h.bug);
        const std::string message = error_of(ErrorCode::data, [&] { read(h.file, "bad"); });
        EXPECT_NE(message.find(": bad"), std::string::npos) << message;
        EXPECT_NE(message.find("offset "), std::string::npos) << message;
        EXPECT_NE(message.find(h.message), std::string::npos) << message;
    }
}

Bytes idx(std::uint32_t magic, std::initializer_list<std::uint32_t> sizes, std::size_t bytes) {
    Bytes file;
    append_big(file, magic);
    for (const std::uint32_t n : sizes) append_big(file, n);
    file.resize(file.size() + bytes);
    return file;
}

TEST(HostileIdx, IsRefused) {
    const std::uint32_t huge = 0xFFFFFFFF;
    Bytes bomb = gzip(Bytes(std::size_t{100} << 20));  // 100 MiB of zeros in 100 KB
    const Bytes good = gzip(idx(0x801, {2}, 2));
    Bytes wrong_crc = good, wrong_size = good, cut = good, trailing = good, reserved = good;
    wrong_crc[good.size() - 8] ^= std::byte{1};
    wrong_size[good.size() - 4] ^= std::byte{1};
    cut.resize(good.size() - 9);
    trailing.push_back(std::byte{0});
    reserved[3] |= std::byte{0x80};
    expect_refused(
        {{"empty file", {}, "need 2 bytes, 0 are left"},
         {"magic of another format", to_bytes("PNG!"), "two zero bytes"},
         {"little-endian magic", idx(0x03080000, {1, 1, 1}, 1), "two zero bytes"},
         {"unknown type", idx(0x703, {1, 1, 1}, 1), "unknown type 7"},
         {"type between the known ones", idx(0xA01, {1}, 2), "unknown type 10"},
         {"rank 0", idx(0x800, {}, 1), "rank: 0"},
         {"rank 255", idx(0x8FF, {1, 1, 1}, 1), "rank: 255"},
         {"rank 9", idx(0x809, {1, 1, 1, 1, 1, 1, 1, 1, 1}, 1), "rank: 9"},
         {"sizes beyond the file", idx(0x803, {1, 1}, 0), "need 4 bytes"},
         {"product wraps 32 bits", idx(0x803, {65536, 65536, 1}, 0), "need 4294967296 bytes"},
         {"product wraps 64 bits", idx(0x804, {huge, huge, huge, huge}, 0), "overflows"},
         {"product x element size wraps", idx(0xE02, {huge, huge}, 0), "overflows"},
         {"4 GB claimed in 8 bytes", idx(0x801, {huge}, 0), "need 4294967295 bytes"},
         {"one byte short", idx(0x803, {2, 3, 4}, 23), "need 24 bytes, the file has 23"},
         {"one byte too long", idx(0x803, {2, 3, 4}, 25), "need 24 bytes, the file has 25"},
         {"zero samples with data", idx(0x803, {0, 3, 4}, 12), "need 0 bytes"},
         {"gzip bomb", bomb, "more than"},
         {"gzip with a wrong checksum", wrong_crc, "incorrect data check"},
         {"gzip with a wrong length", wrong_size, "incorrect length check"},
         {"gzip cut before its trailer", cut, "truncated"},
         {"gzip head alone", to_bytes("\x1f\x8b"), "truncated"},
         {"gzip with bytes after the end", trailing, "bytes after the end"},
         {"gzip with reserved flags", reserved, "unknown header flags"},
         {"gzip inside gzip", gzip(good), "two zero bytes"}},
        read_idx);
}

TEST(HostileCsv, IsRefused) {
    const auto numbers = [](ByteView b, const std::string& n) { read_csv_numbers(b, n); };
    expect_refused({{"text for a number", to_bytes("1,x\n"), "line 1, field 2: 'x'"},
                    {"empty file", {}, "the file is empty"},
                    {"terminal escape in a field", to_bytes("\x1b[2J\n"), "'?[2J'"},
                    {"empty field", to_bytes("1,\n"), "field 2"},
                    {"empty line", to_bytes("1\n\n2\n"), "line 2, field 1"},
                    {"ragged line", to_bytes("1,2\n3\n"), "line 2: 1 fields; the first line has 2"},
                    {"longer line", to_bytes("1\n2,3\n"), "line 2: 2 fields"},
                    {"infinity", to_bytes("inf\n"), "finite"},
                    {"not a number", to_bytes("nan\n"), "finite"},
                    {"beyond f64", to_bytes("1e999\n"), "finite"},
                    {"trailing garbage", to_bytes("12abc\n"), "finite"},
                    {"comma decimal of another locale", to_bytes("\"1,5\"\n"), "finite"},
                    {"hexadecimal", to_bytes("0x10\n"), "finite"},
                    {"formula", to_bytes("=1+1\n"), "finite"},
                    {"quote not closed", to_bytes("1,\"2\n3,4\n"), "not closed"},
                    {"text after a quote", to_bytes("\"1\"2\n"), "after a closing quote"},
                    {"quote inside a field", to_bytes("1\"2\"\n"), "inside an unquoted field"},
                    {"NUL byte", Bytes(3), "finite"},
                    {"byte order mark",
                     to_bytes("\xEF\xBB\xBF"
                              "1\n"),
                     "finite"},
                    {"carriage returns alone", to_bytes("1\r2\r"), "finite"}},
                   numbers);
}

Bytes npy(const std::string& header, std::size_t bytes, const std::string& version = {1, 0}) {
    Bytes file = to_bytes("\x93NUMPY" + version);
    if (version[0] == 1) {
        append_little(file, static_cast<std::uint16_t>(header.size()));
    } else {
        append_little(file, static_cast<std::uint32_t>(header.size()));
    }
    return join({file, to_bytes(header), Bytes(bytes)});
}

std::string dict(const std::string& descr, const std::string& shape,
                 const std::string& order = "False") {
    return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

TEST(HostileNpy, IsRefused) {
    const std::string f4 = "'<f4'";
    expect_refused(
        {{"empty file", {}, "magic"},
         {"wrong magic", to_bytes("\x93NUMPX\x01\x00"), "magic"},
         {"version 4", npy(dict(f4, "(1,)"), 4, {4, 0}), "version: 4"},
         {"version 0", npy(dict(f4, "(1,)"), 4, {0, 0}), "version: 0"},
         {"header of 4 GB",
          join({to_bytes("\x93NUMPY\x02" + std::string(1, '\0')), Bytes(4, std::byte{0xFF})}),
          "the limit is 10000"},
         {"header beyond the file",
          join({to_bytes("\x93NUMPY\x01" + std::string(1, '\0')), Bytes(2, std::byte{0x10})}),
          "header: need 4112 bytes"},
         {"object type holds a pickle", npy(dict("'|O'", "(1,)"), 8), "object types are refused"},
         {"object type in a byte order", npy(dict("'<O8'", "(1,)"), 8), "object types"},
         {"structured type", npy(dict("[('a', '<f4')]", "(1,)"), 4), "structured types"},
         {"big-endian elements", npy(dict("'>f4'", "(1,)"), 4), "not one of the types"},
         {"text elements", npy(dict("'<U4'", "(1,)"), 16), "not one of the types"},
         {"empty type", npy(dict("''", "(1,)"), 4), "not one of the types"},
         {"type without byte order", npy(dict("'|f4'", "(1,)"), 4), "not one of the types"},
         {"negative size", npy(dict(f4, "(-1,)"), 4), "need a size"},
         {"size above 2^63", npy(dict(f4, "(9223372036854775808,)"), 4), "need a size"},
         {"product wraps", npy(dict(f4, "(4294967296, 4294967296)"), 0), "overflows"},
         {"product x element size wraps", npy(dict(f4, "(4611686018427387904,)"), 0), "overflows"},
         {"shape is a number", npy(dict(f4, "(3)"), 12), "need ',' in the shape"},
         {"shape is a list", npy(dict(f4, "[3]"), 12), "need '('"},
         {"shape is a call", npy(dict(f4, "eval('1')"), 4), "need '('"},
         {"rank 9", npy(dict(f4, "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), 4), "rank is 9"},
         {"Fortran order of rank 3", npy(dict(f4, "(1, 1, 1)", "True"), 4), "up to rank 2"},
         {"order is a number", npy(dict(f4, "(1,)", "0"), 4), "True or False"},
         {"missing key", npy("{'descr': '<f4', 'shape': (1,)}\n", 4), "need descr"},
         {"unknown key", npy("{'descr': '<f4', 'x': 1}\n", 4), "unknown key 'x'"},
         {"repeated key", npy("{'descr': '<f4', 'descr': '<f8'}\n", 4), "occurs twice"},
         {"quote not closed", npy("{'descr", 4), "not closed"},
         {"dict not closed", npy("{'descr': '<f4'", 4), "need ','"},
         {"text after the dict", npy("{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", 4),
          "after the closing brace"},
         {"nesting bomb", npy("{'shape': " + std::string(9000, '('), 0), "need a size"},
         {"one element short", npy(dict(f4, "(3,)"), 8), "need 12 bytes, the file has 8"},
         {"one byte too long", npy(dict(f4, "(3,)"), 13), "need 12 bytes, the file has 13"}},
        read_npy);
}

// A zip archive with one stored member whose fields are as given.
struct ZipFields {
    std::string name = "a.npy";
    std::uint16_t flags = 0, method = 0, entries = 1;
    std::uint32_t packed = 0, size = 0, local = 0;  // sizes: differences from the true ones
    std::uint32_t crc_error = 0, directory_error = 0;
};

Bytes zip(const ZipFields& f) {
    const NpzMember member{f.name.substr(0, f.name.size() - 4),
                           {NpyType::u8, {4}, Bytes(4, std::byte{9})}};
    Bytes file = write_npz(std::span(&member, 1));
    const auto put = [&](std::size_t at, auto delta) {
        for (std::size_t i = 0; i < sizeof(delta); ++i) {
            file[at + i] ^= static_cast<std::byte>(delta >> 8 * i);
        }
    };
    const std::size_t end = file.size() - 22, entry = end - 46 - f.name.size();
    put(entry + 8, f.flags);
    put(entry + 10, f.method);
    put(entry + 16, f.crc_error);
    put(entry + 20, f.packed);
    put(entry + 24, f.size);
    put(entry + 42, f.local);
    put(end + 10, static_cast<std::uint16_t>(f.entries ^ 1));
    put(end + 16, f.directory_error);
    return file;
}

TEST(HostileNpz, IsRefused) {
    Bytes other_suffix = zip({});
    for (std::size_t i = 0; i + 5 <= other_suffix.size(); ++i) {
        if (std::memcmp(&other_suffix[i], "a.npy", 5) == 0) other_suffix[i + 4] = std::byte{'x'};
    }
    const NpzMember twice{"a", {NpyType::u8, {1}, Bytes(1)}}, once{"b", twice.array};
    Bytes repeated = write_npz(std::vector<NpzMember>{twice, once});
    for (std::size_t i = 0; i + 5 <= repeated.size(); ++i) {
        if (std::memcmp(&repeated[i], "b.npy", 5) == 0) repeated[i] = std::byte{'a'};
    }
    expect_refused(
        {{"empty file", {}, "not a zip archive"},
         {"no end record", Bytes(100), "not a zip archive"},
         {"end record cut", to_bytes("PK\x05\x06"), "not a zip archive"},
         {"encrypted member", zip({.flags = 1}), "encrypted"},
         {"unknown method", zip({.method = 12}), "method 12"},
         {"stored bytes as deflate", zip({.method = 8}), "gzip: bad:a.npy"},
         {"member beyond the file", zip({.packed = 0x40000000, .size = 0x40000000}), "too much"},
         {"compressed size beyond the file", zip({.packed = 0x10000}), "data: need"},
         {"stored sizes that differ", zip({.size = 0x100}), "stored as"},
         {"deflate bomb", zip({.method = 8, .size = 0x70000000}), "too much"},
         {"wrong checksum", zip({.crc_error = 1}), "wrong checksum"},
         {"local header outside", zip({.local = 0x7FFFFFFF}), "local offset"},
         {"local header inside another structure", zip({.local = 1}), "wrong magic"},
         {"directory outside", zip({.directory_error = 0x40000000}), "directory offset"},
         {"directory at the wrong place", zip({.directory_error = 1}), "wrong magic"},
         {"more entries than there are", zip({.entries = 9}), "wrong magic"},
         {"zip64", zip({.directory_error = ~std::uint32_t{0x80}}), "directory"},
         {"repeated name", repeated, "occurs twice"},
         {"member that is no array", other_suffix, "not a .npy member"}},
        read_npz);
}

Bytes png_chunk(const std::string& type, const Bytes& data) {
    Bytes chunk;
    append_big(chunk, static_cast<std::uint32_t>(data.size()));
    const Bytes body = join({to_bytes(type), data});
    // CRC-32 of a zip entry is the PNG polynomial; gzip's trailer carries it.
    const Bytes packed = gzip(body);
    std::uint32_t crc = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        crc |= static_cast<std::uint32_t>(packed[packed.size() - 8 + i]) << 8 * i;
    }
    chunk = join({chunk, body});
    append_big(chunk, crc);
    return chunk;
}

Bytes png(std::uint32_t width, std::uint32_t height, std::uint8_t depth, std::uint8_t colour,
          const Bytes& rest = {}) {
    Bytes header;
    append_big(header, width);
    append_big(header, height);
    for (const std::uint8_t b :
         {depth, colour, std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}}) {
        append_big(header, b);
    }
    return join({to_bytes("\x89PNG\r\n\x1a\n"), png_chunk("IHDR", header), rest});
}

TEST(HostilePng, IsRefused) {
    if (!png_available()) GTEST_SKIP() << "no libpng";
    Bytes wrong_crc = png(1, 1, 8, 0, png_chunk("IDAT", Bytes(1)));
    wrong_crc[30] ^= std::byte{1};
    const Bytes some_data = png_chunk("IDAT", to_bytes("not zlib at all"));
    expect_refused(
        {{"empty file", {}, "image"},
         {"wrong magic", to_bytes("\x89PNX\r\n\x1a\n"), "PNG"},
         {"head alone", png(1, 1, 8, 0), "image"},
         {"width 0", png(0, 1, 8, 0, some_data), "image"},
         {"4 Gpixel wide", png(0xFFFFFFFF, 1, 8, 0, some_data), "image"},
         {"wide beyond libpng's limit", png(2000000, 1, 8, 0, some_data), "image"},
         {"65 Mpixel in 60 bytes", png(65000, 1100, 8, 0, some_data), "limits"},
         {"256 MB in 60 bytes", png(8000, 8000, 8, 6, some_data), "limits"},
         {"depth 3", png(1, 1, 3, 0, some_data), "image"},
         {"colour type 5", png(1, 1, 8, 5, some_data), "image"},
         {"palette image without palette", png(1, 1, 8, 3, some_data), "image"},
         {"wrong checksum of the head", wrong_crc, "image"},
         {"pixels that do not inflate", png(1, 1, 8, 0, some_data), "image"},
         {"chunk longer than the file",
          png(1, 1, 8, 0, join({Bytes(4, std::byte{0x7F}), to_bytes("IDAT")})), "image"}},
        [](ByteView b, const std::string& n) { read_png(b, n); });
}

}  // namespace
}  // namespace soma::data
