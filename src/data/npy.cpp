#include "soma/data/npy.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "data/byte_reader.h"
#include "data/npy_header.h"
#include "soma/core/error.h"

namespace soma::data {
namespace {

static_assert(std::endian::native == std::endian::little,
              ".npy elements are kept little-endian: a big-endian port swaps here");

constexpr int kMaxRank = Shape::kMaxRank;
constexpr std::uint32_t kMaxHeaderBytes = 10'000;
constexpr char kMagic[] = "\x93NUMPY";
constexpr Index kMagicBytes = 6;

struct TypeRow {
    const char* descr;
    Index size;
};
constexpr TypeRow kTypes[] = {{"<f4", 4}, {"<f8", 8}, {"|u1", 1}, {"|i1", 1},
                              {"<i2", 2}, {"<i4", 4}, {"<i8", 8}};

std::optional<NpyType> type_of(const std::string& descr) {
    for (std::size_t i = 0; i < std::size(kTypes); ++i) {
        const std::string_view known = kTypes[i].descr;
        const bool one_byte = kTypes[i].size == 1;
        const bool order_fits =
            descr.size() == 3 && (descr[0] == '<' || (one_byte && descr[0] != '>'));
        if (order_fits && descr.substr(1) == known.substr(1)) return static_cast<NpyType>(i);
    }
    return std::nullopt;
}

// Calls f with a value of the array's element type.
template <class F>
auto with_type(NpyType type, F&& f) {
    switch (type) {
        case NpyType::f32:
            return f(float{});
        case NpyType::f64:
            return f(double{});
        case NpyType::u8:
            return f(std::uint8_t{});
        case NpyType::i8:
            return f(std::int8_t{});
        case NpyType::i16:
            return f(std::int16_t{});
        case NpyType::i32:
            return f(std::int32_t{});
        case NpyType::i64:
            return f(std::int64_t{});
    }
    fail(ErrorCode::internal, "npy: unknown element type");
}

template <class From, class To>
void convert(const Bytes& from, std::span<To> to) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        From value;
        std::memcpy(&value, from.data() + i * sizeof(From), sizeof(From));
        to[i] = static_cast<To>(value);
    }
}

// Column-major [rows, cols] to row-major.
Bytes transposed(const Bytes& elements, Index rows, Index cols, Index size) {
    Bytes out(elements.size());
    for (Index r = 0; r < rows; ++r) {
        for (Index c = 0; c < cols; ++c) {
            std::memcpy(out.data() + (r * cols + c) * size, elements.data() + (c * rows + r) * size,
                        static_cast<std::size_t>(size));
        }
    }
    return out;
}

template <class T>
NpyArray array_from(NpyType type, const std::vector<Index>& sizes, std::span<const T> values) {
    NpyArray array{type, sizes, {}};
    SOMA_CHECK(array.count() == static_cast<Index>(values.size()), "npy: sizes need ",
               array.count(), " values, got ", values.size());
    const auto bytes = std::as_bytes(values);
    array.elements.assign(bytes.begin(), bytes.end());
    return array;
}

std::string header_text(const NpyArray& array) {
    std::string text =
        concat("{'descr': '", descr_of(array.type), "', 'fortran_order': False, ", "'shape': (");
    for (const Index n : array.sizes) text += concat(n, array.sizes.size() == 1 ? "," : ", ");
    if (array.sizes.size() > 1) text.resize(text.size() - 2);
    return text + "), }";
}

}  // namespace

const char* descr_of(NpyType type) { return kTypes[static_cast<std::size_t>(type)].descr; }
Index size_of(NpyType type) { return kTypes[static_cast<std::size_t>(type)].size; }

Index NpyArray::count() const {
    Index product = 1;
    for (const Index n : sizes) product *= n;
    return product;
}

Tensor NpyArray::to_tensor() const {
    Tensor out(Shape(sizes), type == NpyType::f64 ? DType::f64 : DType::f32);
    if (out.count() == 0) return out;
    if (type == NpyType::f64) {
        std::memcpy(out.raw(), elements.data(), elements.size());
    } else {
        with_type(type, [&](auto zero) { convert<decltype(zero)>(elements, out.data<float>()); });
    }
    return out;
}

