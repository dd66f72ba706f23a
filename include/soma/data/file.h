#pragma once
// Whole files: read at once, written atomically.
//
// Readers of formats take bytes and a name for their messages, so that the same code reads a file,
// an embedded set and a test's corrupted copy.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace soma::data {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

// Contents of a regular file. Error(data) naming the path when it is missing, not a regular file or
// cannot be read.
Bytes read_file(const std::string& path);

// Replaces (or creates) a file so that a crash or a full disk leaves either the old contents or the
// new, never a part: unique temporary file in the same folder, write, fsync, rename, fsync of the
// folder. A replaced file keeps its mode; a symbolic link is followed, its target replaced.
// Error(checkpoint) naming path and cause; the temporary file is removed and the previous one
// untouched.
void write_file_atomically(const std::string& path, ByteView bytes);
// The same of several pieces, one behind the other.
void write_pieces_atomically(const std::string& path, std::span<const ByteView> pieces);

inline ByteView as_bytes(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace soma::data
