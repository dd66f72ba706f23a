// Grids of images: learned filters, misread digits, samples.
//
// All images are laid into one large image, in pixels of the originals; y grows downwards:
//
//   |<- pitch_x ->|
//   +------+      +------+      -
//   | tile | gap  | tile |      | pitch_y
//   +------+      +------+      |
//   caption       caption       -
//
// One picture is one plot element: gnuplot's time grows with the pixels, not with their square.

#include <algorithm>
#include <cmath>

#include "soma/core/error.h"
#include "train/plot.h"

namespace soma::train {
namespace {

struct GridLayout {
    Index columns = 1, rows = 1;
    Index tile_h = 0, tile_w = 0, pitch_x = 0, pitch_y = 0;
    Index inset = 0;   // of a tile in its cell, which is as wide as the widest caption
    double scale = 1;  // CSS pixels for a pixel of an image
    bool color = false;

    Index width() const { return columns * pitch_x; }
    Index height() const { return rows * pitch_y; }
};

void check_image(const std::string& figure, const GridImage& image) {
    const auto pixels = static_cast<Index>(image.pixels.size());
    SOMA_CHECK(image.height > 0 && image.width > 0 &&
                   (image.channels == 1 || image.channels == 3) &&
                   pixels == image.height * image.width * image.channels,
               "figure ", figure, ": an image of ", image.height, " x ", image.width, " x ",
               image.channels, " has ", pixels, " values; need H * W * (1 or 3)");
}

GridLayout layout_of(const ImageGrid& figure) {
    GridLayout grid;
    std::size_t longest = 0;  // caption
    for (const GridImage& image : figure.images) {
        check_image(figure.text.name, image);
        grid.tile_h = std::max(grid.tile_h, image.height);
        grid.tile_w = std::max(grid.tile_w, image.width);
        grid.color = grid.color || image.channels == 3;
        longest = std::max(longest, image.caption.size());
    }
    const auto count = static_cast<Index>(figure.images.size());
    const double square = std::ceil(std::sqrt(1.6 * static_cast<double>(count)));
    grid.columns = figure.columns > 0 ? figure.columns : static_cast<Index>(square);
    grid.columns = std::clamp<Index>(grid.columns, 1, count);
    grid.rows = ceil_div(count, grid.columns);

    constexpr double kLetterWidth = 6, kCaptionHeight = 16, kGap = 8;  // CSS pixels
    const auto side = static_cast<double>(std::max(grid.tile_h, grid.tile_w));
    grid.scale = std::max(1.0, std::floor((count > 100 ? 40 : 64) / side));
    const auto pixels = [&](double css) { return static_cast<Index>(std::ceil(css / grid.scale)); };
    const Index caption_w = pixels(static_cast<double>(longest) * kLetterWidth);
    grid.pitch_x = std::max(grid.tile_w, caption_w) + pixels(kGap);
    grid.inset = (grid.pitch_x - pixels(kGap) - grid.tile_w) / 2;
    grid.pitch_y = grid.tile_h + pixels(longest > 0 ? kCaptionHeight + kGap : kGap);
    return grid;
}

struct Range {
    float low = 0, high = 1;
};

// Smallest and largest finite value; symmetric about 0 when asked; never empty.
Range range_of(const std::vector<float>& values, bool symmetric) {
    float low = INFINITY, high = -INFINITY;
    for (const float v : values) {
        if (!std::isfinite(v)) continue;
        low = std::min(low, v);
        high = std::max(high, v);
    }
    if (low > high) return {};
    if (symmetric) {
        high = std::max(std::abs(low), std::abs(high));
        low = -high;
    }
    return {low, high > low ? high : low + 1};
}

// Draws image i into the canvas [height, width, channels], its range mapped to [0, 1].
void draw(const GridImage& image, Index i, const GridLayout& grid, const Range& range,
          std::vector<float>& canvas) {
    const Index channels = grid.color ? 3 : 1;
    const Index top = i / grid.columns * grid.pitch_y,
                left = i % grid.columns * grid.pitch_x + grid.inset;
    for (Index p = 0; p < image.height * image.width * channels; ++p) {
        const Index pixel = p / channels, channel = image.channels == 3 ? p % channels : 0;
        const Index y = top + pixel / image.width, x = left + pixel % image.width;
        const float v = image.pixels[static_cast<std::size_t>(pixel * image.channels + channel)];
        canvas[static_cast<std::size_t>((y * grid.width() + x) * channels + p % channels)] =
            (v - range.low) / (range.high - range.low);
    }
}

std::vector<float> canvas_of(const ImageGrid& figure, const GridLayout& grid) {
    std::vector<float> all;
    if (!figure.each_scaled) {
        for (const GridImage& image : figure.images) {
            all.insert(all.end(), image.pixels.begin(), image.pixels.end());
        }
    }
    const Range common = range_of(all, figure.diverging);
    const float white = figure.diverging && !grid.color ? 0.5f : 1.0f;
    std::vector<float> canvas(
        static_cast<std::size_t>(grid.height() * grid.width() * (grid.color ? 3 : 1)), white);
    for (std::size_t i = 0; i < figure.images.size(); ++i) {
        const GridImage& image = figure.images[i];
        draw(image, static_cast<Index>(i), grid,
             figure.each_scaled ? range_of(image.pixels, figure.diverging) : common, canvas);
    }
    return canvas;
}

// Grey: a matrix of values in [0, 1]. Colour: lines "x y r g b" with levels of 0 to 255.
std::string data_of(const std::vector<float>& canvas, const GridLayout& grid) {
    std::string out = concat("# ", grid.rows, " x ", grid.columns, " images of up to ", grid.tile_h,
                             " x ", grid.tile_w, ", every ", grid.pitch_y, " rows and ",
                             grid.pitch_x, " columns; each mapped to 0 .. 1\n");
    const auto level = [&](Index i, float scale) {
        return number(std::round(static_cast<double>(canvas[static_cast<std::size_t>(i)] * scale)));
    };
    for (Index y = 0; y < grid.height(); ++y) {
        for (Index x = 0; x < grid.width(); ++x) {
            const Index i = y * grid.width() + x;
            if (grid.color) {
                out += concat(x, " ", y, " ", level(3 * i, 255), " ", level(3 * i + 1, 255), " ",
                              level(3 * i + 2, 255), "\n");
            } else {
                out += (x == 0 ? "" : " ") + level(i, 1000);
            }
        }
        if (!grid.color) out += "\n";
    }
    return out;
}

std::string captions(const ImageGrid& figure, const GridLayout& grid) {
    std::string out;
    for (std::size_t i = 0; i < figure.images.size(); ++i) {
        const GridImage& image = figure.images[i];
        if (image.caption.empty()) continue;
        const auto at = static_cast<Index>(i);
        const double x = static_cast<double>(at % grid.columns * grid.pitch_x + grid.inset) +
                         static_cast<double>(image.width - 1) / 2;
        const double y =
            static_cast<double>(at / grid.columns * grid.pitch_y + grid.tile_h) + 5 / grid.scale;
        out += concat("set label ", quoted(image.caption), " at ", x, ",", y,
                      " center front font ',9'\n");
    }
    return out;
}

}  // namespace

Plot plot_of(const ImageGrid& figure) {
    SOMA_CHECK(!figure.images.empty(), "figure ", figure.text.name, ": no images");
    const GridLayout grid = layout_of(figure);
    constexpr int kMargin = 16, kTitle = 24, kNarrowest = 240;  // CSS pixels
    const std::string& title = figure.text.title;
    const int top = title.empty() ? kMargin : kMargin + kTitle;
    const auto css = [&](Index pixels) {
        return static_cast<int>(static_cast<double>(pixels) * grid.scale);
    };
    Plot plot;
    plot.pixels = true;
    plot.data = data_of(canvas_of(figure, grid), grid);
    plot.width = std::max(kNarrowest, css(grid.width()) + 2 * kMargin);
    plot.height = css(grid.height()) + top + kMargin;
    plot.body = (title.empty() ? "" : concat("set title ", quoted(title), "\n")) +
                captions(figure, grid) + (figure.diverging ? kDivergingPalette : kGreyPalette) +
                concat("unset key\nunset border\nunset tics\nunset colorbox\nunset grid\n",
                       "set size ratio -1\nset lmargin 1\nset rmargin 1\nset bmargin 0\n",
                       "set cbrange [0:1000]\nset xrange [-1:", grid.width(), "]\nset yrange [",
                       grid.height(), "-0.5:-0.5]\nplot ", kDataFile,
                       grid.color ? " using 1:2:3:4:5 with rgbimage\n" : " matrix with image\n");
    return plot;
}

}  // namespace soma::train
