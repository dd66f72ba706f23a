#include "soma/data/loader.h"

#include <algorithm>
#include <utility>

#include "soma/core/error.h"
#include "soma/data/permutation.h"

namespace soma::data {

Augment rolled_shift(int radius) {
    SOMA_CHECK(radius >= 0, "rolled_shift: radius is ", radius, "; need radius >= 0");
    return [radius](std::span<float> x, const Shape& sample, RandomSequence& random) {
        SOMA_CHECK(sample.rank() == 3, "rolled_shift: sample is ", sample, "; need [H, W, C]");
        const auto range = static_cast<std::uint32_t>(2 * radius + 1);
        const Index down = static_cast<Index>(random.below(range)) - radius;
        const Index right = static_cast<Index>(random.below(range)) - radius;
        const auto begin = x.begin();
        const auto roll = [](auto first, Index count, Index shift) {
            if (count == 0) return;
            const Index left = ((-shift) % count + count) % count;
            std::rotate(first, first + left, first + count);
        };
        const Index row = sample[1] * sample[2];
        for (Index y = 0; y < sample[0]; ++y) roll(begin + y * row, row, right * sample[2]);
        roll(begin, sample[0] * row, down * row);
    };
}

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options)
    : dataset_(std::move(dataset)), options_(std::move(options)) {
    SOMA_CHECK(dataset_ && dataset_->size() >= 1, "loader: the data set is empty");
    SOMA_CHECK(options_.batch >= 1 && options_.shards >= 1 && options_.batch % options_.shards == 0,
               "loader: batch is ", options_.batch, ", shards is ", options_.shards,
               "; need both >= 1 and shards to divide batch");
}

Index Loader::batches() const { return ceil_div(samples(), options_.batch); }

Batch Loader::load(Index epoch, Index k) const {
    Batch out;
    load(epoch, k, out);
    return out;
}

void Loader::load(Index epoch, Index k, Batch& out) const {
    SOMA_CHECK(epoch >= 0 && k >= 0 && k < batches(), "loader: batch ", k, " of epoch ", epoch,
               "; need epoch >= 0 and 0 <= batch < ", batches());
    fill(epoch, k * options_.batch, options_.batch, out);
}

Batch Loader::load_shard(Index epoch, Index k, Index s) const {
    Batch out;
    load_shard(epoch, k, s, out);
    return out;
}

void Loader::load_shard(Index epoch, Index k, Index s, Batch& out) const {
    SOMA_CHECK(epoch >= 0 && k >= 0 && k < batches() && s >= 0 && s < options_.shards,
               "loader: shard ", s, " of batch ", k, " of epoch ", epoch,
               "; need epoch >= 0, 0 <= batch < ", batches(), " and 0 <= shard < ",
               options_.shards);
    const Index count = options_.batch / options_.shards;
    fill(epoch, k * options_.batch + s * count, count, out);
}

void Loader::fill(Index epoch, Index first, Index count, Batch& out) const {
    const Shape sample = dataset_->sample_shape();
    std::vector<Index> sizes{count};
    sizes.insert(sizes.end(), sample.sizes().begin(), sample.sizes().end());
    const Shape shape(sizes);
    if (out.x.empty() || out.x.dtype() != DType::f32 || !(out.x.shape() == shape)) {
        out.x = Tensor(shape, DType::f32);
    }
    const auto n = static_cast<std::size_t>(count);
    out.labels.resize(n);
    out.weight.resize(n);
    out.ids.resize(n);
    const Permutation order(samples(), options_.seed, static_cast<std::uint64_t>(epoch));
    const PhiloxKey key = make_key(options_.seed, Purpose::augmentation);
    const auto stride = static_cast<std::size_t>(sample.count());
    const std::span<float> x = out.x.data<float>();
    for (std::size_t j = 0; j < n; ++j) {
        const Index g = first + static_cast<Index>(j);
        const Index position = g % samples();
        const Index id = options_.shuffle ? order(position) : position;
        const std::span<float> row = x.subspan(j * stride, stride);
        dataset_->read(id, row);
        out.labels[j] = dataset_->label(id);
        out.weight[j] = g < samples() ? 1.0f : 0.0f;
        out.ids[j] = id;
        if (options_.augment) {
            RandomSequence random(key, {.step = 0,
                                        .trial = static_cast<std::uint32_t>(id),
                                        .visit = static_cast<std::uint32_t>(epoch)});
            options_.augment(row, sample, random);
        }
    }
}

}  // namespace soma::data
