// Data movement: box copies, row gather and the sorted row sum. Results are exact or defined to the
// bit, so nothing here has a tolerance.

#include "soma/kernels/gather.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "soma/core/parallel.h"
#include "soma/core/rng.h"
#include "soma/kernels/copy.h"

namespace soma::kernels {
namespace {

class Gather : public testing::Test {
protected:
    void TearDown() override { set_num_threads(threads_); }

private:
    int threads_ = num_threads();
};

std::vector<float> counting(Index n) {
    std::vector<float> x(static_cast<std::size_t>(n));
    std::iota(x.begin(), x.end(), 1.0F);
    return x;
}

// The definition of copy_box, one index at a time.
void copy_plainly(const Box& box, int dim, const float* x, float* y, bool add) {
    if (dim == box.rank) {
        *y = add ? *y + *x : *x;
        return;
    }
    const Box::Dim& d = box.dims[dim];
    for (Index i = 0; i < d.size; ++i) copy_plainly(box, dim + 1, x + i * d.xs, y + i * d.ys, add);
}

struct BoxRow {
    const char* name;
    std::vector<Box::Dim> dims;
};
const BoxRow kBoxes[] = {
    {"single element", {}},
    {"empty", {{3, 4, 4}, {0, 1, 1}}},
    {"contiguous", {{3, 20, 20}, {4, 5, 5}, {5, 1, 1}}},
    {"rows of a wider matrix", {{7, 9, 5}, {5, 1, 1}}},
    {"transposition", {{37, 1, 41}, {41, 37, 1}}},
    {"transposition of planes", {{3, 40, 200}, {20, 1, 10}, {10, 200, 1}}},
    {"reversed order of three", {{18, 1, 21}, {7, 18, 3}, {3, 126, 1}}},
    {"repeated row", {{6, 0, 4}, {4, 1, 1}}},
    {"repeated element", {{6, 1, 4}, {4, 0, 1}}},
    {"strided on both sides", {{5, 2, 3}}},
    {"large transposition", {{300, 1, 400}, {400, 300, 1}}},
};

TEST_F(Gather, CopyBoxFollowsItsDefinition) {
    for (const BoxRow& row : kBoxes) {
        Box box;
        for (const Box::Dim& d : row.dims) box.add(d.size, d.xs, d.ys);
        const std::vector<float> x = counting(130000);
        for (const Store store : {Store::overwrite, Store::add}) {
            std::vector<float> expected(130000, 0.5F);
            copy_plainly(box, 0, x.data(), expected.data(), store == Store::add);
            for (const int threads : {1, 2, 7}) {
                set_num_threads(threads);
                std::vector<float> y(130000, 0.5F);

                copy_box(box, x.data(), y.data(), store);

                EXPECT_EQ(y, expected) << row.name << ", " << threads << " threads";
            }
        }
    }
}

TEST_F(Gather, RowsArriveInTheOrderOfTheList) {
    const std::vector<float> table = counting(12);
    const std::int32_t rows[] = {3, 0, 3};
    std::vector<float> y(9);

    gather_rows(rows, 3, table.data(), y.data());

    EXPECT_EQ(y, (std::vector<float>{10, 11, 12, 1, 2, 3, 10, 11, 12}));
}

std::vector<std::int32_t> random_rows(Index n, Index row_count) {
    RandomSequence random(make_key(1, Purpose::analysis_seeds, 0, 4));
    std::vector<std::int32_t> rows;
    for (Index i = 0; i < n; ++i) {
        rows.push_back(static_cast<std::int32_t>(random.uniform(0.0F, 1.0F) *
                                                 static_cast<float>(row_count - 1)));
    }
    return rows;
}

// Integers below 2^24: the sum does not depend on its order, so the plain loop is exact.
TEST_F(Gather, ScatterAddSumsTheRowsThatOccur) {
    constexpr Index kCols = 5;
    for (const Index row_count : {1, 3, 100, 5000, 3000000}) {
        const auto rows = random_rows(2000, row_count);
        std::vector<float> x = counting(2000 * kCols);
        for (float& v : x) v = static_cast<float>(static_cast<int>(v) % 17 - 8);
        std::vector<float> expected(static_cast<std::size_t>(row_count * kCols), 1.0F);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            for (Index c = 0; c < kCols; ++c) expected[rows[i] * kCols + c] += x[i * kCols + c];
        }
        std::vector<float> y(expected.size(), 1.0F);

        scatter_add_rows(rows, row_count, kCols, x.data(), y.data());

        EXPECT_TRUE(y == expected) << row_count << " rows";
    }
}

// One row hit 600 times: leaves of 256, 256 and 88 positions, (leaf 0 + leaf 1) + leaf 2, then y.
TEST_F(Gather, ScatterAddFoldsLeavesOf256AsATree) {
    const std::vector<std::int32_t> rows(600, 2);
    RandomSequence random(make_key(1, Purpose::analysis_seeds, 0, 5));
    std::vector<float> x;
    for (int i = 0; i < 600; ++i) x.push_back(random.uniform(-1.0F, 1.0F));
    const auto leaf = [&](int begin, int end) {
        float sum = 0;
        for (int i = begin; i < end; ++i) sum += x[i];
        return sum;
    };
    std::vector<float> y(4, 0.25F);

    scatter_add_rows(rows, 4, 1, x.data(), y.data());

    const float tree = (leaf(0, 256) + leaf(256, 512)) + leaf(512, 600);
    EXPECT_EQ(y, (std::vector<float>{0.25F, 0.25F, 0.25F + tree, 0.25F}));
}

TEST_F(Gather, ScatterAddGivesTheSameBitsForAnyThreadCount) {
    const auto rows = random_rows(5000, 60);
    RandomSequence random(make_key(1, Purpose::analysis_seeds, 0, 6));
    std::vector<float> x;
    for (int i = 0; i < 5000 * 33; ++i) x.push_back(random.uniform(-1.0F, 1.0F));
    const auto run = [&](int threads) {
        set_num_threads(threads);
        std::vector<float> y(60 * 33);
        scatter_add_rows(rows, 60, 33, x.data(), y.data());
        return y;
    };

    const std::vector<float> expected = run(1);

    for (const int threads : {2, 3, 7, 16}) EXPECT_EQ(run(threads), expected) << threads;
}

// <gather x, y> = <x, scatter y>, exactly in integers.
TEST_F(Gather, ScatterAddIsTheAdjointOfGather) {
    const auto rows = random_rows(40, 10);
    std::vector<float> x = counting(20), y = counting(80), gathered(80), scattered(20);

    gather_rows(rows, 2, x.data(), gathered.data());
    scatter_add_rows(rows, 10, 2, y.data(), scattered.data());

    const auto dot = [](const std::vector<float>& a, const std::vector<float>& b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    EXPECT_EQ(dot(gathered, y), dot(x, scattered));
}

}  // namespace
}  // namespace soma::kernels
