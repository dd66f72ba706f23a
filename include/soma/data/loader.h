#pragma once
// Loader: batch k of epoch e as a pure function of (seed, e, k).
//
//   position g = k B + s (B/S) + j        batch k, shard s of S, sample j of B/S
//   sample     = permutation(seed, e)(g)  or g itself in constant order
//
// Nothing is stored between calls: resuming needs two integers, ranks need no agreement, and any
// batch can be had at once. The last batch is never ragged: positions g >= N repeat the sample at
// position g mod N with weight 0, so the mean over the summed weight is exact (distributed.md 13).
// Augmentation is keyed by (seed, epoch, sample), never by place in a batch. Thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "soma/core/rng.h"
#include "soma/data/dataset.h"

namespace soma::data {

// Changes one sample in place, drawing from its own random numbers.
using Augment =
    std::function<void(std::span<float> x, const Shape& sample, RandomSequence& random)>;

// Shifts images [H, W, C] by up to `radius` pixels in each direction, every one of the
// (2 radius + 1)^2 shifts equally likely; what leaves on one side enters on the other.
Augment rolled_shift(int radius);

struct Batch {
    Tensor x;                          // [n, sample...] f32
    std::vector<std::int32_t> labels;  // [n]
    std::vector<float> weight;         // [n]: 1, or 0 for padding
    std::vector<Index> ids;            // [n]: number of each sample in its set
    Index size() const { return static_cast<Index>(ids.size()); }
};

struct LoaderOptions {
    Index batch = 32;        // B
    Index shards = 1;        // S; must divide B
    std::uint64_t seed = 1;  // of order and augmentation
    bool shuffle = true;     // false: constant order, sample g at position g
    Augment augment = {};    // none by default
};

class Loader {
public:
    // Keeps the dataset alive. Error(usage) on an empty set, or when S does not divide B.
    Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options);

    const Dataset& dataset() const { return *dataset_; }
    const LoaderOptions& options() const { return options_; }
    Index batch() const { return options_.batch; }
    Index shards() const { return options_.shards; }
    Index samples() const { return dataset_->size(); }
    Index batches() const;  // of one epoch: ceil(N / B)

    // Batch k of an epoch, or the B/S samples of one of its shards. The second form fills `out` and
    // keeps its memory where the shape is the same and no other Tensor is meant to keep x.
    // Error(usage) unless epoch >= 0, 0 <= k < batches() and 0 <= s < shards().
    Batch load(Index epoch, Index k) const;
    void load(Index epoch, Index k, Batch& out) const;
    Batch load_shard(Index epoch, Index k, Index s) const;
    void load_shard(Index epoch, Index k, Index s, Batch& out) const;

private:
    void fill(Index epoch, Index first, Index count, Batch& out) const;

    std::shared_ptr<const Dataset> dataset_;
    LoaderOptions options_;
};

}  // namespace soma::data
