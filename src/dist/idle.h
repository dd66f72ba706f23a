#pragma once
// Idle: what a wait does between two looks at its messages.
//
// A message between running peers takes microseconds, so a wait spins first; then it yields, so
// that a peer on the same core can run; then it sleeps, so that a long wait costs no CPU. Where
// ranks outnumber cores spinning only delays the peer, and beside a computing thread on the same
// core yielding takes that thread's time too.

#include <sched.h>

#include <algorithm>

#include "soma/core/clock.h"
#include "soma/core/cpu.h"
#include "soma/dist/comm.h"

namespace soma::dist {

class Idle {
public:
    enum class Start { spin, yield, sleep };

    // For a rank that does nothing else meanwhile.
    explicit Idle(const Comm& comm)
        : Idle(comm.local_size() > cpu().cores ? Start::yield : Start::spin) {}
    explicit Idle(Start start)
        : spin_(start == Start::spin ? 50e-6 : 0), yield_(start == Start::sleep ? 0 : 200e-6) {}

    void pause() {
        const double waited = now_seconds() - start_;
        if (waited < spin_) return;
        if (waited < spin_ + yield_) {
            sched_yield();
            return;
        }
        sleep_seconds(nap_);
        nap_ = std::min(2 * nap_, kLongestNap);
    }
    // Something moved: the next wait begins anew.
    void reset() {
        start_ = now_seconds();
        nap_ = kShortestNap;
    }

private:
    static constexpr double kShortestNap = 50e-6, kLongestNap = 200e-6;
    double spin_, yield_;  // seconds, as all here
    double nap_ = kShortestNap;
    double start_ = now_seconds();
};

}  // namespace soma::dist
