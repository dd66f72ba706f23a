#pragma once
// Data compiled into the library, so that every system runs on a fresh machine with no download.
//
// The files lie in src/data/embedded/ with their licences; tools/embed_data turns each into one
// translation unit. The ordinary readers take the bytes, as if they came from a file.

#include <span>
#include <string>

#include "soma/data/file.h"

namespace soma::data {

struct EmbeddedFile {
    const char* name;  // "digits8x8.csv.gz"
    ByteView bytes;
};

std::span<const EmbeddedFile> embedded_files();

// Bytes of an embedded file; they live as long as the program. Error(usage) on an unknown name.
ByteView embedded(const std::string& name);

}  // namespace soma::data