std::vector<std::int64_t> NpyArray::to_integers() const {
    if (type == NpyType::f32 || type == NpyType::f64) {
        fail(ErrorCode::data, "npy: the array holds ", descr_of(type),
             " where an integer type is needed");
    }
    std::vector<std::int64_t> out(static_cast<std::size_t>(count()));
    with_type(type, [&](auto zero) { convert<decltype(zero)>(elements, std::span(out)); });
    return out;
}

NpyArray NpyArray::from(const Tensor& tensor) {
    const auto s = tensor.shape().sizes();
    NpyArray array{tensor.dtype() == DType::f32 ? NpyType::f32 : NpyType::f64,
                   {s.begin(), s.end()},
                   Bytes(static_cast<std::size_t>(tensor.count() * size_of(tensor.dtype())))};
    if (tensor.count() > 0) std::memcpy(array.elements.data(), tensor.raw(), array.elements.size());
    return array;
}

NpyArray NpyArray::from(const std::vector<Index>& sizes, std::span<const std::uint8_t> values) {
    return array_from(NpyType::u8, sizes, values);
}
NpyArray NpyArray::from(const std::vector<Index>& sizes, std::span<const std::int32_t> values) {
    return array_from(NpyType::i32, sizes, values);
}

NpyArray read_npy(ByteView bytes, const std::string& name) {
    ByteReader in("npy", name, bytes);
    const ByteView magic = in.take(kMagicBytes, "magic");
    if (std::memcmp(magic.data(), kMagic, kMagicBytes) != 0) in.bad("magic", "is not \\x93NUMPY");
    const int version = in.little<std::uint8_t>("version");
    in.take(1, "version");
    if (version < 1 || version > 3) in.bad("version", version, "; need 1 to 3");
    const std::uint32_t length = version == 1 ? in.little<std::uint16_t>("header length")
                                              : in.little<std::uint32_t>("header length");
    if (length > kMaxHeaderBytes) {
        in.bad("header length", length, "; the limit is ", kMaxHeaderBytes);
    }
    const NpyHeader header = parse_npy_header(in, length);
    const auto type = type_of(header.descr);
    if (!type) in.bad("descr", "'", shown(header.descr), "' is not one of the types that are read");
    if (header.sizes.size() > static_cast<std::size_t>(kMaxRank)) {
        in.bad("shape", "rank is ", header.sizes.size(), "; the limit is ", kMaxRank);
    }
    if (header.fortran_order && header.sizes.size() > 2) {
        in.bad("fortran_order", "is read up to rank 2; this array has rank ", header.sizes.size());
    }
    std::optional<Index> need = size_of(*type);
    for (const Index n : header.sizes) {
        if (need) need = checked_multiply(*need, n);
    }
    if (!need) in.bad("shape", "shape x descr overflows");
    if (*need != in.remaining()) {
        in.bad("data", "shape and descr need ", *need, " bytes, the file has ", in.remaining());
    }
    const ByteView data = in.take(*need, "data");
    NpyArray array{*type, header.sizes, {data.begin(), data.end()}};
    if (header.fortran_order && array.sizes.size() == 2) {
        array.elements = transposed(array.elements, array.sizes[0], array.sizes[1], size_of(*type));
    }
    return array;
}

Bytes write_npy(const NpyArray& array) {
    SOMA_CHECK(array.count() * size_of(array.type) == static_cast<Index>(array.elements.size()),
               "write_npy: sizes need ", array.count() * size_of(array.type),
               " bytes, elements have ", array.elements.size());
    std::string header = header_text(array);
    constexpr Index kBeforeHeader = kMagicBytes + 4;
    const Index padded = round_up(kBeforeHeader + static_cast<Index>(header.size()) + 1, 64);
    header.resize(static_cast<std::size_t>(padded - kBeforeHeader - 1), ' ');
    header += '\n';
    const ByteView magic = std::as_bytes(std::span(kMagic, kMagicBytes));
    Bytes out(magic.begin(), magic.end());
    append_little(out, std::uint8_t{1});
    append_little(out, std::uint8_t{0});
    append_little(out, static_cast<std::uint16_t>(header.size()));
    const ByteView text = as_bytes(header);
    out.insert(out.end(), text.begin(), text.end());
    out.insert(out.end(), array.elements.begin(), array.elements.end());
    return out;
}

}  // namespace soma::data
