#pragma once
// Watchdog: notices that a call of the message library does not return. All waits of soma sit in
// soma's own code and time out there; this is for the one that cannot.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "soma/dist/call_mark.h"

namespace soma::dist {

class Watchdog {
public:
    using Stuck = std::function<void(const char* call, double seconds)>;

    // stuck() is called once, from a thread that makes no call of a Comm, when one call has lasted
    // `seconds` (by a twentieth more). Time in which the whole process was stopped does not count.
    Watchdog(std::shared_ptr<const CallMark> calls, double seconds, Stuck stuck);

private:
    void watch(const std::stop_token& stop);

    std::shared_ptr<const CallMark> calls_;
    double seconds_;
    Stuck stuck_;
    std::mutex lock_;
    std::condition_variable_any asleep_;
    std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace soma::dist
