#pragma once
// PNG images through libpng. A build without libpng has the same functions; they fail and say so.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "soma/core/types.h"
#include "soma/data/file.h"

namespace soma::data {

struct Image {
    Index height = 0, width = 0;
    Index channels = 1;                // 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA
    std::vector<std::uint8_t> pixels;  // [height, width, channels]
};

struct PngOptions {
    bool keep_alpha = true;                                    // false: composite on the background
    std::array<std::uint8_t, 3> background = {255, 255, 255};  // grey images use its green
};

inline constexpr Index kMaxPngPixels = Index{64} << 20;

// Whether this build has libpng.
bool png_available();

// Grey, grey + alpha, RGB, RGBA and palette with transparency, of 1 to 16 bits, as 8 bits in sRGB.
// Error(data) with the file's name on damage, more than 64 Mpixel, or an image far larger than its
// file (inflate_limit). Error(usage) without libpng.
Image read_png(ByteView bytes, const std::string& name, PngOptions options = {});

// The file of an image; equal input gives equal bytes. Error(usage) when pixels do not fit the
// sizes, or without libpng.
Bytes write_png(const Image& image);

}  // namespace soma::data
