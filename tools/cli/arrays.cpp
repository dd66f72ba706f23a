#include "cli/arrays.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "soma/core/error.h"
#include "soma/core/hash.h"
#include "soma/data/gzip.h"
#include "soma/data/idx.h"
#include "soma/data/npy.h"
#include "soma/data/png.h"
#include "soma/data/safetensors.h"

namespace soma::cli {
namespace {

using data::ByteView;

std::vector<double> doubles(const Tensor& tensor) {
    std::vector<double> out(static_cast<std::size_t>(tensor.count()));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = tensor.at(static_cast<Index>(i));
    return out;
}

std::vector<double> doubles(const std::vector<std::int64_t>& integers) {
    return {integers.begin(), integers.end()};
}

// ---- formats ----

ArrayFile read_safetensors(data::Bytes bytes, const std::string& path) {
    const data::SafetensorsFile file(std::move(bytes), path);
    file.verify();
    ArrayFile out{
        .format = "safetensors", .metadata = {}, .arrays = {}, .checksums = file.has_checksums()};
    out.metadata.assign(file.metadata().begin(), file.metadata().end());
    for (const data::StoredTensor& t : file.tensors()) {
        const bool real = t.type == data::StoredType::f32 || t.type == data::StoredType::f64 ||
                          t.type == data::StoredType::f16 || t.type == data::StoredType::bf16;
        const bool opaque = t.type == data::StoredType::f8_e5m2 ||
                            t.type == data::StoredType::f8_e4m3 ||
                            t.type == data::StoredType::u16 || t.type == data::StoredType::u32 ||
                            t.type == data::StoredType::u64;
        NamedArray array{.name = t.name,
                         .type = data::name_of(t.type),
                         .sizes = t.sizes,
                         .values = {},
                         .single = real && t.type != data::StoredType::f64};
        if (real) array.values = doubles(file.load(t.name));
        if (!real && !opaque) array.values = doubles(file.load_integers(t.name));
        if (opaque) array.bits = hash64(file.bytes_of(t));
        out.arrays.push_back(std::move(array));
    }
    return out;
}

template <class T>
std::vector<double> elements(ByteView bytes) {
    std::vector<double> out(bytes.size() / sizeof(T));
    for (std::size_t i = 0; i < out.size(); ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        out[i] = static_cast<double>(value);
    }
    return out;
}

std::vector<double> idx_values(const data::IdxArray& array) {
    switch (array.type) {
        case data::IdxType::u8:
            return elements<std::uint8_t>(array.elements);
        case data::IdxType::i8:
            return elements<std::int8_t>(array.elements);
        case data::IdxType::i16:
            return elements<std::int16_t>(array.elements);
        case data::IdxType::i32:
            return elements<std::int32_t>(array.elements);
        case data::IdxType::f32:
            return elements<float>(array.elements);
        case data::IdxType::f64:
            return elements<double>(array.elements);
    }
    return {};
}

const char* idx_name(data::IdxType type) {
    switch (type) {
        case data::IdxType::u8:
            return "u8";
        case data::IdxType::i8:
            return "i8";
        case data::IdxType::i16:
            return "i16";
        case data::IdxType::i32:
            return "i32";
        case data::IdxType::f32:
            return "f32";
        case data::IdxType::f64:
            return "f64";
    }
    return "?";
}

ArrayFile read_idx(ByteView bytes, const std::string& path) {
    const data::IdxArray array = data::read_idx(bytes, path);
    return {.format = "idx",
            .metadata = {},
            .arrays = {{.name = "array",
                        .type = idx_name(array.type),
                        .sizes = array.sizes,
                        .values = idx_values(array),
                        .single = array.type == data::IdxType::f32}}};
}

NamedArray array_of(const std::string& name, const data::NpyArray& array) {
    const bool real = array.type == data::NpyType::f32 || array.type == data::NpyType::f64;
    return {.name = name,
            .type = data::descr_of(array.type),
            .sizes = array.sizes,
            .values = real ? doubles(array.to_tensor()) : doubles(array.to_integers()),
            .single = array.type == data::NpyType::f32};
}

ArrayFile read_npz(ByteView bytes, const std::string& path) {
    ArrayFile out{.format = "npz", .metadata = {}, .arrays = {}, .checksums = true};
    for (const data::NpzMember& member : data::read_npz(bytes, path)) {
        out.arrays.push_back(array_of(member.name, member.array));
    }
    return out;
}

ArrayFile read_png(ByteView bytes, const std::string& path) {
    const data::Image image = data::read_png(bytes, path);
    return {.format = "png",
            .metadata = {},
            .arrays = {{.name = "pixels",
                        .type = "u8",
                        .sizes = {image.height, image.width, image.channels},
                        .values = {image.pixels.begin(), image.pixels.end()}}},
            .checksums = true};
}

bool begins(ByteView bytes, std::initializer_list<int> magic) {
    if (bytes.size() < magic.size()) return false;
    return std::equal(magic.begin(), magic.end(), bytes.begin(),
                      [](int a, std::byte b) { return a == static_cast<int>(b); });
}

bool looks_like_safetensors(ByteView bytes) {
    return bytes.size() >= 9 && bytes[8] == std::byte{'{'};
}

// ---- comparison ----

// The fewest digits that tell a value from its neighbours.
std::string exact_text(const NamedArray& array, double value) {
    char text[32];
    const auto end = array.single
                         ? std::to_chars(text, text + sizeof text, static_cast<float>(value))
                         : std::to_chars(text, text + sizeof text, value);
    return {text, end.ptr};
}

// Values in between, plus one: 0 for equal bits; the distance of the ordered representations.
std::uint64_t ulps(const NamedArray& array, double a, double b) {
    const auto ordered = [](std::int64_t bits, std::int64_t lowest) {
        return bits < 0 ? lowest - bits : bits;
    };
    std::int64_t x = 0, y = 0;
    if (array.single) {
        x = ordered(std::bit_cast<std::int32_t>(static_cast<float>(a)), INT32_MIN);
        y = ordered(std::bit_cast<std::int32_t>(static_cast<float>(b)), INT32_MIN);
    } else {
        x = ordered(std::bit_cast<std::int64_t>(a), INT64_MIN);
        y = ordered(std::bit_cast<std::int64_t>(b), INT64_MIN);
    }
    return static_cast<std::uint64_t>(x > y ? x : y) - static_cast<std::uint64_t>(x > y ? y : x);
}

std::string position(const std::vector<Index>& sizes, Index flat) {
    std::string out;
    for (auto size = sizes.rbegin(); size != sizes.rend(); ++size) {
        out = concat(flat % *size, out.empty() ? "" : ", ", out);
        flat /= *size;
    }
    return "[" + out + "]";
}

std::string difference(const NamedArray& a, const NamedArray& b) {
    if (a.type != b.type || a.sizes != b.sizes) {
        return concat(a.name, ": type or shape differs: ", a.type, " of ", a.values.size(),
                      " values against ", b.type, " of ", b.values.size());
    }
    if (a.bits != b.bits) return concat(a.name, ": bits differ, in a type soma does not convert");
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        const double x = a.values[i], y = b.values[i];
        if (std::bit_cast<std::int64_t>(x) == std::bit_cast<std::int64_t>(y)) continue;
        return concat(a.name, position(a.sizes, static_cast<Index>(i)), ": ", exact_text(a, x),
                      " against ", exact_text(a, y), ", ", ulps(a, x, y), " ULP");
    }
    return "";
}

}  // namespace

