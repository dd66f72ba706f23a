// safetensors: what is written is read, types convert exactly, damage is found.

#include "soma/data/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "data/byte_reader.h"
#include "data/half.h"
#include "data/support.h"

namespace soma::data {
namespace {

using test::error_of;

std::vector<NamedTensor> some_tensors() {
    return {{"b.weight", Tensor::from({2, 3}, {1, 2, 3, 4, 5, -0.0})},
            {"a.bias", Tensor::from({3}, {0.5, 1e300, -1}, DType::f64)},
            {"c.scalar", Tensor::from(Shape{}, {7})},
            {"d.\"quoted\" \u00e9", Tensor::zeros({0, 4})}};
}

// A file from a header as text and a buffer.
Bytes file_of(const std::string& header, const Bytes& buffer = {}) {
    Bytes out;
    append_little(out, static_cast<std::uint64_t>(header.size()));
    const ByteView text = as_bytes(header);
    out.insert(out.end(), text.begin(), text.end());
    out.insert(out.end(), buffer.begin(), buffer.end());
    return out;
}

TEST(Safetensors, RoundTripKeepsEveryBitNameShapeAndText) {
    const Metadata metadata{{"step", "120"}, {"config", "{\"lr\": 0.1}\n"}};
    const auto tensors = some_tensors();
    const SafetensorsFile file(write_safetensors(tensors, metadata), "memory");
    EXPECT_EQ(file.metadata(), metadata);
    EXPECT_EQ(file.metadata("step"), "120");
    EXPECT_EQ(file.tensors().size(), 4u);
    for (const auto& [name, tensor] : tensors) {
        const Tensor loaded = file.load(name);
        EXPECT_EQ(loaded.shape(), tensor.shape());
        ASSERT_EQ(loaded.dtype(), tensor.dtype());
        if (tensor.count() == 0) continue;
        EXPECT_EQ(std::memcmp(loaded.raw(), tensor.raw(), static_cast<std::size_t>(tensor.bytes())),
                  0);
    }
    file.verify();
}

TEST(Safetensors, EqualTensorsGiveEqualBytesInAnyOrderAndAnAlignedBuffer) {
    auto reversed = some_tensors();
    std::reverse(reversed.begin(), reversed.end());
    const Bytes file = write_safetensors(some_tensors());
    EXPECT_EQ(file, write_safetensors(reversed));
    ByteReader in("test", "file", file);
    EXPECT_EQ((8 + in.little<std::uint64_t>("length")) % 64, 0u);
}

TEST(Safetensors, EverySingleBitFlipIsFound) {
    const Bytes good = write_safetensors(some_tensors(), {{"step", "1"}});
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        EXPECT_THROW(SafetensorsFile(std::move(bad), "flipped").verify(), Error) << "bit " << bit;
    }
}

TEST(Safetensors, TruncationAtEveryByteIsFound) {
    const Bytes good = write_safetensors(some_tensors());
    for (std::size_t length = 0; length < good.size(); ++length) {
        Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
        EXPECT_THROW(SafetensorsFile(std::move(cut), "cut"), Error) << length;
    }
}

TEST(Safetensors, ReadsFilesWithoutChecksumsAndWithPadding) {
    const SafetensorsFile file(
        file_of(R"({"x":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}   )",
                {std::byte{1}, std::byte{0}, std::byte{0xFE}, std::byte{0xFF}}),
        "plain");
    EXPECT_EQ(file.load_integers("x"), (std::vector<std::int64_t>{1, -2}));
    EXPECT_EQ(SafetensorsFile(file_of("{}"), "empty").tensors().size(), 0u);
}

TEST(Safetensors, WidensHalvesExactly) {
    EXPECT_EQ(half_to_float(0x3C00), 1.0f);
    EXPECT_EQ(half_to_float(0xC000), -2.0f);
    EXPECT_EQ(half_to_float(0x7BFF), 65504.0f);
    EXPECT_EQ(half_to_float(0x0001), 0x1p-24f);
    EXPECT_EQ(half_to_float(0x83FF), -1023 * 0x1p-24f);
    EXPECT_EQ(half_to_float(0x7C00), std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(half_to_float(0x7E00)));
    EXPECT_TRUE(std::signbit(half_to_float(0x8000)));
    EXPECT_EQ(bfloat_to_float(0xBF80), -1.0f);
    const SafetensorsFile file(
        file_of(R"({"b":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]},)"
                R"("h":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})",
                {std::byte{0x00}, std::byte{0x3C}, std::byte{0x80}, std::byte{0x3F}}),
        "halves");
    EXPECT_EQ(file.load("h").at(0), 1.0);
    EXPECT_EQ(file.load("b").at(0), 1.0);
}

TEST(Safetensors, NamesWhatIsMissingOrOfAnotherType) {
    const SafetensorsFile file(write_safetensors(some_tensors()), "model.safetensors");
    EXPECT_NE(error_of(ErrorCode::data, [&] { file.load("e"); }).find("model.safetensors"),
              std::string::npos);
    EXPECT_NE(error_of(ErrorCode::data, [&] { file.load_integers("a.bias"); }).find("F64"),
              std::string::npos);
    EXPECT_NE(error_of(ErrorCode::data, [&] { file.metadata("step"); }).find("'step'"),
              std::string::npos);
}

TEST(Safetensors, RefusesToWriteWhatItCouldNotRead) {
    const Tensor x = Tensor::zeros({1});
    for (const std::string& name : {std::string(), std::string("__metadata__"),
                                    std::string(4097, 'n'), std::string("\xff")}) {
        error_of(ErrorCode::usage, [&] { write_safetensors({{name, x}}); });
    }
    error_of(ErrorCode::usage, [&] { write_safetensors({{"x", x}, {"x", x}}); });
    error_of(ErrorCode::usage, [&] { write_safetensors({{"x", x}}, {{"crc32c:x", "0"}}); });
}

struct Hostile {
    const char* bug;      // the class of defect that this file would trigger
    std::string header;   // buffer: 8 zero bytes
    const char* message;  // what the error must say
};

std::string tensor_json(const std::string& name, const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape +
           "],\"data_offsets\":[" + offsets + "]}";
}

std::vector<Hostile> hostile_headers() {
    const std::string good = tensor_json("w", "F32", "2", "0,8");
    return {
        {"leading white space", " {" + good + "}", "first byte"},
        {"byte order mark", "\xEF\xBB\xBF{" + good + "}", "first byte"},
        {"array at the top", "[]", "first byte"},
        {"text after the object", "{" + good + "}x", "w"},
        {"second object", "{" + good + "}{}", "w"},
        {"comment", "{/* */" + good + "}", "header"},
        {"invalid UTF-8 in a name", "{\"\xff\":{}}", "header"},
        {"unterminated object", "{" + good, "w"},
        {"duplicate tensor", "{" + good + "," + tensor_json("w", "U8", "8", "0,8") + "}", "twice"},
        {"duplicate field",
         R"({"w":{"dtype":"F32","dtype":"U8","shape":[2],"data_offsets":[0,8]}})", "dtype: the"},
        {"duplicate metadata object", R"({"__metadata__":{},"__metadata__":{},)" + good + "}",
         "twice"},
        {"duplicate metadata key", R"({"__metadata__":{"a":"1","a":"2"},)" + good + "}", "twice"},
        {"metadata is not text", R"({"__metadata__":{"a":1},)" + good + "}", "number"},
        {"nested metadata", R"({"__metadata__":{"a":{}},)" + good + "}", "object"},
        {"missing field", R"({"w":{"dtype":"F32","shape":[2]}})", "need dtype, shape"},
        {"unknown field", R"({"w":{"dtype":"F32","path":"/etc/passwd"}})", "unknown field"},
        {"unknown dtype", "{" + tensor_json("w", "O", "2", "0,8") + "}", "unknown dtype"},
        {"dtype is not text", R"({"w":{"dtype":1}})", "number"},
        {"shape product wraps to 4",
         "{" + tensor_json("w", "U8", "4194305,4194305,211106198978564", "0,4") + "}", "overflows"},
        {"shape x dtype wraps", "{" + tensor_json("w", "F32", "4611686018427387906", "0,8") + "}",
         "overflows"},
        {"size above 2^63", "{" + tensor_json("w", "F32", "18446744073709551615", "0,8") + "}",
         "above 2^63"},
        {"size above 2^64", "{" + tensor_json("w", "F32", "99999999999999999999999", "0,8") + "}",
         "whole number"},
        {"negative size", "{" + tensor_json("w", "F32", "-2", "0,8") + "}", "negative"},
        {"fractional size", "{" + tensor_json("w", "F32", "2.0", "0,8") + "}", "whole number"},
        {"rank 9", "{" + tensor_json("w", "F32", "1,1,1,1,1,1,1,1,2", "0,8") + "}", "rank"},
        {"shape is nested", R"({"w":{"dtype":"F32","shape":[[2]]}})", "array"},
        {"depth bomb", "{\"w\":" + std::string(100000, '['), "array"},
        {"object bomb",
         [] {
             std::string text;
             for (int i = 0; i < 10000; ++i) text += "{\"a\":";
             return text;
         }(),
         "unknown field"},
        {"one offset", "{" + tensor_json("w", "F32", "2", "8") + "}", "two data_offsets"},
        {"three offsets", "{" + tensor_json("w", "F32", "2", "0,8,9") + "}", "two data_offsets"},
        {"offsets reversed", "{" + tensor_json("w", "F32", "2", "8,0") + "}", "need 8 bytes"},
        {"offsets beyond the file", "{" + tensor_json("w", "F32", "4", "0,16") + "}", "cover 16"},
        {"offsets do not fit the shape", "{" + tensor_json("w", "F32", "1", "0,8") + "}",
         "need 4 bytes"},
        {"overlap",
         "{" + tensor_json("a", "F32", "2", "0,8") + "," + tensor_json("b", "F32", "1", "4,8") +
             "}",
         "overlaps"},
        {"same range twice",
         "{" + tensor_json("a", "F32", "2", "0,8") + "," + tensor_json("b", "F32", "2", "0,8") +
             "}",
         "overlaps"},
        {"hole",
         "{" + tensor_json("a", "U8", "2", "0,2") + "," + tensor_json("b", "F32", "1", "4,8") + "}",
         "holes"},
        {"hole at the beginning", "{" + tensor_json("a", "F32", "1", "4,8") + "}", "holes"},
        {"trailing bytes", "{" + tensor_json("a", "F32", "1", "0,4") + "}", "the file has 8"},
        {"no tensors over a buffer", "{}", "cover 0"},
        {"name of 5 KB", "{" + tensor_json(std::string(5000, 'n'), "F32", "2", "0,8") + "}",
         "limit is 4096"},
        {"checksum of an unknown tensor",
         R"({"__metadata__":{"crc32c:x":"00000000"},)" + good + "}", "no such tensor"},
        {"checksum is not hexadecimal", R"({"__metadata__":{"crc32c:w":"zz"},)" + good + "}",
         "hexadecimal"},
        {"tensor checksum without one of the header",
         R"({"__metadata__":{"crc32c:w":"00000000"},)" + good + "}", "'crc32c.header' is missing"},
        {"null", R"({"w":null})", "null"},
        {"boolean", R"({"w":true})", "true and false"},
        {"NUL byte", std::string("{\0}", 3), "header"},
    };
}

TEST(Safetensors, RefusesHostileHeadersSayingWhatIsWrong) {
    for (const Hostile& h : hostile_headers()) {
        SCOPED_TRACE(h.bug);
        const std::string message = error_of(
            ErrorCode::data, [&] { SafetensorsFile(file_of(h.header, Bytes(8)), "bad.st"); });
        EXPECT_NE(message.find("bad.st: offset "), std::string::npos) << message;
        EXPECT_NE(message.find(h.message), std::string::npos) << message;
    }
}

TEST(Safetensors, RefusesHeaderLengthsThatTheFileDoesNotHave) {
    for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{100'000'001},
                                       std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        Bytes file;
        append_little(file, length);
        file.push_back(std::byte{'{'});
        file.push_back(std::byte{'}'});
        EXPECT_NE(error_of(ErrorCode::data, [&] { SafetensorsFile(file, "bad.st"); })
                      .find("header length"),
                  std::string::npos);
    }
}

TEST(Safetensors, ManyTinyTensorsCostLittleTime) {
    std::string header = "{";
    for (int i = 0; i < 100000; ++i) {
        header += (i ? "," : "") + tensor_json("t" + std::to_string(i), "U8", "0", "0,0");
    }
    const SafetensorsFile file(file_of(header + "}"), "many");  // 6 MB: a limit of 1 s per MB
    EXPECT_EQ(file.tensors().size(), 100000u);
}

}  // namespace
}  // namespace soma::data
