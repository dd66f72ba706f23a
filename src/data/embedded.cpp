// The list of embedded files. To add one: a line in each block here, its name in CMakeLists.txt
// (embedded_files), its recipe in tools/derive_embedded.sh, its licence in embedded/LICENSES.md.

#include "soma/data/embedded.h"

#include "soma/core/error.h"
#include "soma/core/text.h"

namespace soma::data {

// Defined in the units that tools/embed_data writes.
ByteView embedded_digits8x8_csv_gz();

std::span<const EmbeddedFile> embedded_files() {
    static const EmbeddedFile files[] = {
        {"digits8x8.csv.gz", embedded_digits8x8_csv_gz()},
    };
    return files;
}

ByteView embedded(const std::string& name) {
    std::vector<std::string> names;
    for (const EmbeddedFile& file : embedded_files()) {
        if (name == file.name) return file.bytes;
        names.push_back(file.name);
    }
    fail(ErrorCode::usage, "embedded: no file ", name, did_you_mean(name, names));
}

}  // namespace soma::data
