#include "soma/dist/buckets.h"

#include <algorithm>
#include <utility>

#include "soma/core/error.h"

namespace soma::dist {

BucketSizes bucket_sizes(double megabytes) {
    BucketSizes sizes;
    sizes.bytes = static_cast<Index>(megabytes * (1 << 20));
    sizes.first_bytes = std::min(sizes.bytes, sizes.first_bytes);
    return sizes;
}

std::vector<Range> cut_buckets(Index length, std::span<const Index> starts,
                               const BucketSizes& sizes) {
    constexpr Index size = sizeof(float), least = kChunk * size;
    SOMA_CHECK(sizes.bytes >= least && sizes.first_bytes >= least, "buckets: ", sizes.bytes,
               " bytes, the first ", sizes.first_bytes, "; need at least ", least);
    SOMA_CHECK(length >= 0 && std::is_sorted(starts.begin(), starts.end()) &&
                   (length == 0 || (!starts.empty() && starts.front() == 0)) &&
                   (starts.empty() || starts.back() <= length),
               "buckets: ", starts.size(), " starts of parameters do not fit ", length,
               " elements; need them ascending from 0");
    std::vector<Range> buckets;
    for (Index begin = 0; begin < length; begin = buckets.back().end) {
        const Index wanted = begin + (buckets.empty() ? sizes.first_bytes : sizes.bytes) / size;
        Index end = length;
        if (wanted < length) {  // back to the last cut point, which lies less than a chunk before
            const Index start = *(std::upper_bound(starts.begin(), starts.end(), wanted) - 1);
            end = start + (wanted - start) / kChunk * kChunk;
        }
        buckets.push_back({begin, end});
    }
    return buckets;
}

BucketTracker::BucketTracker(std::vector<Range> buckets)
    : buckets_(std::move(buckets)), missing_(buckets_.size()) {
    restart();
}

void BucketTracker::restart() {
    std::transform(buckets_.begin(), buckets_.end(), missing_.begin(),
                   [](const Range& bucket) { return bucket.size(); });
    ready_ = 0;
}

Index BucketTracker::mark(Range part) {
    const auto first = std::upper_bound(buckets_.begin(), buckets_.end(), part.begin,
                                        [](Index at, const Range& b) { return at < b.end; });
    for (auto b = first; b != buckets_.end() && b->begin < part.end; ++b) {
        Index& missing = missing_[static_cast<std::size_t>(b - buckets_.begin())];
        missing -= std::min(b->end, part.end) - std::max(b->begin, part.begin);
        if (missing < 0) fail(ErrorCode::internal, "buckets: elements marked twice");
    }
    const auto count = static_cast<Index>(buckets_.size());
    while (ready_ < count && missing_[static_cast<std::size_t>(ready_)] == 0) ++ready_;
    return ready_;
}

}  // namespace soma::dist
