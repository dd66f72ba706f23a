// The cost model against products small enough to count by hand.

#include "bench/cost_model.h"

#include <gtest/gtest.h>

namespace soma::bench {
namespace {

MachineRates rates() {
    return {.flop = 200e9,
            .l1 = 400e9,
            .l2 = 200e9,
            .l3 = 50e9,
            .ram = 10e9,
            .l1_bytes = 32 << 10,
            .l2_bytes = 1 << 20,
            .l3_bytes = 32 << 20,
            .call_seconds = 30e-9};
}

ProductPlan cube(Index n) {
    return {.m = n, .n = n, .k = n, .width = 16, .tile_rows = 6, .tile_vectors = 4};
}

TEST(CostModel, CountsPaddedLanes) {
    const Prediction whole = predict(cube(64), rates());
    ProductPlan plan = cube(64);
    plan.n = 65;

    const Prediction padded = predict(plan, rates());

    EXPECT_DOUBLE_EQ(whole.flop, 2.0 * 64 * 64 * 64);
    EXPECT_DOUBLE_EQ(padded.flop, 2.0 * 64 * 80 * 64);
}

TEST(CostModel, CountsLoadsOfATile) {
    // 6 x 4 vectors: an FMA needs 1/6 of a vector of B and 1/4 of a broadcast of A.
    const Prediction p = predict(cube(48), rates());

    EXPECT_DOUBLE_EQ(p.l1.bytes, 48.0 * 48 * 48 * (1.0 / 6 + 1.0 / 4) * 4);
}

TEST(CostModel, InCacheProductsMoveNothingFar) {
    EXPECT_EQ(predict(cube(256), rates()).far.bytes, 0);  // 3 x 256 KB
    EXPECT_GT(predict(cube(512), rates()).far.bytes, 0);
}

TEST(CostModel, SmallBIsReadFromL2Once) {
    const double a = 64.0 * 64 * 4;
    // A once, B once (16 KB fit L1), C read and written once.
    EXPECT_DOUBLE_EQ(predict(cube(64), rates()).l2.bytes, 4 * a);
}

TEST(CostModel, PackingCostsThreeTimesB) {
    ProductPlan plan = cube(512);
    plan.packed = true;
    plan.kc = 256;
    plan.nc = 192;

    const Prediction p = predict(plan, rates());

    EXPECT_DOUBLE_EQ(p.pack.bytes, 3.0 * 512 * 512 * 4);
    // A and C once a block: 3 blocks of columns, 2 of k; B once.
    EXPECT_DOUBLE_EQ(p.far.bytes, (3 + 1 + 2 * 2) * 512.0 * 512 * 4);
    EXPECT_FALSE(p.far_is_ram);
}

TEST(CostModel, MatrixTimesVectorFromMemoryIsBoundByMemory) {
    const ProductPlan plan{.m = 1, .n = 4096, .k = 4096, .width = 16, .tile_vectors = 4};

    const Prediction p = predict(plan, rates());

    EXPECT_STREQ(p.bound(), "RAM");  // 64 MB, more than half of L3
    EXPECT_NEAR(p.seconds(), 4096.0 * 4096 * 4 / 10e9, 0.05 * p.seconds());
}

TEST(CostModel, TotalIsTheLargestPlusWhatCannotOverlap) {
    const Prediction p = predict(cube(128), rates());

    EXPECT_STREQ(p.bound(), "FMA");
    EXPECT_DOUBLE_EQ(p.seconds(), p.fma_seconds + p.ends_seconds + p.call_seconds);
}

}  // namespace
}  // namespace soma::bench
