// Every reader: a round trip with its writer, a cut at every byte, a flip of every bit.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "data/support.h"
#include "soma/data/csv.h"
#include "soma/data/gzip.h"
#include "soma/data/idx.h"
#include "soma/data/npy.h"
#include "soma/data/png.h"

namespace soma::data {
namespace {

using test::to_bytes;

Bytes numbered_bytes(std::size_t n) {
    Bytes bytes(n);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(7 * i + i / 256);
    return bytes;
}

TEST(Idx, RoundTripsEveryTypeAndReadsBigEndian) {
    for (const IdxType type :
         {IdxType::u8, IdxType::i8, IdxType::i16, IdxType::i32, IdxType::f32, IdxType::f64}) {
        const std::size_t size = type == IdxType::f64   ? 8
                                 : type >= IdxType::i32 ? 4
                                 : type == IdxType::i16 ? 2
                                                        : 1;
        const IdxArray array{type, {2, 3, 1}, numbered_bytes(6 * size)};
        const Bytes file = write_idx(array);
        for (const Bytes& bytes : {file, gzip(file)}) {
            const IdxArray read = read_idx(bytes, "memory");
            EXPECT_EQ(read.type, type);
            EXPECT_EQ(read.sizes, array.sizes);
            EXPECT_EQ(read.elements, array.elements);
        }
    }
    const Bytes file = {std::byte{0}, std::byte{0}, std::byte{0x0B}, std::byte{1}, std::byte{0},
                        std::byte{0}, std::byte{0}, std::byte{1},    std::byte{1}, std::byte{2}};
    std::int16_t value = 0;
    std::memcpy(&value, read_idx(file, "memory").elements.data(), 2);
    EXPECT_EQ(value, 0x0102);
}

TEST(Gzip, RoundTripsAlsoAcrossMembersAndEmpty) {
    const Bytes data = numbered_bytes(300000);
    EXPECT_EQ(gunzip(gzip(data), "memory"), data);
    EXPECT_EQ(gunzip(gzip({}), "memory"), Bytes{});
    Bytes two = gzip(as_bytes("ab"));
    const Bytes second = gzip(as_bytes("cd"));
    two.insert(two.end(), second.begin(), second.end());
    EXPECT_EQ(gunzip(two, "memory"), to_bytes("abcd"));
}

TEST(Csv, ReadsQuotesLineEndingsAndHeaders) {
    const std::string text = "a,\"b \"\"c\"\"\",\"d,\ne\"\r\n,x,\n";
    CsvReader reader(as_bytes(text), "memory");
    std::vector<std::string> fields;
    ASSERT_TRUE(reader.next(fields));
    EXPECT_EQ(fields, (std::vector<std::string>{"a", "b \"c\"", "d,\ne"}));
    ASSERT_TRUE(reader.next(fields));
    EXPECT_EQ(fields, (std::vector<std::string>{"", "x", ""}));
    EXPECT_EQ(reader.line(), 3);
    EXPECT_FALSE(reader.next(fields));
}

TEST(Csv, ReadsNumbersOfATable) {
    const std::string text = "x,y\n1,-2.5e-3\n \"4\" , 5\n";
    EXPECT_THROW(read_csv_numbers(as_bytes(text), "memory", {.header = true}), Error);
    const std::string good = "x,y\n1,-2.5e-3\n\"4\", 5";
    for (const Bytes& bytes : {to_bytes(good), gzip(as_bytes(good))}) {
        const NumberTable table = read_csv_numbers(bytes, "memory", {.header = true});
        EXPECT_EQ(table.header, (std::vector<std::string>{"x", "y"}));
        EXPECT_EQ(table.values, (std::vector<double>{1, -2.5e-3, 4, 5}));
        EXPECT_EQ(table.rows, 2);
        EXPECT_EQ(table.cols, 2);
    }
}

TEST(Npy, RoundTripsTensorsAndIntegers) {
    for (const Shape& shape : {Shape{2, 3}, Shape{6}, Shape{6, 1, 1}}) {
        for (const DType dtype : {DType::f32, DType::f64}) {
            const Tensor tensor = Tensor::from(shape, {1, 2, 3, 4.5, 5, -6}, dtype);
            const Bytes file = write_npy(NpyArray::from(tensor));
            EXPECT_EQ((file.size() - static_cast<std::size_t>(tensor.bytes())) % 64, 0u);
            const Tensor read = read_npy(file, "memory").to_tensor();
            EXPECT_EQ(read.shape(), shape);
            EXPECT_EQ(read.dtype(), dtype);
            for (Index i = 0; i < 6; ++i) EXPECT_EQ(read.at(i), tensor.at(i));
        }
    }
    const std::vector<std::int32_t> numbers{-1, 2, 1 << 30};
    const NpyArray read = read_npy(write_npy(NpyArray::from({3}, numbers)), "memory");
    EXPECT_EQ(read.to_integers(), (std::vector<std::int64_t>{-1, 2, 1 << 30}));
    EXPECT_EQ(read.to_tensor().at(0), -1.0);
    EXPECT_EQ(read_npy(write_npy(NpyArray::from(Tensor::from(Shape{}, {3}))), "m").sizes.size(),
              0u);
}

// A version-1 file with this header text and `elements` bytes of numbered data.
Bytes npy_file(const std::string& header, std::size_t elements) {
    Bytes file = to_bytes(std::string("\x93NUMPY\x01\x00", 8));
    file.push_back(static_cast<std::byte>(header.size() & 0xFF));
    file.push_back(static_cast<std::byte>(header.size() >> 8));
    for (const Bytes& part : {to_bytes(header), numbered_bytes(elements)}) {
        file.insert(file.end(), part.begin(), part.end());
    }
    return file;
}

TEST(Npy, TransposesFortranOrderOfRankTwo) {
    const Bytes file = npy_file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", 6);
    // Column-major bytes 0 7 14 21 28 35 are the columns (0, 7), (14, 21), (28, 35).
    EXPECT_EQ(read_npy(file, "memory").to_integers(),
              (std::vector<std::int64_t>{0, 14, 28, 7, 21, 35}));
}

TEST(Npz, RoundTripsMembersAtAlignedOffsets) {
    const std::vector<NpzMember> members = {
        {"images", NpyArray::from({2, 2}, std::vector<std::uint8_t>{1, 2, 3, 4})},
        {"w", NpyArray::from(Tensor::from({3}, {1, 2, 3}, DType::f64))}};
    const Bytes file = write_npz(members);
    const auto read = read_npz(file, "memory");
    ASSERT_EQ(read.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(read[i].name, members[i].name);
        EXPECT_EQ(read[i].array.sizes, members[i].array.sizes);
        EXPECT_EQ(read[i].array.elements, members[i].array.elements);
    }
    const Bytes magic = to_bytes("\x93NUMPY");
    std::size_t found = 0;
    for (auto at = file.begin(); found < 2; ++found, ++at) {
        at = std::search(at, file.end(), magic.begin(), magic.end());
        ASSERT_NE(at, file.end());
        EXPECT_EQ((at - file.begin()) % 64, 0);
    }
    EXPECT_EQ(read_npz(write_npz({}), "memory").size(), 0u);
}

TEST(Png, RoundTripsOneToFourChannels) {
    if (!png_available()) GTEST_SKIP() << "no libpng";
    for (Index channels = 1; channels <= 4; ++channels) {
        Image image{.height = 5, .width = 7, .channels = channels, .pixels = {}};
        for (Index i = 0; i < 35 * channels; ++i) {
            image.pixels.push_back(static_cast<std::uint8_t>(11 * i));
        }
        const Image read = read_png(write_png(image), "memory");
        EXPECT_EQ(read.channels, channels);
        EXPECT_EQ(read.height, 5);
        EXPECT_EQ(read.pixels, image.pixels);
    }
}

TEST(Png, CompositesTransparencyOnTheStatedColour) {
    if (!png_available()) GTEST_SKIP() << "no libpng";
    const Image image{.height = 1, .width = 2, .channels = 4, .pixels = {9, 9, 9, 0, 5, 6, 7, 255}};
    const Image read =
        read_png(write_png(image), "memory", {.keep_alpha = false, .background = {10, 20, 30}});
    EXPECT_EQ(read.channels, 3);
    EXPECT_EQ(read.pixels, (std::vector<std::uint8_t>{10, 20, 30, 5, 6, 7}));
}

// ---- sweeps: nothing but Error may leave a reader, whatever the bytes -------------------------

struct Sweep {
    const char* format;
    Bytes file;
    std::function<void(ByteView)> read;
};

std::vector<Sweep> sweeps() {
    const auto idx = [](ByteView b) { read_idx(b, "m"); };
    const auto csv = [](ByteView b) { read_csv_numbers(b, "m"); };
    const IdxArray array{IdxType::u8, {2, 32, 31}, numbered_bytes(1984)};
    std::string table;
    for (int i = 0; i < 170; ++i)
        table += std::to_string(i) + ",\"" + std::to_string(i * i) + "\"\n";
    const NpyArray npy{NpyType::f32, {20, 23}, numbered_bytes(1840)};
    const std::vector<NpzMember> members = {{"a", {NpyType::u8, {900}, numbered_bytes(900)}},
                                            {"b", {NpyType::i16, {200}, numbered_bytes(400)}}};
    std::vector<Sweep> all = {
        {"idx", write_idx(array), idx},
        {"idx.gz", gzip(write_idx(array)), idx},
        {"csv", to_bytes(table), csv},
        {"csv.gz", gzip(as_bytes(table)), csv},
        {"npy", write_npy(npy), [](ByteView b) { read_npy(b, "m").to_tensor(); }},
        {"npz", write_npz(members), [](ByteView b) { read_npz(b, "m"); }},
    };
    if (png_available()) {
        Image image{.height = 25, .width = 25, .channels = 3, .pixels = {}};
        for (const std::byte b : numbered_bytes(1875)) {
            image.pixels.push_back(static_cast<std::uint8_t>(b));
        }
        all.push_back({"png", write_png(image), [](ByteView b) { read_png(b, "m"); }});
    }
    return all;
}

// Whether the reader refused the bytes with Error(data); any other exception fails the test.
bool refuses(const Sweep& sweep, ByteView bytes) {
    try {
        sweep.read(bytes);
        return false;
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::data) << sweep.format << ": " << e.what();
        return true;
    }
}

TEST(Readers, ACutAtEveryByteIsAnErrorOrAWholeFile) {
    for (const Sweep& sweep : sweeps()) {
        SCOPED_TRACE(sweep.format);
        EXPECT_FALSE(refuses(sweep, sweep.file));
        const std::string format = sweep.format;
        for (std::size_t n = 0; n < sweep.file.size(); ++n) {
            // The bytes live in a block of their own size, so that a sanitizer sees any overrun.
            const Bytes cut(sweep.file.begin(),
                            sweep.file.begin() + static_cast<std::ptrdiff_t>(n));
            const bool refused = refuses(sweep, cut);
            // CSV may end after any line, and a PNG's pixels are complete before its last chunk.
            if (format != "csv" && format != "png") {
                EXPECT_TRUE(refused) << "cut at " << n;
            }
        }
    }
}

TEST(Readers, AFlipOfAnyBitIsAnErrorOrALoad) {
    for (const Sweep& sweep : sweeps()) {
        SCOPED_TRACE(sweep.format);
        int refused = 0;
        for (std::size_t bit = 0; bit < 8 * sweep.file.size(); ++bit) {
            Bytes flipped = sweep.file;
            flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
            refused += refuses(sweep, flipped);
        }
        EXPECT_GT(refused, 0);  // at least the magic counts
    }
}

}  // namespace
}  // namespace soma::data