ArrayFile read_arrays(const std::string& path) {
    data::Bytes bytes = data::read_file(path);
    if (looks_like_safetensors(bytes)) return read_safetensors(std::move(bytes), path);
    if (begins(bytes, {0x93, 'N', 'U', 'M', 'P', 'Y'})) {
        return {.format = "npy",
                .metadata = {},
                .arrays = {array_of("array", data::read_npy(bytes, path))}};
    }
    if (begins(bytes, {'P', 'K', 3, 4})) return read_npz(bytes, path);
    if (begins(bytes, {0x89, 'P', 'N', 'G'})) return read_png(bytes, path);
    const data::PlainBytes plain(bytes, path);
    if (begins(plain.view(), {0, 0})) {
        ArrayFile file = read_idx(bytes, path);
        file.checksums = begins(bytes, {0x1f, 0x8b});  // gzip's own
        return file;
    }
    fail(ErrorCode::data, path, ": offset 0: no safetensors, npy, npz, png, idx or jsonl file");
}

bool verify_arrays(const std::string& path) {
    data::Bytes bytes = data::read_file(path);
    if (!looks_like_safetensors(bytes)) return read_arrays(path).checksums;
    const data::SafetensorsFile file(std::move(bytes), path);
    file.verify();
    return file.has_checksums();
}

Statistics statistics_of(const std::vector<double>& values) {
    Statistics s{.count = static_cast<Index>(values.size())};
    double sum = 0, squares = 0;
    Index finite = 0;
    for (const double v : values) {
        s.nan += std::isnan(v);
        s.infinite += std::isinf(v);
        if (!std::isfinite(v)) continue;
        s.min = finite == 0 ? v : std::min(s.min, v);
        s.max = finite == 0 ? v : std::max(s.max, v);
        sum += v;
        ++finite;
    }
    if (finite == 0) return s;
    s.mean = sum / static_cast<double>(finite);
    for (const double v : values) {
        if (std::isfinite(v)) squares += (v - s.mean) * (v - s.mean);
    }
    s.sd = std::sqrt(squares / static_cast<double>(finite));
    return s;
}

std::string first_difference(const ArrayFile& a, const ArrayFile& b) {
    for (const NamedArray& x : a.arrays) {
        const auto y = std::find_if(b.arrays.begin(), b.arrays.end(),
                                    [&](const NamedArray& n) { return n.name == x.name; });
        if (y == b.arrays.end()) return x.name + ": only in the first file";
        const std::string found = difference(x, *y);
        if (!found.empty()) return found;
    }
    for (const NamedArray& y : b.arrays) {
        const bool known = std::any_of(a.arrays.begin(), a.arrays.end(),
                                       [&](const NamedArray& n) { return n.name == y.name; });
        if (!known) return y.name + ": only in the second file";
    }
    return "";
}

}  // namespace soma::cli
