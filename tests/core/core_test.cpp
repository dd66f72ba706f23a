// Core: arena, counter-based random numbers, checksums, parallel_for.

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include "soma/core/arena.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"
#include "soma/core/hash.h"
#include "soma/core/parallel.h"
#include "soma/core/rng.h"

namespace soma {
namespace {

TEST(Philox, KnownAnswers) {
    // Random123 1.14, tests/kat_vectors, philox4x32 with 10 rounds.
    EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
              (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(
        philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
        (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(
        philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
        (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, KeysOfDifferentPurposesDiffer) {
    std::set<PhiloxKey> keys;
    for (std::uint32_t p = 1; p <= 15; ++p) {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            keys.insert(make_key(seed, static_cast<Purpose>(p)));
        }
    }
    EXPECT_EQ(keys.size(), 300u);
}

TEST(RandomSequence, BelowIsUniformWithinFourStandardErrors) {
    RandomSequence random(make_key(1, Purpose::data_generation));
    const int n = 70000, bins = 7;
    std::vector<int> count(bins);
    for (int i = 0; i < n; ++i) ++count[random.below(bins)];
    const double p = 1.0 / bins, error = 4 * std::sqrt(n * p * (1 - p));
    for (const int c : count) EXPECT_NEAR(c, n * p, error);
}

TEST(Arena, PointersAreAlignedAndDisjoint) {
    Arena arena(256);
    std::vector<std::byte*> blocks;
    for (int i = 0; i < 100; ++i) {
        auto* p = static_cast<std::byte*>(arena.allocate(100));
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % kAlignment, 0u);
        std::memset(p, i, 100);
        blocks.push_back(p);
    }
    for (int i = 0; i < 100; ++i) {
        for (int j = 0; j < 100; ++j) ASSERT_EQ(blocks[i][j], static_cast<std::byte>(i));
    }
}

TEST(Arena, ResetSettlesIntoOneBlock) {
    Arena arena(64);
    for (int i = 0; i < 10; ++i) arena.allocate(1000);
    arena.reset();
    const std::size_t settled = arena.capacity();
    auto* first = static_cast<std::byte*>(arena.allocate(1000));
    for (int i = 1; i < 10; ++i) {
        EXPECT_EQ(static_cast<std::byte*>(arena.allocate(1000)), first + 1024 * i);
    }
    arena.reset();
    EXPECT_EQ(arena.capacity(), settled);
}

TEST(Arena, ReleaseReturnsToTheMark) {
    Arena arena(128);
    arena.allocate(64);
    const Arena::Mark mark = arena.mark();
    void* before = arena.allocate(64);
    for (int i = 0; i < 20; ++i) arena.allocate(500);
    arena.release(mark);
    EXPECT_EQ(arena.allocate(64), before);
}

TEST(ScratchLoan, ScratchComesFromTheLentMemoryAloneWhileItLives) {
    alignas(kAlignment) std::byte memory[512];
    const void* own = ScratchScope().array<float>(16);
    {
        const ScratchLoan loan(memory, 256, 128, 3);
        ScratchScope outer;
        EXPECT_EQ(static_cast<void*>(outer.array<float>(10)), memory);
        {
            ScratchScope inner;
            EXPECT_EQ(static_cast<void*>(inner.array<float>(48)), memory + 64);
            EXPECT_THROW(inner.array<float>(1), ArenaFull);
        }
        EXPECT_EQ(static_cast<void*>(outer.array<float>(16)), memory + 64) << "released";
    }
    EXPECT_EQ(ScratchScope().array<float>(16), own);
}

TEST(ScratchLoan, EachThreadOfARegionHasItsSlice) {
    alignas(kAlignment) std::byte memory[64 * 4];
    const int threads = num_threads();
    for (const int team : {1, 2, 4}) {
        set_num_threads(team);
        const ScratchLoan loan(memory, 64, 64, team);
        parallel_for(team, 1, [&](Index begin, Index end) {
            ScratchScope scratch;
            auto* slice = scratch.array<std::byte>(64);
            EXPECT_EQ(end - begin, team == num_threads() ? 1 : team);
            EXPECT_EQ(slice, memory + 64 * begin);
            EXPECT_THROW(scratch.array<std::byte>(1), ArenaFull);
        });
    }
    set_num_threads(threads);
}

TEST(ScratchLoan, AThreadWithoutASliceFailsInTheCaller) {
    if (num_threads() < 2) GTEST_SKIP() << "needs two threads";
    alignas(kAlignment) std::byte memory[64];
    const ScratchLoan loan(memory, 64, 0, 1);
    const auto region = [] {
        parallel_for(2, 1, [](Index, Index) { ScratchScope().array<float>(1); });
    };
    EXPECT_THROW(region(), ArenaFull);
}

TEST(Hash, Crc32cKnownAnswer) {
    const char text[] = "123456789";
    EXPECT_EQ(crc32c(std::as_bytes(std::span(text, 9))), 0xE3069283u);
}

// RFC 3720 B.4, and the same in two parts of every length.
TEST(Hash, Crc32cOfLongerTextsAndOfTheirParts) {
    std::vector<std::byte> ascending(48);
    for (std::size_t i = 0; i < 48; ++i) ascending[i] = static_cast<std::byte>(i);
    const std::span<const std::byte> all(ascending);
    EXPECT_EQ(crc32c(all.first(32)), 0x46DD794Eu);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0})), 0x8A9136AAu);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xFF})), 0x62A8AB43u);
    for (std::size_t n = 0; n <= 48; ++n) {
        EXPECT_EQ(crc32c(all.subspan(n), crc32c(all.first(n))), crc32c(all)) << n;
    }
}

