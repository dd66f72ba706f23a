#pragma once
// ImageSet: labelled images as bytes, and their way to floats.
//
// Pixels are uint8 in [0, levels - 1], layout [N, H, W, C]. A FloatRange maps them linearly,
//     x = low + v (high - low) / (levels - 1),
// evaluated in f64 and rounded once, so that usps (levels 256) on [-1, 1] is v / 127.5 - 1 and
// digits8x8 (levels 17) is v / 8 - 1.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "soma/tensor/tensor.h"

namespace soma::data {

struct FloatRange {
    double low = -1, high = 1;
};

struct ImageSet {
    std::string name = {};    // "usps"
    std::string split = {};   // "train" or "test"
    std::string source = {};  // where the bytes came from: a file, or "embedded"
    Index height = 0, width = 0, channels = 1;
    int levels = 256;  // number of grey levels a pixel can take
    int classes = 10;
    std::vector<std::uint8_t> pixels = {};  // [N, H, W, C]
    std::vector<std::int32_t> labels = {};  // [N]

    Index size() const { return static_cast<Index>(labels.size()); }
    Index pixels_per_image() const { return height * width * channels; }
    std::span<const std::uint8_t> image(Index i) const;
    // SHA-256 of the shape, levels, pixels and labels: the same for the same content, whatever
    // the file around it was compressed with.
    std::string sha256() const;
    // Samples [begin, end). Error(usage) outside [0, size()].
    ImageSet slice(Index begin, Index end) const;
    // The listed samples, in that order. Error(usage) on an index outside [0, size()).
    ImageSet select(std::span<const Index> samples) const;
    // Samples of each class.
    std::vector<Index> class_counts() const;
};

// The float of every byte; entries from levels on repeat the last.
std::array<float, 256> float_table(int levels, FloatRange range);

// All images as f32 [N, H, W, C] in the given range.
Tensor to_floats(const ImageSet& set, FloatRange range = {});

// Images [N, H, W, C] f32 resampled to [N, height, width, C], bilinear with half-pixel centres:
// output row i samples input row y = (i + 0.5) H / height - 0.5, clamped to [0, H - 1] (the
// align_corners = false rule). No smoothing before a reduction. Evaluated in f64, rounded once.
// Error(usage) unless rank 4, f32 and sizes >= 1.
Tensor resize_bilinear(const Tensor& images, Index height, Index width);

}  // namespace soma::data
