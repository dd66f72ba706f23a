#pragma once
// .npy and .npz: NumPy's arrays.
//
// .npy: "\x93NUMPY", version, header length, a Python dict literal with exactly the keys descr,
// fortran_order and shape, then the elements from a multiple of 64 bytes on. Read: f4, f8, u1, i1,
// i2, i4, i8, little-endian or without byte order, versions 1 to 3; Fortran order of rank 2 is
// transposed, of rank 0 and 1 it is the same, else refused. Object types are refused: unpickling
// runs code (CVE-2019-6446). Written: version 1, C order.
// .npz: a zip archive of .npy members. Read: stored and deflated members, CRC-32 checked, no
// encryption, no zip64. Written: stored, every member's data at a multiple of 64 bytes.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "soma/data/file.h"
#include "soma/tensor/tensor.h"

namespace soma::data {

enum class NpyType : std::uint8_t { f32, f64, u8, i8, i16, i32, i64 };
const char* descr_of(NpyType type);  // "<f4", "|u1", ...
Index size_of(NpyType type);         // bytes of an element

struct NpyArray {
    NpyType type = NpyType::f32;
    std::vector<Index> sizes;
    Bytes elements;  // row-major, little-endian

    Index count() const;  // product of sizes
    // As floats: f64 stays f64, every other type becomes f32 (rounded to nearest beyond 24 bits).
    Tensor to_tensor() const;
    // Error(data) when the type is f32 or f64.
    std::vector<std::int64_t> to_integers() const;
    static NpyArray from(const Tensor& tensor);
    static NpyArray from(const std::vector<Index>& sizes, std::span<const std::uint8_t> values);
    static NpyArray from(const std::vector<Index>& sizes, std::span<const std::int32_t> values);
};

// Error(data) with file, offset and field.
NpyArray read_npy(ByteView bytes, const std::string& name);
Bytes write_npy(const NpyArray& array);

struct NpzMember {
    std::string name;  // without ".npy"
    NpyArray array;
};

// Members in the order of the archive's directory. Error(data) with file, offset and member; a
// repeated name is refused.
std::vector<NpzMember> read_npz(ByteView bytes, const std::string& name);
// Error(usage) on a repeated or empty name, or beyond zip's limits (65,535 members, 4 GB).
Bytes write_npz(std::span<const NpzMember> members);

}  // namespace soma::data
