#pragma once
// Buckets: a flat gradient cut into slices that go to the wire as soon as they are final.
//
//   gradient   [ last layer | ............. | first layer ]
//   buckets    [ 0  | 1         | 2         | 3           ]     0 is small: the wire starts early
//
// A bucket is a slice, so nothing is copied. Cuts lie at the starts of parameters and every 1024
// elements after each start, and nowhere else: whatever is summed by chunk (norms) does not depend
// on the buckets. Buckets are launched in order; one that is ready early waits for those before it.

#include <span>
#include <vector>

#include "soma/dist/schedule.h"

namespace soma::dist {

struct BucketSizes {
    Index bytes = 4 << 20, first_bytes = 1 << 20;
};

// Of `megabytes`, the first of at most one.
BucketSizes bucket_sizes(double megabytes);

// The buckets of a gradient of `length` f32. `starts`: where parameters start, ascending from 0.
// Error(usage) unless starts fits the length and sizes are at least one chunk (4096 bytes).
std::vector<Range> cut_buckets(Index length, std::span<const Index> starts,
                               const BucketSizes& sizes);

// Which buckets are final.
class BucketTracker {
public:
    explicit BucketTracker(std::vector<Range> buckets);

    void restart();
    // Elements of `part` are final; each is marked once. Returns how many buckets, counted from the
    // first, are final now.
    Index mark(Range part);
    const std::vector<Range>& buckets() const { return buckets_; }

private:
    std::vector<Range> buckets_;
    std::vector<Index> missing_;  // elements, by bucket
    Index ready_ = 0;
};

}  // namespace soma::dist
