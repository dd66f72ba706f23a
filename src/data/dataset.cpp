#include "soma/data/dataset.h"

#include <algorithm>
#include <utility>

#include "soma/core/error.h"

namespace soma::data {

ImageDataset::ImageDataset(ImageSet set, FloatRange range)
    : set_(std::move(set)), table_(float_table(set_.levels, range)) {}

void ImageDataset::read(Index i, std::span<float> x) const {
    const std::span<const std::uint8_t> image = set_.image(i);
    for (std::size_t p = 0; p < image.size(); ++p) x[p] = table_[image[p]];
}

TensorDataset::TensorDataset(Tensor samples, std::vector<std::int32_t> labels, int classes)
    : samples_(std::move(samples)), labels_(std::move(labels)), classes_(classes) {
    const Shape& shape = samples_.shape();
    SOMA_CHECK(samples_.dtype() == DType::f32 && shape.rank() >= 1, "tensor dataset: samples are ",
               shape, " ", name_of(samples_.dtype()), "; need f32 [N, ...]");
    SOMA_CHECK(shape[0] == static_cast<Index>(labels_.size()), "tensor dataset: samples are ",
               shape, ", labels are ", labels_.size(), "; need one label a sample");
    for (const std::int32_t label : labels_) {
        SOMA_CHECK(label >= 0 && label < classes, "tensor dataset: label ", label,
                   "; need 0 <= label < ", classes);
    }
    sample_shape_ = Shape(shape.sizes().subspan(1));
}

void TensorDataset::read(Index i, std::span<float> x) const {
    const auto count = static_cast<std::size_t>(sample_shape_.count());
    const auto all = std::as_const(samples_).data<float>();
    const auto sample = all.subspan(static_cast<std::size_t>(i) * count, count);
    std::copy(sample.begin(), sample.end(), x.begin());
}

}  // namespace soma::data
