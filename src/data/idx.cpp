#include "soma/data/idx.h"

#include <algorithm>
#include <bit>

#include "data/byte_reader.h"
#include "soma/data/gzip.h"

namespace soma::data {
namespace {

constexpr int kMaxRank = 8;

// Bytes of an element; 0 for an unknown type.
Index element_size(IdxType type) {
    switch (type) {
        case IdxType::u8:
        case IdxType::i8:
            return 1;
        case IdxType::i16:
            return 2;
        case IdxType::i32:
        case IdxType::f32:
            return 4;
        case IdxType::f64:
            return 8;
    }
    return 0;
}

// Between big-endian and this machine's order, in place; its own inverse.
void swap_big_endian(Bytes& elements, Index size) {
    if (size == 1 || std::endian::native == std::endian::big) return;
    for (auto at = elements.begin(); at != elements.end(); at += size) std::reverse(at, at + size);
}

}  // namespace

Index IdxArray::count() const {
    Index product = 1;
    for (const Index size : sizes) product *= size;
    return product;
}

IdxArray read_idx(ByteView bytes, const std::string& name) {
    const PlainBytes plain(bytes, name);
    ByteReader in("idx", name, plain.view());
    const auto zeros = in.big<std::uint16_t>("magic");
    if (zeros != 0) in.bad("magic", "begins with ", zeros, "; need two zero bytes");
    IdxArray array;
    array.type = static_cast<IdxType>(in.big<std::uint8_t>("type"));
    const Index size = element_size(array.type);
    if (size == 0) in.bad("type", "unknown type ", static_cast<int>(array.type));
    const int rank = in.big<std::uint8_t>("rank");
    if (rank < 1 || rank > kMaxRank) in.bad("rank", rank, "; need 1 to ", kMaxRank);
    std::optional<Index> product = size;
    for (int i = 0; i < rank; ++i) {
        array.sizes.push_back(in.big<std::uint32_t>("size"));
        if (product) product = checked_multiply(*product, array.sizes.back());
    }
    if (!product) in.bad("size", "the product of the sizes overflows");
    if (*product != in.remaining()) {
        in.bad("data", "the sizes need ", *product, " bytes, the file has ", in.remaining());
    }
    const ByteView data = in.take(*product, "data");
    array.elements.assign(data.begin(), data.end());
    swap_big_endian(array.elements, size);
    return array;
}

Bytes write_idx(const IdxArray& array) {
    const Index size = element_size(array.type);
    SOMA_CHECK(!array.sizes.empty() && array.sizes.size() <= kMaxRank && size > 0,
               "write_idx: rank is ", array.sizes.size(), "; need 1 to ", kMaxRank,
               " and a known type");
    SOMA_CHECK(array.count() * size == static_cast<Index>(array.elements.size()),
               "write_idx: sizes need ", array.count() * size, " bytes, elements have ",
               array.elements.size());
    Bytes out;
    append_big(out, std::uint16_t{0});
    append_big(out, static_cast<std::uint8_t>(array.type));
    append_big(out, static_cast<std::uint8_t>(array.sizes.size()));
    for (const Index n : array.sizes) append_big(out, static_cast<std::uint32_t>(n));
    Bytes elements = array.elements;
    swap_big_endian(elements, size);
    out.insert(out.end(), elements.begin(), elements.end());
    return out;
}

}  // namespace soma::data
