#pragma once
// Idle: what a wait does between two looks at its messages.
//
// A message between running peers takes microseconds, so a wait spins first; then it yields, so
// that a peer on the same core can run; then it sleeps, so that a long wait costs no CPU. Where
// ranks outnumber cores spinning only delays the peer, and beside a computing thread on the same
// core yielding takes that thread's time too.

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <chrono>

namespace soma::dist {

class Idle {
public:
    enum class Start { spin, yield, sleep };

    explicit Idle(Start start)
        : spin_(start == Start::spin ? 50 : 0), yield_(start == Start::sleep ? 0 : 200) {}

    void pause() {
        const auto waited = Clock::now() - start_;
        if (waited < spin_) return;
        if (waited < spin_ + yield_) {
            sched_yield();
            return;
        }
        const timespec nap{0, sleep_ns_};
        nanosleep(&nap, nullptr);
        sleep_ns_ = std::min(2 * sleep_ns_, kMaxSleepNs);
    }
    // Something moved: the next wait begins anew.
    void reset() {
        start_ = Clock::now();
        sleep_ns_ = kMinSleepNs;
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr long kMinSleepNs = 50'000, kMaxSleepNs = 200'000;
    std::chrono::microseconds spin_, yield_;
    long sleep_ns_ = kMinSleepNs;
    Clock::time_point start_ = Clock::now();
};

}  // namespace soma::dist
