// A build without libpng.

#include "soma/core/error.h"
#include "soma/data/png.h"

namespace soma::data {

bool png_available() { return false; }

Image read_png(ByteView, const std::string& name, PngOptions) {
    fail(ErrorCode::usage, "png: ", name, ": this build has no libpng; install libpng-dev and ",
         "build again");
}

Bytes write_png(const Image&) {
    fail(ErrorCode::usage, "write_png: this build has no libpng; install libpng-dev and build ",
         "again");
}

}  // namespace soma::data
