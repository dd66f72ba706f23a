#pragma once
// Silence: how long nothing has moved in a wait. It tells the Comm's wait handler when that becomes
// long, and ends the wait when it has lasted too long.
//
// Time in which this process itself did not look, because it was stopped or computed, is no
// silence of a peer: a rank that wakes from SIGSTOP does not complain of the others.

#include <algorithm>

#include "soma/core/clock.h"
#include "soma/core/error.h"
#include "soma/dist/comm.h"

namespace soma::dist {

class Silence {
public:
    // Late after `seconds`, counted from `begin`; with 0 seconds nobody is told.
    Silence(const Comm& comm, double seconds, double begin = now_seconds())
        : comm_(comm),
          seconds_(seconds),
          long_(std::min(seconds / kLongShare, kLongSeconds)),
          begin_(begin) {}

    void moved() {
        begin_ = checked_ = now_seconds();
        end();
    }
    // The wait is over.
    void end() {
        if (told_) comm_.tell(WaitEvent::ended, {}, 0);
        told_ = false;
    }

    // Nothing has moved; describe() is the Wait. Error(timeout) when that has lasted too long.
    template <class Describe>
    void check(const Describe& describe) {
        const double now = now_seconds();
        if (now - checked_ > kAway) begin_ += now - checked_;
        checked_ = now;
        const double silent = now - begin_;
        if (silent < long_) return;
        if (!told_ && seconds_ > 0) {
            told_ = true;
            comm_.tell(WaitEvent::became_long, describe(), silent);
        }
        if (silent < seconds_) return;
        const Wait wait = describe();
        if (seconds_ > 0) comm_.tell(WaitEvent::failed, wait, silent);
        fail(ErrorCode::timeout, "dist: ", comm_.name_of(comm_.rank()), " waited ", seconds_, " s ",
             comm_.describe(wait));
    }

private:
    static constexpr double kLongShare = 5, kLongSeconds = 60;  // long: a fifth, at most 60 s
    static constexpr double kAway = 0.5;

    const Comm& comm_;
    double seconds_, long_;
    double begin_, checked_ = now_seconds();
    bool told_ = false;
};

}  // namespace soma::dist
