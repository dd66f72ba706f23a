#include "soma/core/poll.h"

#include <utility>

namespace soma {

constinit thread_local PollScope* detail::poll_scope = nullptr;

PollScope::PollScope(std::function<void()> f)
    : f_(std::move(f)), outer_(std::exchange(detail::poll_scope, this)) {}

PollScope::~PollScope() { detail::poll_scope = outer_; }

void PollScope::call_when_due() {
    if (now_seconds() < due_) return;
    f_();
    due_ = now_seconds() + kInterval;
}

}  // namespace soma
