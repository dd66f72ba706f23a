#pragma once
// ProgressEngine: collectives that run beside the computation, in the order of their launch.
//
//   compute thread     backward ... launch(b0) ... launch(b1) ... finish()
//   who advances       thread: a helper, in between and until finish() returns
//                      poll:   the compute thread, in poll(), which kernels call (core/poll.h)
//                      none:   the compute thread, in finish(): nothing overlaps
//
// Who advances does not show in the result. MPI does not progress by itself (distributed.md 1.1),
// so without one of the first two a started message barely moves before finish().

#include <atomic>
#include <exception>
#include <memory>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "soma/dist/collectives.h"

namespace soma::dist {

class Silence;

enum class ProgressMode { thread, poll, none };
std::string_view name_of(ProgressMode mode);

class ProgressEngine {
public:
    static constexpr Index kInFlight = 4;  // collectives that move at a time

    struct Options {
        ProgressMode mode = ProgressMode::none;
        bool spare_core = false;  // the helper thread has a core of its own and may spin
    };
    // When one collective was launched, moved first and was complete; on now_seconds().
    struct Times {
        double launched = 0, started = 0, ended = 0;
    };

    // `comm` outlives it; between a launch and the end of finish() no other thread of this rank
    // uses it or any Comm of the same backend. `most`: launches between two calls of finish().
    // Error(usage) for `thread` where comm.allows_helper_thread() is false.
    ProgressEngine(Comm& comm, Index most, const Options& options);
    // Gives up what is in flight.
    ~ProgressEngine();
    ProgressEngine(const ProgressEngine&) = delete;
    ProgressEngine& operator=(const ProgressEngine&) = delete;

    // The number that the headers of what follows carry.
    void begin(std::uint32_t update) { update_ = update; }
    // Never blocks. All ranks launch the same collectives in the same order.
    void launch(Collective& collective);
    // Advances what is in flight when the mode is `poll`. An error waits for finish().
    void poll() noexcept;
    // Returns when all that was launched is complete. Error(timeout) when nothing moves for
    // comm.timeout() seconds, and what a collective throws.
    void finish();
    bool in_flight() const { return done_ != launched_; }
    bool polls() const { return options_.mode == ProgressMode::poll; }

    // Of the launches that the last finish() waited for, in order.
    std::span<const Times> times() const {
        return std::span(times_).first(static_cast<std::size_t>(launches_));
    }

private:
    bool drive();
    bool drive_or_fail();
    void serve();
    void give_up() noexcept;

    Comm& comm_;
    Options options_;
    std::uint32_t update_ = 0;
    std::vector<Collective*> queue_;  // launch i stands at i mod size
    std::vector<char> complete_;
    std::vector<Times> times_;
    // Written by who computes, the first two while nothing is in flight.
    Index finished_ = 0, launches_ = 0;  // before the last finish(), and what it waited for
    std::atomic<Index> launched_{0};
    // Written by who advances.
    std::atomic<Index> done_{0};  // all launches before it are complete
    Index started_ = 0;
    std::unique_ptr<Silence> silence_;
    std::atomic<bool> stop_{false}, failed_{false};
    std::atomic<std::uint32_t> work_{0}, news_{0};  // counts changes, to wait on
    std::exception_ptr error_;
    std::thread helper_;
};

}  // namespace soma::dist
