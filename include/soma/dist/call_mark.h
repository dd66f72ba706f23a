#pragma once
// CallMark: a rank's note of the call of the message library that it is in (watchdog.h).

#include <atomic>
#include <cstdint>

namespace soma::dist {

// One for a Comm and all that are split from it.
class CallMark {
public:
    // For the scope of one call; `name` is a literal.
    class Inside {
    public:
        Inside(CallMark& mark, const char* name) : mark_(mark) {
            mark_.name_.store(name, std::memory_order_relaxed);
            mark_.count_.fetch_add(1, std::memory_order_release);
        }
        ~Inside() { mark_.count_.fetch_add(1, std::memory_order_release); }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;

    private:
        CallMark& mark_;
    };

    // Calls begun and ended: odd inside a call.
    std::uint64_t count() const { return count_.load(std::memory_order_acquire); }
    const char* name() const { return name_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> count_{0};
    std::atomic<const char*> name_{""};
};

}  // namespace soma::dist
