// libpng's simplified interface: it returns errors as values, so no longjmp crosses C++ frames.

#include "soma/data/png.h"

#include <png.h>

#include "soma/core/error.h"
#include "soma/data/gzip.h"

namespace soma::data {
namespace {

constexpr png_uint_32 kFormats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB,
                                    PNG_FORMAT_RGBA};

// libpng's image, released with its owner.
struct PngImage {
    PngImage() { image.version = PNG_IMAGE_VERSION; }
    ~PngImage() { png_image_free(&image); }
    PngImage(const PngImage&) = delete;
    PngImage& operator=(const PngImage&) = delete;
    png_image image{};
};

[[noreturn]] void bad(const std::string& name, const png_image& image) {
    fail(ErrorCode::data, "png: ", name, ": offset 0: image: ", image.message);
}

}  // namespace

bool png_available() { return true; }

Image read_png(ByteView bytes, const std::string& name, PngOptions options) {
    PngImage png;
    if (!png_image_begin_read_from_memory(&png.image, bytes.data(), bytes.size())) {
        bad(name, png.image);
    }
    const bool alpha = options.keep_alpha && (png.image.format & PNG_FORMAT_FLAG_ALPHA);
    const bool colour = png.image.format & PNG_FORMAT_FLAG_COLOR;
    Image out{.height = png.image.height,
              .width = png.image.width,
              .channels = (colour ? 3 : 1) + (alpha ? 1 : 0),
              .pixels = {}};
    const Index count = out.height * out.width;  // both below 2^31
    if (count > kMaxPngPixels || count * out.channels > inflate_limit(bytes)) {
        fail(ErrorCode::data, "png: ", name, ": offset 16: size: ", out.width, "x", out.height,
             " pixels in ", bytes.size(), " bytes; the limits are ", kMaxPngPixels, " pixels and ",
             inflate_limit(bytes), " bytes of image");
    }
    png.image.format = kFormats[out.channels - 1];
    png.image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16 bits without gamma: as for 8 bits
    out.pixels.resize(static_cast<std::size_t>(count * out.channels));
    const png_color background{options.background[0], options.background[1], options.background[2]};
    if (!png_image_finish_read(&png.image, &background, out.pixels.data(), 0, nullptr)) {
        bad(name, png.image);
    }
    return out;
}

Bytes write_png(const Image& image) {
    SOMA_CHECK(
        image.channels >= 1 && image.channels <= 4 && image.height >= 1 && image.width >= 1 &&
            image.height <= kMaxPngPixels / image.width &&
            image.height * image.width * image.channels == static_cast<Index>(image.pixels.size()),
        "write_png: image is [", image.height, ", ", image.width, ", ", image.channels, "] with ",
        image.pixels.size(), " bytes; need 1 to 4 channels, at most ", kMaxPngPixels,
        " pixels and as many bytes as the sizes say");
    PngImage png;
    png.image.height = static_cast<png_uint_32>(image.height);
    png.image.width = static_cast<png_uint_32>(image.width);
    png.image.format = kFormats[image.channels - 1];
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(png.image);
    Bytes out(bytes);
    if (!png_image_write_to_memory(&png.image, out.data(), &bytes, 0, image.pixels.data(), 0,
                                   nullptr)) {
        fail(ErrorCode::internal, "write_png: ", png.image.message);
    }
    out.resize(bytes);
    return out;
}

}  // namespace soma::data
