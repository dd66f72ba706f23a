#pragma once
// Dataset: sample i as numbers. Everything a Loader needs to know about a set.
//
// ImageDataset keeps bytes and maps them to floats as they are read (a quarter of the memory);
// TensorDataset holds floats that were computed once, for example resized images.
// Both are immutable after construction, so any number of threads may read.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "soma/data/image_set.h"
#include "soma/tensor/tensor.h"

namespace soma::data {

class Dataset {
public:
    virtual ~Dataset() = default;
    virtual Index size() const = 0;
    // Shape of one sample: [H, W, C] for images.
    virtual Shape sample_shape() const = 0;
    virtual int classes() const = 0;
    // Writes sample i to x, which holds sample_shape().count() elements; 0 <= i < size(). Safe from
    // several threads.
    virtual void read(Index i, std::span<float> x) const = 0;
    virtual std::int32_t label(Index i) const = 0;
};

// Images as bytes, read as floats in [low, high].
class ImageDataset final : public Dataset {
public:
    explicit ImageDataset(ImageSet set, FloatRange range = {});
    const ImageSet& set() const { return set_; }

    Index size() const override { return set_.size(); }
    Shape sample_shape() const override { return {set_.height, set_.width, set_.channels}; }
    int classes() const override { return set_.classes; }
    void read(Index i, std::span<float> x) const override;
    std::int32_t label(Index i) const override { return set_.labels[static_cast<std::size_t>(i)]; }

private:
    ImageSet set_;
    std::array<float, 256> table_;
};

// Samples of a tensor [N, ...] of f32; shares the tensor's buffer. Error(usage) when the labels are
// not N, or one is not in [0, classes).
class TensorDataset final : public Dataset {
public:
    TensorDataset(Tensor samples, std::vector<std::int32_t> labels, int classes);

    Index size() const override { return samples_.shape()[0]; }
    Shape sample_shape() const override { return sample_shape_; }
    int classes() const override { return classes_; }
    void read(Index i, std::span<float> x) const override;
    std::int32_t label(Index i) const override { return labels_[static_cast<std::size_t>(i)]; }

private:
    Tensor samples_;
    Shape sample_shape_;
    std::vector<std::int32_t> labels_;
    int classes_;
};

}  // namespace soma::data
