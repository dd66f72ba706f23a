// Messages, waits and base-class collectives, over threads and over nobody.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "soma/core/error.h"
#include "soma/core/timer.h"
#include "soma/dist/thread_ranks.h"

namespace soma::dist {
namespace {

// The error that `f` throws; fails the test when it throws none.
template <class F>
Error error_of(F f) {
    try {
        f();
    } catch (const Error& e) {
        return e;
    }
    ADD_FAILURE() << "no soma::Error was thrown";
    return {ErrorCode::internal, ""};
}

void expect_contains(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n  is not in: " << text;
}

TEST(SelfComm, IsAloneAndItsCollectivesReturnTheOwnData) {
    const auto comm = make_self_comm();
    int value = 7, all = 0;
    comm->barrier();
    comm->bcast(&value, sizeof value, 0);
    comm->allgather(&value, sizeof value, &all);
    EXPECT_EQ(comm->size(), 1);
    EXPECT_EQ(comm->local_size(), 1);
    EXPECT_EQ(all, 7);
    EXPECT_EQ(comm->allgather(std::string("text")), std::vector<std::string>{"text"});
    EXPECT_EQ(comm->split(3, 0)->size(), 1);
}

TEST(SelfComm, AbortThrowsTheCodeItWasGiven) {
    const auto comm = make_self_comm();
    int told = 0;
    comm->set_abort_handler([&](int code, std::string_view) { told = code; });
    const Error e = error_of([&] { comm->abort(74, "peer is silent"); });
    EXPECT_EQ(e.exit_code(), 74);
    EXPECT_EQ(told, 74);
    expect_contains(e.what(), "peer is silent");
}

TEST(WorldComm, OfOneRankNeedsNoMpi) { EXPECT_EQ(make_world_comm(1)->size(), 1); }

TEST(Comm, RefusesImpossibleMessages) {
    run_thread_ranks(2, [](Comm& comm) {
        char byte = 0;
        const int self = comm.rank(), peer = 1 - self;
        expect_contains(error_of([&] { comm.isend(&byte, 1, self, 0); }).what(), "another rank");
        expect_contains(error_of([&] { comm.irecv(&byte, 1, 2, 0); }).what(), "peer is 2");
        expect_contains(error_of([&] { comm.isend(&byte, 1, peer, 32768); }).what(), "32768");
        expect_contains(error_of([&] { comm.isend(&byte, -1, peer, 0); }).what(), "-1 bytes");
        EXPECT_THROW(comm.set_timeout(0), Error);
        EXPECT_THROW(comm.split(-1, 0), Error);
        EXPECT_THROW(comm.bcast(&byte, 1, 2), Error);
    });
}

TEST(Comm, MessagesWithOneTagKeepTheirOrderAndTagsAreSeparate) {
    run_thread_ranks(2, [](Comm& comm) {
        std::array<int, 3> sent{1, 2, 3}, got{};
        std::array<Request, 3> requests;
        if (comm.rank() == 0) {
            requests = {comm.isend(&sent[0], 4, 1, 5), comm.isend(&sent[1], 4, 1, 9),
                        comm.isend(&sent[2], 4, 1, 5)};
        } else {
            requests = {comm.irecv(&got[0], 4, 0, 9), comm.irecv(&got[1], 4, 0, 5),
                        comm.irecv(&got[2], 4, 0, 5)};
        }
        comm.waitall(requests, Deadline::after(10));
        if (comm.rank() == 1) {
            EXPECT_EQ(got, (std::array<int, 3>{2, 1, 3}));
        }
    });
}

TEST(Comm, WaitanyReturnsTheMessageThatCameAndThenMinusOne) {
    run_thread_ranks(2, [](Comm& comm) {
        int value = 42;
        if (comm.rank() == 0) {
            std::array<Request, 1> out{comm.isend(&value, 4, 1, 8)};
            comm.waitall(out, Deadline::after(10));
            comm.barrier();
            std::array<Request, 1> late{comm.isend(&value, 4, 1, 7)};
            comm.waitall(late, Deadline::after(10));
            return;
        }
        int first = 0, second = 0;
        std::array<Request, 2> in{comm.irecv(&first, 4, 0, 7), comm.irecv(&second, 4, 0, 8)};
        EXPECT_EQ(comm.waitany(in, Deadline::after(10)), 1);
        EXPECT_EQ(second, 42);
        comm.barrier();
        EXPECT_EQ(comm.waitany(in, Deadline::after(10)), 0);
        EXPECT_EQ(comm.waitany(in, Deadline::after(10)), -1);
    });
}

TEST(Comm, EmptyMessagesArrive) {
    run_thread_ranks(2, [](Comm& comm) { comm.exchange(nullptr, nullptr, 0, 1 - comm.rank(), 3); });
}

TEST(Comm, WrongLengthNamesBothRanksAndBothLengths) {
    for (const Index sent : {3, 9}) {
        std::atomic<bool> checked{false};
        run_thread_ranks(2, [&](Comm& comm) {
            std::array<char, 16> data{};
            if (comm.rank() == 0) {
                std::array<Request, 1> out{comm.isend(data.data(), sent, 1, 6)};
                comm.waitall(out, Deadline::after(10));
                return;
            }
            const Error e = error_of([&] {
                std::array<Request, 1> in{comm.irecv(data.data(), 4, 0, 6)};
                comm.waitall(in, Deadline::after(10));
            });
            EXPECT_EQ(e.code(), ErrorCode::internal);
            expect_contains(e.what(), "rank 1 (");
            expect_contains(e.what(), "expected 4 bytes from rank 0 (");
            expect_contains(e.what(), concat("tag 6, and got ", sent));
            checked = true;
        });
        EXPECT_TRUE(checked);
    }
}

TEST(Comm, TimeoutNamesRankHostPeerTagAndBytes) {
    const Timer timer;
    std::atomic<bool> checked{false};
    run_thread_ranks(2, [&](Comm& comm) {
        if (comm.rank() == 1) return;  // never sends
        comm.set_timeout(0.05);
        double value = 0;
        const Error e = error_of([&] {
            std::array<Request, 1> in{comm.irecv(&value, sizeof value, 1, 33)};
            comm.waitall(in, Deadline::after(comm.timeout()));
        });
        EXPECT_EQ(e.code(), ErrorCode::timeout);
        EXPECT_EQ(e.exit_code(), 74);
        expect_contains(e.what(), "rank 0 (" + comm.host() + ") waited 0.05 s");
        expect_contains(e.what(), "receive 8 bytes from rank 1 (" + comm.host_of(1) + "), tag 33");
        checked = true;
    });
    EXPECT_TRUE(checked);
    EXPECT_GE(timer.seconds(), 0.05);
}

TEST(Comm, ATimedOutReceiveNoLongerTouchesItsBuffer) {
    run_thread_ranks(2, [](Comm& comm) {
        int value = comm.rank();
        if (comm.rank() == 0) {
            std::array<Request, 1> in{comm.irecv(&value, sizeof value, 1, 40)};
            EXPECT_THROW(comm.waitall(in, Deadline::after(0.01)), Error);
            EXPECT_TRUE(in[0].done());
            comm.barrier();  // only now may the message leave
            comm.barrier();
            EXPECT_EQ(value, 0);
            std::array<Request, 1> again{comm.irecv(&value, sizeof value, 1, 40)};
            comm.waitall(again, Deadline::after(10));
            EXPECT_EQ(value, 1);
        } else {
            comm.barrier();
            std::array<Request, 1> out{comm.isend(&value, sizeof value, 0, 40)};
            comm.barrier();
            comm.waitall(out, Deadline::after(10));
        }
    });
}

TEST(Comm, BarrierHoldsEveryRankUntilTheLastArrives) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
        std::atomic<int> arrived{0};
        run_thread_ranks(ranks, [&](Comm& comm) {
            for (int round = 1; round <= 5; ++round) {
                ++arrived;
                comm.barrier();
                EXPECT_GE(arrived, round * ranks);
            }
        });
    }
}

