#include "soma/data/image_set.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "soma/core/error.h"
#include "soma/data/sha256.h"

namespace soma::data {
namespace {

// Where an output coordinate lies between two input coordinates.
struct Tap {
    Index lower, upper;
    double weight;  // of upper
};

std::vector<Tap> bilinear_taps(Index from, Index to) {
    std::vector<Tap> taps;
    for (Index i = 0; i < to; ++i) {
        const double scale = static_cast<double>(from) / static_cast<double>(to);
        const double exact = (static_cast<double>(i) + 0.5) * scale - 0.5;
        const double at = std::clamp(exact, 0.0, static_cast<double>(from - 1));
        const Index lower = static_cast<Index>(std::floor(at));
        taps.push_back({lower, std::min(lower + 1, from - 1), at - static_cast<double>(lower)});
    }
    return taps;
}

}  // namespace

std::span<const std::uint8_t> ImageSet::image(Index i) const {
    const auto count = static_cast<std::size_t>(pixels_per_image());
    return std::span(pixels).subspan(static_cast<std::size_t>(i) * count, count);
}

std::string ImageSet::sha256() const {
    Sha256 hash;
    const std::int32_t head[] = {static_cast<std::int32_t>(height),
                                 static_cast<std::int32_t>(width),
                                 static_cast<std::int32_t>(channels), levels};
    hash.update(std::as_bytes(std::span(head)));
    hash.update(std::as_bytes(std::span(pixels)));
    hash.update(std::as_bytes(std::span(labels)));
    return hash.hex();
}

ImageSet ImageSet::slice(Index begin, Index end) const {
    SOMA_CHECK(0 <= begin && begin <= end && end <= size(), name, ": slice [", begin, ", ", end,
               ") of ", size(), " samples; need 0 <= begin <= end <= size");
    std::vector<Index> samples;
    for (Index i = begin; i < end; ++i) samples.push_back(i);
    return select(samples);
}

ImageSet ImageSet::select(std::span<const Index> samples) const {
    ImageSet out{.name = name,
                 .split = split,
                 .source = source,
                 .height = height,
                 .width = width,
                 .channels = channels,
                 .levels = levels,
                 .classes = classes};
    out.labels.reserve(samples.size());
    out.pixels.reserve(samples.size() * static_cast<std::size_t>(pixels_per_image()));
    for (const Index i : samples) {
        SOMA_CHECK(i >= 0 && i < size(), name, ": sample ", i, "; need 0 <= sample < ", size());
        const std::span<const std::uint8_t> from = image(i);
        out.pixels.insert(out.pixels.end(), from.begin(), from.end());
        out.labels.push_back(labels[static_cast<std::size_t>(i)]);
    }
    return out;
}

std::vector<Index> ImageSet::class_counts() const {
    std::vector<Index> counts(static_cast<std::size_t>(classes));
    for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
    return counts;
}

std::array<float, 256> float_table(int levels, FloatRange range) {
    SOMA_CHECK(levels >= 2 && levels <= 256, "float_table: levels is ", levels,
               "; need 2 <= levels <= 256");
    std::array<float, 256> table;
    for (int v = 0; v < 256; ++v) {
        const double fraction = static_cast<double>(std::min(v, levels - 1)) / (levels - 1);
        table[static_cast<std::size_t>(v)] =
            static_cast<float>(range.low + fraction * (range.high - range.low));
    }
    return table;
}

Tensor to_floats(const ImageSet& set, FloatRange range) {
    const std::array<float, 256> table = float_table(set.levels, range);
    Tensor out(Shape{set.size(), set.height, set.width, set.channels}, DType::f32);
    const std::span<float> x = out.data<float>();
    for (std::size_t p = 0; p < x.size(); ++p) x[p] = table[set.pixels[p]];
    return out;
}

Tensor resize_bilinear(const Tensor& images, Index height, Index width) {
    const Shape& shape = images.shape();
    SOMA_CHECK(shape.rank() == 4 && images.dtype() == DType::f32 && height >= 1 && width >= 1 &&
                   shape[1] >= 1 && shape[2] >= 1,
               "resize_bilinear: images are ", shape, " ", name_of(images.dtype()), ", target is [",
               height, ", ", width, "]; need f32 [N, H, W, C] and sizes >= 1");
    const Index n = shape[0], c = shape[3], from_row = shape[2] * c;
    const std::vector<Tap> rows = bilinear_taps(shape[1], height);
    const std::vector<Tap> columns = bilinear_taps(shape[2], width);
    Tensor result(Shape{n, height, width, c}, DType::f32);
    const float* in = images.data<float>().data();
    float* out = result.data<float>().data();
    for (Index image = 0; image < n; ++image, in += shape[1] * from_row) {
        for (const Tap& y : rows) {
            const float *upper = in + y.lower * from_row, *lower = in + y.upper * from_row;
            for (const Tap& x : columns) {
                for (Index k = 0; k < c; ++k) {
                    const Index left = x.lower * c + k, right = x.upper * c + k;
                    const double top = upper[left] * (1 - x.weight) + upper[right] * x.weight;
                    const double bottom = lower[left] * (1 - x.weight) + lower[right] * x.weight;
                    *out++ = static_cast<float>(top * (1 - y.weight) + bottom * y.weight);
                }
            }
        }
    }
    return result;
}

}  // namespace soma::data
