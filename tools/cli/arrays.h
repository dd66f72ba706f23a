#pragma once
// The arrays of a data file, whatever its format: what `soma inspect` lists and compares.

#include <cstdint>
#include <string>
#include <vector>

#include "soma/data/file.h"
#include "soma/tensor/tensor.h"

namespace soma::cli {

struct NamedArray {
    std::string name, type;  // type as the file says it: "F32", "<f4", "u8"
    std::vector<Index> sizes;
    std::vector<double> values = {};  // row-major; empty for types soma does not convert
    bool single = false;              // binary32 values: ULPs are counted in it
    std::uint64_t bits = 0;           // hash of the bytes of a type soma does not convert
};

struct ArrayFile {
    std::string format;  // "safetensors", "npy", "npz", "png", "idx"
    std::vector<std::pair<std::string, std::string>> metadata;
    std::vector<NamedArray> arrays;
    bool checksums = false;  // the file has some, and they are right
};

// Reads and checks all of a file. The format is told by its first bytes. Error(data) naming file
// and field when it is malformed or of no known format.
ArrayFile read_arrays(const std::string& path);

// Checks layout and checksums as read_arrays does, of safetensors without converting a number, and
// says whether the file has checksums.
bool verify_arrays(const std::string& path);

struct Statistics {
    Index count = 0, nan = 0, infinite = 0;
    double min = 0, max = 0, mean = 0, sd = 0;  // of the finite values; 0 when there are none
};
Statistics statistics_of(const std::vector<double>& values);

// The first difference between two files: "" when names, shapes and all bits agree; else one
// sentence naming tensor, element, both values and their distance in units in the last place.
std::string first_difference(const ArrayFile& a, const ArrayFile& b);

}  // namespace soma::cli