TEST(Comm, BcastReachesAllRanksFromEveryRoot) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
        run_thread_ranks(ranks, [&](Comm& comm) {
            for (int root = 0; root < ranks; ++root) {
                std::array<int, 2> data{comm.rank(), -comm.rank()};
                comm.bcast(data.data(), sizeof data, root);
                EXPECT_EQ(data, (std::array<int, 2>{root, -root}));
            }
        });
    }
}

TEST(Comm, AllgatherOrdersBlocksByRank) {
    for (int ranks = 1; ranks <= 16; ++ranks) {
        run_thread_ranks(ranks, [&](Comm& comm) {
            const std::array<int, 3> mine{comm.rank(), 10 * comm.rank(), 5};
            std::vector<std::array<int, 3>> all(static_cast<std::size_t>(ranks));
            comm.allgather(mine.data(), sizeof mine, all.data());
            for (int r = 0; r < ranks; ++r) {
                EXPECT_EQ(all[static_cast<std::size_t>(r)], (std::array<int, 3>{r, 10 * r, 5}));
            }
        });
    }
}

TEST(Comm, AllgatherTakesTextsOfAnyLength) {
    run_thread_ranks(3, [](Comm& comm) {
        const std::vector<std::string> texts{"", "a", std::string("b\0c", 3)};
        EXPECT_EQ(comm.allgather(texts[static_cast<std::size_t>(comm.rank())]), texts);
    });
}

