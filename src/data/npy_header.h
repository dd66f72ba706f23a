#pragma once
// The header of a .npy file: a Python dict literal, of which exactly this grammar is read:
//
//   { 'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } blanks newline
//
// in any order, each key once, with blanks between tokens and an optional last comma.

#include <string>
#include <vector>

#include "data/byte_reader.h"

namespace soma::data {

struct NpyHeader {
    std::string descr;
    bool fortran_order = false;
    std::vector<Index> sizes;
};

// Reads `length` bytes from `in`; Error(data) with the offset of the offending byte.
NpyHeader parse_npy_header(ByteReader& in, std::uint32_t length);

}  // namespace soma::data
