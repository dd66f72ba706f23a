// The farm: every piece once, on any number of ranks and threads; stops, failures, silence.

#include "soma/dist/farm.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/dist/thread_ranks.h"

namespace soma::dist {
namespace {

using Stop = std::function<bool()>;
using Result = std::optional<std::string>;

std::vector<Index> first(Index n) {
    std::vector<Index> pieces(static_cast<std::size_t>(n));
    std::iota(pieces.begin(), pieces.end(), Index{0});
    return pieces;
}

void nap(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

Result square(Index piece, const Stop&) { return std::to_string(piece * piece); }

struct Harvest {
    std::map<Index, std::string> results;
    std::set<int> ranks;
    int complete = 0;  // ranks that were told so
};

// Farms `pieces` on thread ranks. A piece kept twice is a failure.
Harvest harvest(int ranks, int threads, const std::vector<Index>& pieces, const FarmWork& work,
                const Stop& stop = {}) {
    Harvest h;
    std::atomic<int> complete{0};
    const FarmKeep keep = [&](Index piece, const std::string& result, int rank) {
        EXPECT_TRUE(h.results.emplace(piece, result).second) << piece;
        h.ranks.insert(rank);
    };
    run_thread_ranks(ranks, [&](Comm& comm) {
        const std::vector<Index> own = comm.rank() == 0 ? pieces : std::vector<Index>{};
        complete += farm(comm, own, work, keep, {.threads = threads, .stop_requested = stop});
    });
    h.complete = complete;
    return h;
}

TEST(Farm, KeepsEveryPieceOnceOnAnyRanksAndThreads) {
    for (const auto& [ranks, threads] : {std::pair{1, 1}, {1, 3}, {2, 1}, {4, 2}}) {
        const Harvest h = harvest(ranks, threads, first(50), square);
        ASSERT_EQ(h.results.size(), 50u) << ranks << " ranks";
        for (const auto& [piece, result] : h.results) {
            EXPECT_EQ(result, std::to_string(piece * piece));
        }
        EXPECT_EQ(h.complete, ranks);
    }
}

TEST(Farm, NoPiecesAndFewerPiecesThanWorkersAreComplete) {
    EXPECT_EQ(harvest(3, 2, {}, square).complete, 3);
    EXPECT_EQ(harvest(3, 2, {7}, square).results.at(7), "49");
}

TEST(Farm, LongAndEmptyResultsArrive) {
    const auto text = [](Index piece) {
        return std::string(static_cast<std::size_t>(piece) * 1'500'000, 'x');
    };
    const Harvest h = harvest(2, 1, first(3), [&](Index piece, const Stop&) {
        nap(5);
        return Result(text(piece));
    });
    for (Index piece = 0; piece < 3; ++piece) EXPECT_TRUE(h.results.at(piece) == text(piece));
}

// One piece lasts as long as all others together: a fixed share for each rank would leave half of
// the others to the rank that has it.
TEST(Farm, SlowPiecesDelayNobodyElse) {
    std::atomic<int> others{0};
    const Harvest h = harvest(2, 1, first(21), [&](Index piece, const Stop&) {
        if (piece > 0) {
            ++others;
        } else {
            while (others < 20) nap(1);
        }
        return Result("done");
    });
    EXPECT_EQ(h.results.size(), 21u);
    EXPECT_EQ(h.ranks.size(), 2u);
}

TEST(Farm, WorkersRunParallelForSerially) {
    const Harvest h = harvest(1, 2, first(4), [](Index, const Stop&) {
        return Result(in_parallel() || num_threads() == 1 ? "serial" : "parallel");
    });
    for (const auto& [piece, result] : h.results) EXPECT_EQ(result, "serial");
}

TEST(Farm, StopKeepsWhatIsFinishedAndGivesUpTheRest) {
    for (const int ranks : {1, 3}) {
        std::atomic<int> finished{0};
        const Harvest h = harvest(
            ranks, 1, first(1000),
            [&](Index, const Stop& stop) -> Result {
                if (finished >= 10) {
                    while (!stop()) nap(1);
                    return std::nullopt;
                }
                ++finished;
                return "done";
            },
            [&] { return finished >= 10; });
        EXPECT_GE(h.results.size(), 10u);
        EXPECT_LT(h.results.size(), 1000u);
        EXPECT_EQ(h.complete, 0);
    }
}

// Only the rank that got the signal says so, in both directions.
TEST(Farm, OneRankThatStopsStopsAll) {
    for (const int stopper : {0, 1}) {
        std::atomic<int> stopped{0};
        run_thread_ranks(3, [&](Comm& comm) {
            const bool stops = comm.rank() == stopper;
            const std::vector<Index> pieces = first(100);
            const FarmWork work = [](Index, const Stop& stop) -> Result {
                while (!stop()) nap(1);
                return std::nullopt;
            };
            const bool complete = farm(comm, pieces, work, [](Index, const std::string&, int) {},
                                       {.stop_requested = [=] { return stops; }});
            stopped += complete ? 0 : 1;
        });
        EXPECT_EQ(stopped, 3);
    }
}

TEST(Farm, ExceptionOfAPieceEndsAllRanks) {
    for (const int ranks : {1, 2}) {
        try {
            harvest(ranks, 1, first(100), [](Index piece, const Stop&) -> Result {
                if (piece == 7) fail(ErrorCode::data, "piece 7 is broken");
                return "done";
            });
            FAIL() << "no error";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::data);
            EXPECT_NE(std::string(e.what()).find("piece 7 is broken"), std::string::npos);
        }
    }
}

// Rank 1 comes, takes part in nothing, and is named after the timeout.
TEST(Farm, SilentRankIsATimeoutThatNamesIt) {
    try {
        run_thread_ranks(2, [](Comm& comm) {
            comm.set_timeout(0.2);
            if (comm.rank() == 1) return;
            farm(comm, first(3), square, [](Index, const std::string&, int) {});
        });
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::timeout);
        EXPECT_NE(std::string(e.what()).find("rank 1"), std::string::npos) << e.what();
    }
}

// A piece may last longer than the timeout: the rank's other thread keeps talking.
TEST(Farm, PieceLongerThanTheTimeoutIsFine) {
    std::atomic<int> complete{0};
    run_thread_ranks(2, [&](Comm& comm) {
        comm.set_timeout(0.1);
        const FarmWork work = [](Index piece, const Stop&) -> Result {
            nap(piece == 0 ? 400 : 1);
            return "done";
        };
        complete += farm(comm, first(3), work, [](Index, const std::string&, int) {});
    });
    EXPECT_EQ(complete, 2);
}

TEST(Farm, RefusesNoThreads) {
    const auto comm = make_self_comm();
    EXPECT_THROW(farm(*comm, {}, square, {}, {.threads = 0}), Error);
}

}  // namespace
}  // namespace soma::dist
