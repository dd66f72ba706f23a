// Strict all-reduce against the recursion that defines it, bit for bit.

#include "soma/dist/collectives.h"

#include <gtest/gtest.h>

#include <cstring>

#include "dist/shard_data.h"
#include "soma/core/error.h"
#include "soma/dist/thread_ranks.h"

namespace soma::dist {
namespace {

constexpr Index kSizes[] = {0, 1, 1023, 1024, 1025, 5000, 100'000};

template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

// Every rank's sum of mixed_row(rank) over `ranks` equals the tree.
template <class T>
void expect_tree(int ranks, Index length, Index doubling_bytes) {
    const std::vector<T> expected = test::tree_sum<T>(0, ranks, length);
    run_thread_ranks(ranks, [&](Comm& comm) {
        std::vector<T> data = test::mixed_row<T>(comm.rank(), length);
        TreeAllreduce<T> reduce(comm, plain_add<T>, doubling_bytes);
        reduce(data);
        EXPECT_TRUE(same_bits<T>(data, expected))
            << "rank " << comm.rank() << " of " << ranks << ", " << length << " elements";
    });
}

TEST(TreeAllreduce, EqualsTheSequentialTreeBitForBitF32) {
    for (int ranks = 1; ranks <= 16; ranks *= 2) {
        for (const Index n : kSizes) expect_tree<float>(ranks, n, 16 << 10);
    }
}

TEST(TreeAllreduce, EqualsTheSequentialTreeBitForBitF64) {
    for (int ranks = 1; ranks <= 16; ranks *= 2) {
        for (const Index n : kSizes) expect_tree<double>(ranks, n, 16 << 10);
    }
}

TEST(TreeAllreduce, BothAlgorithmsGiveTheSameBitsAtEverySize) {
    for (const Index n : {1, 1025, 5000}) {  // 5000: five chunks for 16 ranks, so empty slices
        for (const Index doubling_bytes : {Index{0}, Index{1} << 40}) {
            expect_tree<float>(4, n, doubling_bytes);
            expect_tree<float>(16, n, doubling_bytes);
        }
    }
}

TEST(TreeAllreduce, TheTestDataTellsTheTreeFromAPlainLoop) {
    const std::vector<float> tree = test::tree_sum<float>(0, 8, 1000);
    std::vector<float> loop = test::mixed_row<float>(0, 1000);
    for (int row = 1; row < 8; ++row) {
        const std::vector<float> next = test::mixed_row<float>(row, 1000);
        plain_add(loop.data(), loop.data(), next.data(), 1000);
    }
    EXPECT_FALSE(same_bits<float>(tree, loop));
}

// Keeps the left operand: what survives is the operand that was leftmost all the way up.
void keep_left(float* out, const float* left, const float*, Index n) {
    std::memmove(out, left, static_cast<std::size_t>(n) * sizeof(float));
}

TEST(TreeAllreduce, TheLowerRankIsAlwaysTheLeftOperand) {
    for (const Index n : {3, 20'000}) {
        run_thread_ranks(8, [&](Comm& comm) {
            std::vector<float> data(static_cast<std::size_t>(n), float(comm.rank()));
            TreeAllreduce<float> reduce(comm, keep_left);
            reduce(data);
            EXPECT_EQ(data, std::vector<float>(static_cast<std::size_t>(n), 0.0f));
        });
    }
}

TEST(TreeAllreduce, SumsControlRecordsFieldByField) {
    run_thread_ranks(4, [](Comm& comm) {
        const double r = comm.rank();
        ControlRecord record{.weight = 8, .loss = r, .metrics = {0, 1, 2, 3, r * r}};
        record.stop = comm.rank() == 2;
        record.non_finite = comm.rank() >= 2;
        TreeAllreduce<ControlRecord> reduce(comm, add_records);
        reduce({&record, 1});
        EXPECT_EQ(record.weight, 32);
        EXPECT_EQ(record.loss, 6);
        EXPECT_EQ(record.metrics[3], 12);
        EXPECT_EQ(record.metrics[4], 14);
        EXPECT_EQ(record.stop, 1u);
        EXPECT_EQ(record.non_finite, 2u);
    });
}

TEST(TreeAllreduce, RefusesRankCountsThatAreNoPowerOfTwo) {
    run_thread_ranks(3, [](Comm& comm) {
        try {
            const TreeAllreduce<float> reduce(comm, plain_add<float>);
            ADD_FAILURE() << "no error";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::usage);
            EXPECT_NE(std::string(e.what()).find("3 ranks; need a power of two"),
                      std::string::npos);
        }
    });
}

TEST(TreeAllreduce, RanksThatDisagreeOnTheSizeGetAnError) {
    EXPECT_THROW(run_thread_ranks(2,
                                  [](Comm& comm) {
                                      std::vector<float> data(comm.rank() == 0 ? 1016 : 1017);
                                      TreeAllreduce<float> reduce(comm, plain_add<float>);
                                      reduce(data);
                                  }),
                 Error);
}

}  // namespace
}  // namespace soma::dist
