#include "soma/dist/watchdog.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace soma::dist {
namespace {

constexpr int kTicks = 20;          // of a timeout
constexpr double kLongestTick = 1;  // second

}  // namespace

Watchdog::Watchdog(std::shared_ptr<const CallMark> calls, double seconds, Stuck stuck)
    : calls_(std::move(calls)),
      seconds_(seconds),
      stuck_(std::move(stuck)),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

// Counts ticks instead of reading a clock, which goes on while the process is stopped.
void Watchdog::watch(const std::stop_token& stop) {
    const double tick = std::min(seconds_ / kTicks, kLongestTick);
    std::uint64_t seen = 0;
    double lasted = 0;
    for (;;) {
        std::unique_lock hold(lock_);
        asleep_.wait_for(hold, stop, std::chrono::duration<double>(tick), [] { return false; });
        if (stop.stop_requested()) return;
        const std::uint64_t now = calls_->count();
        const bool same_call = now == seen && now % 2 == 1;
        seen = now;
        lasted = same_call ? lasted + tick : 0;
        if (lasted < seconds_) continue;
        stuck_(calls_->name(), lasted);
        return;
    }
}

}  // namespace soma::dist
