#pragma once
// IDX: the format of MNIST. Big-endian: u8 0, u8 0, u8 type, u8 rank, rank x u32 sizes, then the
// elements row-major. The file's length must equal header + product of sizes x element size.

#include <string>
#include <vector>

#include "soma/core/types.h"
#include "soma/data/file.h"

namespace soma::data {

enum class IdxType : std::uint8_t {
    u8 = 0x08,
    i8 = 0x09,
    i16 = 0x0B,
    i32 = 0x0C,
    f32 = 0x0D,
    f64 = 0x0E,
};

struct IdxArray {
    IdxType type = IdxType::u8;
    std::vector<Index> sizes;
    Bytes elements;  // in this machine's byte order

    Index count() const;  // product of sizes
};

// Reads IDX or gzipped IDX; `name` appears in messages. Error(data) on a wrong magic, an unknown
// type, rank 0 or above 8, a size product that overflows or a length that does not match.
IdxArray read_idx(ByteView bytes, const std::string& name);

// The file of an array. Error(usage) when elements do not fit the sizes.
Bytes write_idx(const IdxArray& array);

}  // namespace soma::data
