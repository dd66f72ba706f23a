#pragma once
// Poll: a look at something else between two blocks of work.
//
// Where no core is free for a helper thread, the thread that computes drives what must go on beside
// it (messages, distributed.md 6). The outer loops of kernels and the reverse sweep call poll();
// while a PollScope lives on the thread, that calls the scope's function, at most every 200 us.
// Without a scope it is one predictable branch. Other threads of a region have no scope.

#include <functional>

#include "soma/core/clock.h"

namespace soma {

class PollScope {
public:
    // f must not throw and must not call kernels.
    explicit PollScope(std::function<void()> f);
    ~PollScope();
    PollScope(const PollScope&) = delete;
    PollScope& operator=(const PollScope&) = delete;

    void call_when_due();

private:
    static constexpr double kInterval = 200e-6;  // seconds

    std::function<void()> f_;
    double due_ = now_seconds() + kInterval;
    PollScope* outer_;
};

namespace detail {
extern constinit thread_local PollScope* poll_scope;
}

// Whether someone waits for poll() on this thread.
inline bool is_polled() { return detail::poll_scope != nullptr; }

inline void poll() {
    if (is_polled()) [[unlikely]]
        detail::poll_scope->call_when_due();
}

}  // namespace soma
