// Loader: pure function of (seed, epoch, batch), shards, padding, augmentation.

#include "soma/data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "soma/core/error.h"

namespace soma::data {
namespace {

// n samples [2, 3, 1]; pixel p of sample i is 10 i + p, its label i mod 10.
std::shared_ptr<const Dataset> numbered(Index n) {
    Tensor x(Shape{n, 2, 3, 1}, DType::f32);
    std::vector<std::int32_t> labels;
    for (Index i = 0; i < n; ++i) {
        for (Index p = 0; p < 6; ++p) {
            x.data<float>()[static_cast<std::size_t>(6 * i + p)] = static_cast<float>(10 * i + p);
        }
        labels.push_back(static_cast<std::int32_t>(i % 10));
    }
    return std::make_shared<TensorDataset>(x, labels, 10);
}

std::vector<float> values(const Batch& batch) {
    const auto x = batch.x.data<float>();
    return {x.begin(), x.end()};
}

TEST(Loader, EpochShowsEverySampleOnceWithItsOwnPixelsAndLabel) {
    const Loader loader(numbered(23), {.batch = 5, .seed = 3});
    std::multiset<Index> seen;
    for (Index k = 0; k < loader.batches(); ++k) {
        const Batch batch = loader.load(2, k);
        for (std::size_t j = 0; j < batch.ids.size(); ++j) {
            EXPECT_EQ(values(batch)[6 * j + 4], static_cast<float>(10 * batch.ids[j] + 4));
            EXPECT_EQ(batch.labels[j], batch.ids[j] % 10);
            if (batch.weight[j] == 1) seen.insert(batch.ids[j]);
        }
    }
    EXPECT_EQ(seen.size(), 23u);
    EXPECT_EQ(std::set<Index>(seen.begin(), seen.end()).size(), 23u);
}

TEST(Loader, LastBatchIsPaddedWithWeightZero) {
    const Loader loader(numbered(7), {.batch = 16, .shuffle = false});
    const Batch batch = loader.load(0, 0);
    EXPECT_EQ(loader.batches(), 1);
    EXPECT_EQ(batch.size(), 16);
    for (std::size_t j = 0; j < 16; ++j) {
        EXPECT_EQ(batch.ids[j], static_cast<Index>(j % 7));  // a valid sample, more than once
        EXPECT_EQ(batch.weight[j], j < 7 ? 1.0f : 0.0f);
    }
}

TEST(Loader, BatchDependsOnSeedEpochAndNumberOnly) {
    const Loader first(numbered(100), {.batch = 10, .seed = 1});
    const Loader again(numbered(100), {.batch = 10, .seed = 1});
    const Loader other(numbered(100), {.batch = 10, .seed = 2});
    again.load(5, 9);  // what was loaded before does not matter
    EXPECT_EQ(first.load(4, 3).ids, again.load(4, 3).ids);
    EXPECT_NE(first.load(4, 3).ids, first.load(5, 3).ids);
    EXPECT_NE(first.load(4, 3).ids, other.load(4, 3).ids);
}

TEST(Loader, ShardsOfABatchMakeTheBatch) {
    const Loader loader(numbered(30),
                        {.batch = 8, .shards = 4, .seed = 9, .augment = rolled_shift(1)});
    for (Index k = 0; k < loader.batches(); ++k) {
        const Batch whole = loader.load(1, k);
        std::vector<float> x, weight;
        for (Index s = 0; s < 4; ++s) {
            const Batch shard = loader.load_shard(1, k, s);
            EXPECT_EQ(shard.size(), 2);
            const std::vector<float> part = values(shard);
            x.insert(x.end(), part.begin(), part.end());
            weight.insert(weight.end(), shard.weight.begin(), shard.weight.end());
        }
        EXPECT_EQ(weight, whole.weight);
        EXPECT_EQ(x, values(whole));
    }
}

TEST(Loader, ConstantOrderIsTheOrderOfTheSet) {
    const Loader loader(numbered(10), {.batch = 4, .shuffle = false});
    EXPECT_EQ(loader.load(0, 1).ids, (std::vector<Index>{4, 5, 6, 7}));
    EXPECT_EQ(loader.load(7, 1).ids, (std::vector<Index>{4, 5, 6, 7}));
}

TEST(Loader, ReusesTheBuffersOfItsOutput) {
    const Loader loader(numbered(10), {.batch = 5});
    Batch batch = loader.load(0, 0);
    const void* before = batch.x.raw();
    loader.load(0, 1, batch);
    EXPECT_EQ(batch.x.raw(), before);
    EXPECT_EQ(values(batch), values(loader.load(0, 1)));
}

TEST(Loader, AugmentationIsKeyedBySampleAndEpochNotByPlace) {
    const auto data = numbered(12);
    const Loader small(data, {.batch = 3, .seed = 4, .augment = rolled_shift(1)});
    const Loader large(data, {.batch = 12, .seed = 4, .augment = rolled_shift(1)});
    const Batch all = large.load(6, 0);
    for (Index k = 0; k < 4; ++k) {
        const std::vector<float> part = values(small.load(6, k)), whole = values(all);
        EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 18 * k));
    }
    EXPECT_NE(values(all), values(large.load(7, 0)));
}

TEST(RolledShift, MovesPixelsAroundTheBordersAndReachesEveryShiftEqually) {
    const auto shift = rolled_shift(1);
    const Shape shape{4, 5, 2};
    std::vector<int> count(9);
    const int draws = 9000;
    for (int i = 0; i < draws; ++i) {
        std::vector<float> x(40, 0);
        x[0] = 1;  // the first pixel: its two channels are told apart
        x[1] = 2;
        RandomSequence random(make_key(1, Purpose::augmentation),
                              {.trial = static_cast<std::uint32_t>(i)});
        shift(x, shape, random);
        const auto at = std::find(x.begin(), x.end(), 1.0f) - x.begin();
        ASSERT_EQ(x[static_cast<std::size_t>(at + 1)], 2.0f);
        const Index row = at / 10, column = at % 10 / 2;
        const Index down = row == 3 ? -1 : row, right = column == 4 ? -1 : column;
        ASSERT_TRUE(down <= 1 && right <= 1);
        ++count[static_cast<std::size_t>(3 * (down + 1) + right + 1)];
    }
    const double p = 1.0 / 9, bound = 5 * std::sqrt(draws * p * (1 - p));  // 5 standard errors
    for (const int c : count) EXPECT_NEAR(c, draws * p, bound);
}

TEST(Loader, NamesTheRuleThatOptionsBreak) {
    EXPECT_THROW(Loader(numbered(4), {.batch = 6, .shards = 4}), Error);
    EXPECT_THROW(Loader(nullptr, {}), Error);
    const Loader loader(numbered(4), {.batch = 2, .shards = 2});
    EXPECT_THROW(loader.load(0, 2), Error);
    EXPECT_THROW(loader.load(-1, 0), Error);
    EXPECT_THROW(loader.load_shard(0, 0, 2), Error);
}

TEST(TensorDataset, RefusesLabelsThatDoNotFit) {
    EXPECT_THROW(TensorDataset(Tensor::zeros({3, 2}), {0, 1}, 2), Error);
    EXPECT_THROW(TensorDataset(Tensor::zeros({2, 2}), {0, 2}, 2), Error);
    EXPECT_THROW(TensorDataset(Tensor::zeros({2, 2}, DType::f64), {0, 1}, 2), Error);
}

}  // namespace
}  // namespace soma::data
