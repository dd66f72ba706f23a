// Strict all-reduce against the recursion that defines it, bit for bit.

#include "soma/dist/collectives.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

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

// data <- sum over the ranks of comm.
template <class T>
void reduce(Comm& comm, std::span<T> data, Add<T> add, Index doubling = 16 << 10) {
    Allreduce<T>(comm, data, add,
                 make_schedule(Algorithm::tree, comm.size(), comm.rank(),
                               static_cast<Index>(data.size()), sizeof(T), doubling),
                 {.tag = comm.collective_tag()})
        .run(comm);
}

// Every rank's sum of mixed_row(rank) over `ranks` equals the tree.
template <class T>
void expect_tree(int ranks, Index length, Index doubling_bytes) {
    const std::vector<T> expected = test::tree_sum<T>(0, ranks, length);
    run_thread_ranks(ranks, [&](Comm& comm) {
        std::vector<T> data = test::mixed_row<T>(comm.rank(), length);
        reduce<T>(comm, data, plain_add<T>, doubling_bytes);
        EXPECT_TRUE(same_bits<T>(data, expected))
            << "rank " << comm.rank() << " of " << ranks << ", " << length << " elements";
    });
}

TEST(Allreduce, EqualsTheSequentialTreeBitForBitF32) {
    for (int ranks = 1; ranks <= 16; ranks *= 2) {
        for (const Index n : kSizes) expect_tree<float>(ranks, n, 16 << 10);
    }
}

TEST(Allreduce, EqualsTheSequentialTreeBitForBitF64) {
    for (int ranks = 1; ranks <= 16; ranks *= 2) {
        for (const Index n : kSizes) expect_tree<double>(ranks, n, 16 << 10);
    }
}

TEST(Allreduce, BothAlgorithmsGiveTheSameBitsAtEverySize) {
    for (const Index n : {1, 1025, 5000}) {  // 5000: five chunks for 16 ranks, so empty slices
        for (const Index doubling_bytes : {Index{0}, Index{1} << 40}) {
            expect_tree<float>(4, n, doubling_bytes);
            expect_tree<float>(16, n, doubling_bytes);
        }
    }
}

TEST(Allreduce, TheTestDataTellsTheTreeFromAPlainLoop) {
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

TEST(Allreduce, TheLowerRankIsAlwaysTheLeftOperand) {
    for (const Index n : {3, 20'000}) {
        run_thread_ranks(8, [&](Comm& comm) {
            std::vector<float> data(static_cast<std::size_t>(n), float(comm.rank()));
            reduce<float>(comm, data, keep_left);
            EXPECT_EQ(data, std::vector<float>(static_cast<std::size_t>(n), 0.0f));
        });
    }
}

TEST(Allreduce, SumsControlRecordsFieldByField) {
    run_thread_ranks(4, [](Comm& comm) {
        const double r = comm.rank();
        ControlRecord record{.weight = 8, .loss = r, .metrics = {0, 1, 2, 3, r * r}};
        record.stop = comm.rank() == 2;
        record.non_finite = comm.rank() >= 2;
        reduce<ControlRecord>(comm, {&record, 1}, add_records);
        EXPECT_EQ(record.weight, 32);
        EXPECT_EQ(record.loss, 6);
        EXPECT_EQ(record.metrics[3], 12);
        EXPECT_EQ(record.metrics[4], 14);
        EXPECT_EQ(record.stop, 1u);
        EXPECT_EQ(record.non_finite, 2u);
    });
}

// Sizes around what travels with the header (2 KB), the pieces (1 MB) and their window of four.
TEST(Allreduce, PiecesArriveWhereTheyBelong) {
    for (const Index n : {511, 512, 513, 4096, 262'144, 262'145, 2'100'000}) {
        expect_tree<float>(2, n, 0);
        expect_tree<float>(4, n, 0);
    }
    expect_tree<float>(2, 2'100'000, Index{1} << 40);  // doubling folds what it still sends
}

TEST(Allreduce, RunsAgainAndAgainOverTheSameMemory) {
    run_thread_ranks(4, [](Comm& comm) {
        std::vector<double> data(9000);
        Allreduce<double> sum(comm, data, plain_add<double>, halving_schedule(4, comm.rank(), 9000),
                              {.tag = comm.collective_tag(), .prepared = true});
        for (std::uint32_t update = 1; update <= 3; ++update) {
            std::fill(data.begin(), data.end(), update + comm.rank());
            sum.run(comm, update);
            EXPECT_EQ(data, std::vector<double>(9000, 4.0 * update + 6));
        }
    });
}

// The message of an error on some rank.
std::string error_of(int ranks, const std::function<void(Comm&)>& body) {
    try {
        run_thread_ranks(ranks, body);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

TEST(Allreduce, RanksThatDisagreeOnTheSizeGetAnError) {
    const std::string why = error_of(2, [](Comm& comm) {
        std::vector<float> data(comm.rank() == 0 ? 1016 : 1017);
        reduce<float>(comm, data, plain_add<float>);
    });
    EXPECT_NE(why.find("4064 bytes"), std::string::npos) << why;
    EXPECT_NE(why.find("4068 bytes"), std::string::npos) << why;
}

TEST(Allreduce, RanksAtDifferentUpdatesAreBothNamed) {
    const std::string why = error_of(2, [](Comm& comm) {
        std::vector<float> data(10);
        Allreduce<float> sum(comm, data, plain_add<float>, doubling_schedule(2, comm.rank(), 10),
                             {.tag = comm.collective_tag(), .bucket = 3});
        sum.run(comm, comm.rank() == 0 ? 7 : 8);
    });
    for (const char* words : {"rank 0", "rank 1", "update 7", "update 8", "bucket 3"}) {
        EXPECT_NE(why.find(words), std::string::npos) << words << ": " << why;
    }
}

TEST(Allreduce, ASilentPeerIsNamedWithUpdateBucketAndStep) {
    const std::string why = error_of(2, [](Comm& comm) {
        if (comm.rank() == 1) return;
        comm.set_timeout(0.05);
        std::vector<float> data(10);
        Allreduce<float> sum(comm, data, plain_add<float>, doubling_schedule(2, 0, 10),
                             {.tag = 0, .bucket = 3});
        sum.run(comm, 12);
    });
    for (const char* words : {"waited 0.05 s in update 12, bucket 3, step 1 of 1",
                              "to receive 56 "
                              "bytes from rank 1"}) {
        EXPECT_NE(why.find(words), std::string::npos) << words << ": " << why;
    }
}

TEST(LibrarySum, NeedsAMessageLibrary) {
    const auto comm = make_self_comm();
    std::vector<float> data(10);
    LibrarySum sum(*comm, data);
    EXPECT_THROW(sum.run(*comm), Error);
}

}  // namespace
}  // namespace soma::dist
