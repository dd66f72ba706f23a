#pragma once
// safetensors: named tensors in a file that every framework reads; the format of checkpoints.
//
//   u64 n (little-endian) | n bytes of JSON, "{...}" padded with spaces | buffer
//   {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3],
//    "data_offsets": [begin, end]}, ...}                offsets count from the buffer's first byte
//
// Reading trusts nothing (embedded.md 9): header at most 100,000,000 bytes and inside the file,
// beginning with '{'; at most 1,000,000 tensors of rank at most 8 and names of at most 4 KB; every
// key once; types from the closed list; shape x type checked for overflow and equal to the offsets'
// distance; tensors cover the buffer exactly, without overlap, hole or trailing byte.
// Writing: tensors sorted by name; the buffer begins at a multiple of 64 bytes of the file (the
// format forbids holes, so later tensors follow closely); equal input gives equal bytes.
// Checksums: metadata "crc32c:<name>" of each tensor and "crc32c.header" of the header (with that
// value as zeros), eight hexadecimal digits. Files without them are read all the same.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "soma/data/file.h"
#include "soma/tensor/tensor.h"

namespace soma::data {

using Metadata = std::map<std::string, std::string>;

enum class StoredType : std::uint8_t {
    boolean,
    u8,
    i8,
    f8_e5m2,
    f8_e4m3,
    i16,
    u16,
    f16,
    bf16,
    i32,
    u32,
    f32,
    i64,
    u64,
    f64,
};
const char* name_of(StoredType type);  // "F32", as in the file
Index size_of(StoredType type);        // bytes of an element

struct StoredTensor {
    std::string name;
    StoredType type = StoredType::f32;
    std::vector<Index> sizes;
    Index begin = 0, end = 0;  // bytes of the buffer
};

class SafetensorsFile {
public:
    // Checks all of the layout and the header's checksum; `name` appears in messages. Error(data)
    // with file, offset and tensor or field.
    SafetensorsFile(Bytes bytes, std::string name);
    static SafetensorsFile read(const std::string& path) { return {read_file(path), path}; }

    const std::string& file_name() const { return name_; }
    // Metadata without the checksums.
    const Metadata& metadata() const { return metadata_; }
    // Value of a metadata key; Error(data) naming file and key when it is absent.
    const std::string& metadata(const std::string& key) const;
    // All tensors, sorted by name.
    std::span<const StoredTensor> tensors() const { return tensors_; }
    const StoredTensor* find(const std::string& name) const;  // nullptr when absent
    ByteView bytes_of(const StoredTensor& tensor) const;

    // A tensor as floats: F32 and F64 as they are, F16 and BF16 exactly as f32. Error(data) when it
    // is absent, of another type or its checksum is wrong.
    Tensor load(const std::string& name) const;
    // A tensor of I64, I32, I16, I8, U8 or BOOL as integers; errors as load().
    std::vector<std::int64_t> load_integers(const std::string& name) const;
    // Checks every checksum the file has; Error(data) naming the first tensor that fails.
    void verify() const;
    bool has_checksums() const { return !checksums_.empty(); }

private:
    template <class... Parts>
    [[noreturn]] void bad(Index offset, const Parts&... parts) const;
    const StoredTensor& get(const std::string& name) const;
    void check_layout();
    void take_checksums(const std::string& header);
    void verify(const StoredTensor& tensor) const;

    Bytes bytes_;
    std::string name_;
    Index buffer_ = 0;  // offset of the buffer in the file
    Metadata metadata_;
    std::map<std::string, std::uint32_t> checksums_;  // by tensor
    std::vector<StoredTensor> tensors_;
};

struct NamedTensor {
    std::string name;
    Tensor tensor;
};

// The file of some tensors, with checksums. Error(usage) on a repeated, empty, reserved
// ("__metadata__") or too long name, more tensors than the limit, a metadata key beginning with
// "crc32c", or text that is not UTF-8.
Bytes write_safetensors(std::vector<NamedTensor> tensors, const Metadata& metadata = {});
// The same as a file, without a copy of the numbers: see write_file_atomically.
void write_safetensors_file(const std::string& path, std::vector<NamedTensor> tensors,
                            const Metadata& metadata = {});

}  // namespace soma::data
