#include "soma/dist/buckets.h"

#include <gtest/gtest.h>

#include "soma/core/error.h"

namespace soma::dist {
namespace {

using Starts = std::vector<Index>;

TEST(CutBuckets, CoverTheGradientAndCutOnlyAtChunksOfParameters) {
    const Starts starts{0, 1600, 1616, 50'000};
    const Index length = 123'456;
    for (const Index bytes : {4096, 10'000, 65'536, 10'000'000}) {
        const auto buckets = cut_buckets(length, starts, {.bytes = bytes, .first_bytes = 4096});
        Index at = 0;
        for (const Range& b : buckets) {
            EXPECT_EQ(b.begin, at);
            EXPECT_LT(b.begin, b.end);
            EXPECT_LE(b.size() * 4, std::max<Index>(bytes, 4096));
            at = b.end;
            if (b.end == length) continue;
            const Index start = *(std::upper_bound(starts.begin(), starts.end(), b.end) - 1);
            EXPECT_EQ((b.end - start) % kChunk, 0) << b.end;
        }
        EXPECT_EQ(at, length);
    }
}

TEST(CutBuckets, TheFirstIsSmall) {
    const auto buckets = cut_buckets(10'000'000, Starts{0}, {});
    EXPECT_EQ(buckets[0].size() * 4, 1 << 20);
    EXPECT_EQ(buckets[1].size() * 4, 4 << 20);
}

TEST(CutBuckets, AnEmptyGradientHasNone) { EXPECT_TRUE(cut_buckets(0, Starts{}, {}).empty()); }

TEST(CutBuckets, RefusesStartsThatDoNotFitAndTinyBuckets) {
    EXPECT_THROW(cut_buckets(10, Starts{}, {}), Error);
    EXPECT_THROW(cut_buckets(10, Starts{4}, {}), Error);
    EXPECT_THROW(cut_buckets(10, Starts{0, 11}, {}), Error);
    EXPECT_THROW(cut_buckets(10, Starts{0, 8, 4}, {}), Error);
    EXPECT_THROW(cut_buckets(10, Starts{0}, {.bytes = 100}), Error);
}

TEST(BucketTracker, ABucketThatIsReadyEarlyWaitsForThoseBeforeIt) {
    BucketTracker tracker({{0, 10}, {10, 20}, {20, 30}});
    EXPECT_EQ(tracker.mark({10, 20}), 0);
    EXPECT_EQ(tracker.mark({0, 5}), 0);
    EXPECT_EQ(tracker.mark({5, 10}), 2);
    EXPECT_EQ(tracker.mark({20, 30}), 3);
}

TEST(BucketTracker, AParameterMayLieInSeveralBuckets) {
    BucketTracker tracker({{0, 10}, {10, 20}, {20, 30}});
    EXPECT_EQ(tracker.mark({5, 25}), 0);
    EXPECT_EQ(tracker.mark({0, 5}), 2);
    tracker.restart();
    EXPECT_EQ(tracker.mark({0, 30}), 3);
    EXPECT_THROW(tracker.mark({29, 30}), Error);
}

}  // namespace
}  // namespace soma::dist