TEST(Hash, EveryBitCounts) {
    std::vector<std::byte> data(37, std::byte{0x5A});
    const std::uint64_t original = hash64(data);
    for (std::size_t bit = 0; bit < 8 * data.size(); ++bit) {
        data[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
        EXPECT_NE(hash64(data), original) << bit;
        data[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    }
    EXPECT_EQ(to_hex(0x0123456789abcdef), "0123456789abcdef");
}

TEST(ParallelFor, CoversEveryIndexOnceOnGrainBorders) {
    for (const Index n : {0, 1, 7, 64, 65, 1000}) {
        for (const Index grain : {1, 3, 16, 2000}) {
            std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n));
            parallel_for(n, grain, [&](Index begin, Index end) {
                EXPECT_EQ(begin % grain, 0);
                for (Index i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
            });
            for (const auto& s : seen) ASSERT_EQ(s, 1);
        }
    }
}

TEST(ParallelFor, RunsSeriallyInASerialScope) {
    const auto ranges = [] {
        std::atomic<int> count{0};
        parallel_for(64, 1, [&](Index, Index) { ++count; });
        return count.load();
    };
    const int threads = num_threads();
    set_num_threads(2);
    const int before = ranges();
    {
        const SerialScope scope;
        EXPECT_EQ(ranges(), 1);
    }
    EXPECT_EQ(ranges(), before);
    set_num_threads(threads);
}

TEST(ParallelFor, NestedRegionsRunSerially) {
    parallel_for(8, 1, [&](Index, Index) {
        int calls = 0;
        parallel_for(100, 1, [&](Index, Index) { ++calls; });
        EXPECT_TRUE(calls == 1 || !in_parallel());
    });
}

TEST(ParallelFor, ExceptionsReachTheCaller) {
    EXPECT_THROW(parallel_for(100, 1, [](Index, Index) { fail(ErrorCode::internal, "inside"); }),
                 Error);
}

TEST(Cpu, ReportsPlausibleCaches) {
    EXPECT_GE(cpu().l1d_bytes, 8 << 10);
    EXPECT_GE(cpu().l2_bytes, cpu().l1d_bytes);
    EXPECT_GE(cpu().cores, 1);
    EXPECT_GT(peak_resident_bytes(), 0);
}

}  // namespace
}  // namespace soma