TEST(Comm, SplitOrdersByKeyAndKeepsMessagesApart) {
    run_thread_ranks(5, [](Comm& comm) {
        const int color = comm.rank() % 2;
        const auto part = comm.split(color, -comm.rank());  // reversed
        EXPECT_EQ(part->size(), color == 0 ? 3 : 2);
        EXPECT_EQ(part->rank(), part->size() - 1 - comm.rank() / 2);
        EXPECT_EQ(part->timeout(), comm.timeout());
        std::vector<int> all(static_cast<std::size_t>(part->size()));
        const int mine = comm.rank();
        part->allgather(&mine, sizeof mine, all.data());
        EXPECT_EQ(all, color == 0 ? (std::vector{4, 2, 0}) : (std::vector{3, 1}));
    });
}

TEST(Comm, TagsOfCollectivesStayInTheRangeOfTheStandard) {
    const auto comm = make_self_comm();
    for (int i = 0; i < 3000; ++i) {
        const int tag = comm->collective_tag();
        ASSERT_EQ(tag, 32 * (i % 1024));
        ASSERT_LE(tag + kRoundsPerTag - 1, kMaxTag);
    }
}

TEST(ThreadRanks, AFailingRankEndsTheWaitsOfTheOthersAndItsErrorIsRethrown) {
    const Timer timer;
    const Error e = error_of([] {
        run_thread_ranks(4, [](Comm& comm) {
            if (comm.rank() == 2) fail(ErrorCode::non_finite, "loss is NaN");
            comm.barrier();
        });
    });
    EXPECT_EQ(e.code(), ErrorCode::non_finite);
    EXPECT_STREQ(e.what(), "loss is NaN");
    EXPECT_LT(timer.seconds(), 10);  // not the 300 s of the default timeout
}

TEST(ThreadRanks, AFailureReachesRanksThatWaitInASplit) {
    EXPECT_THROW(run_thread_ranks(4,
                                  [](Comm& comm) {
                                      const auto part = comm.split(comm.rank() / 2, 0);
                                      if (comm.rank() == 0) fail(ErrorCode::data, "no file");
                                      part->barrier();
                                      comm.barrier();
                                  }),
                 Error);
}

TEST(AbortOnException, TellsTheHandlerAndEndsAllRanksWithTheErrorsCode) {
    std::atomic<int> told{0};
    const Error e = error_of([&] {
        run_thread_ranks(2, [&](Comm& comm) {
            comm.set_abort_handler([&](int code, std::string_view) { told = code; });
            if (comm.rank() == 1) {
                comm.barrier();
                return;
            }
            abort_on_exception(comm, []() -> int { fail(ErrorCode::data, "no file"); });
        });
    });
    EXPECT_EQ(e.code(), ErrorCode::data);
    EXPECT_EQ(told, 65);
    expect_contains(e.what(), "no file");
}

TEST(AbortOnException, ReturnsWhatTheBodyReturns) {
    run_thread_ranks(2, [](Comm& comm) {
        if (comm.rank() == 0) {
            EXPECT_EQ(abort_on_exception(comm, [] { return 85; }), 85);
        }
    });
}

}  // namespace
}  // namespace soma::dist
