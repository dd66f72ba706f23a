// What is told of waits that last, and the watchdog of calls that do not return.

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "dist/silence.h"
#include "soma/core/error.h"
#include "soma/dist/data_parallel.h"
#include "soma/dist/thread_ranks.h"
#include "soma/dist/watchdog.h"

namespace soma::dist {
namespace {

struct Told {
    WaitEvent event;
    Wait wait;
    std::string words;
};

// What rank 0 is told when rank 1 takes no part in body.
template <class Body>
std::vector<Told> told_of(const Body& body) {
    std::vector<Told> all;
    const auto note = [&](const Comm& comm, WaitEvent event, const Wait& wait, double seconds) {
        EXPECT_GE(seconds, event == WaitEvent::failed ? 0.05 : 0.01);
        all.push_back({event, wait, comm.describe(wait)});
    };
    EXPECT_THROW(run_thread_ranks(2,
                                  [&](Comm& comm) {
                                      comm.set_timeout(0.05);
                                      if (comm.rank() == 0) comm.set_wait_handler(note);
                                      body(comm);
                                  }),
                 Error);
    return all;
}

void expect_long_then_failed(const std::vector<Told>& told) {
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0].event, WaitEvent::became_long);
    EXPECT_EQ(told[1].event, WaitEvent::failed);
}

TEST(Waits, OfMessagesAreToldWithThePeerAndTheBytes) {
    const std::vector<Told> told = told_of([](Comm& comm) {
        double value = 0;
        if (comm.rank() == 0) comm.exchange(&value, &value, sizeof value, 1, 5);
    });
    expect_long_then_failed(told);
    for (const Told& t : told) {
        ASSERT_EQ(t.wait.messages.size(), 2u);
        EXPECT_EQ(t.wait.messages[0].peer, 1);
        EXPECT_EQ(t.wait.messages[0].bytes, 8);
        EXPECT_EQ(t.wait.update, -1);
        EXPECT_EQ(t.words.find("to receive 8 bytes from rank 1"), 0u) << t.words;
    }
}

TEST(Waits, OfSumsAreToldWithUpdateBucketAndStepWhoeverAdvances) {
    for (const ProgressMode mode : {ProgressMode::thread, ProgressMode::poll, ProgressMode::none}) {
        const std::vector<Told> told = told_of([&](Comm& comm) {
            std::vector<float> gradient(10);
            const Index start = 0;
            DataParallel parallel(comm, make_shard_plan(2, 2, 2, comm.rank()), gradient,
                                  {&start, 1}, {.progress = mode});
            if (comm.rank() == 0) parallel.step([](Index, ControlRecord&, const auto&) {});
        });
        expect_long_then_failed(told);
        const Wait& wait = told.back().wait;
        EXPECT_EQ(wait.update, 1);
        EXPECT_EQ(wait.bucket, 0);
        EXPECT_EQ(wait.step, 0);
        ASSERT_FALSE(wait.messages.empty());
        EXPECT_EQ(wait.messages[0].peer, 1);
        EXPECT_EQ(wait.messages[0].bytes, 64 + 16);  // record and header
    }
}

TEST(Waits, ALongOneThatEndsIsToldToo) {
    std::atomic<bool> is_long{false}, has_ended{false};
    run_thread_ranks(2, [&](Comm& comm) {
        comm.set_timeout(2);
        if (comm.rank() == 0) {
            comm.set_wait_handler([&](const Comm&, WaitEvent event, const Wait&, double) {
                if (event == WaitEvent::became_long) is_long = true;
                if (event == WaitEvent::ended) has_ended = true;
            });
        }
        while (comm.rank() == 1 && !is_long) sleep_seconds(1e-3);
        comm.barrier();
    });
    EXPECT_TRUE(has_ended);
}

TEST(Waits, TimeInWhichARankItselfWasStoppedIsNoSilenceOfItsPeers) {
    const auto comm = make_self_comm();
    Silence silence(*comm, 0.3);
    const auto nothing = [] { return Wait{}; };
    silence.check(nothing);
    sleep_seconds(0.6);
    silence.check(nothing);
    while (true) {
        try {
            silence.check(nothing);
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::timeout);
            break;
        }
    }
}

TEST(Watchdog, BarksWhenACallDoesNotReturn) {
    const auto calls = std::make_shared<CallMark>();
    std::promise<std::string> call;
    const CallMark::Inside inside(*calls, "MPI_Test");
    const Watchdog dog(calls, 0.02, [&](const char* name, double seconds) {
        EXPECT_GE(seconds, 0.02);
        call.set_value(name);
    });
    EXPECT_EQ(call.get_future().get(), "MPI_Test");
}

TEST(Watchdog, IsSilentOutsideOfCalls) {
    const auto calls = std::make_shared<CallMark>();
    { const CallMark::Inside over(*calls, "MPI_Test"); }
    std::atomic<bool> barked{false};
    {
        const Watchdog dog(calls, 0.01, [&](const char*, double) { barked = true; });
        sleep_seconds(0.05);
    }
    EXPECT_FALSE(barked);
}

TEST(Watchdog, SeesCallsOfSplits) {
    run_thread_ranks(
        2, [](Comm& comm) { EXPECT_EQ(comm.split(0, comm.rank())->calls(), comm.calls()); });
}

}  // namespace
}  // namespace soma::dist
