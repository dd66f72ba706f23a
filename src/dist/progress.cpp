#include "soma/dist/progress.h"

#include "dist/idle.h"
#include "dist/silence.h"
#include "soma/core/clock.h"
#include "soma/core/error.h"

namespace soma::dist {

std::string_view name_of(ProgressMode mode) {
    switch (mode) {
        case ProgressMode::thread:
            return "thread";
        case ProgressMode::poll:
            return "poll";
        case ProgressMode::none:
            return "none";
    }
    return "?";
}

ProgressEngine::ProgressEngine(Comm& comm, Index most, const Options& options)
    : comm_(comm),
      options_(options),
      queue_(static_cast<std::size_t>(most)),
      complete_(queue_.size()),
      times_(queue_.size()),
      silence_(std::make_unique<Silence>(comm, comm.timeout())) {
    SOMA_CHECK(most >= 1, "progress engine: ", most, " launches; need at least 1");
    SOMA_CHECK(options.mode != ProgressMode::thread || comm.allows_helper_thread(),
               "--progress thread: this MPI allows no helper thread; use poll or none");
    if (options_.mode == ProgressMode::thread) helper_ = std::thread([this] { serve(); });
}

ProgressEngine::~ProgressEngine() {
    stop_ = true;
    ++work_;
    work_.notify_one();
    if (helper_.joinable()) helper_.join();
    give_up();
}

// ---- who computes -----------------------------------------------------------------------------

void ProgressEngine::launch(Collective& collective) {
    const Index mine = launched_.load(std::memory_order_relaxed);
    SOMA_CHECK(mine - finished_ < static_cast<Index>(queue_.size()), "progress engine: more than ",
               queue_.size(), " launches before finish()");
    times_[static_cast<std::size_t>(mine - finished_)].launched = now_seconds();
    const auto place = static_cast<std::size_t>(mine) % queue_.size();
    queue_[place] = &collective;
    complete_[place] = 0;
    launched_.store(mine + 1, std::memory_order_release);
    if (options_.mode != ProgressMode::thread) return;
    ++work_;
    work_.notify_one();
}

void ProgressEngine::poll() noexcept {
    if (polls() && !failed_) drive_or_fail();
}

void ProgressEngine::finish() {
    const Index target = launched_;
    if (options_.mode == ProgressMode::thread) {
        for (std::uint32_t seen = news_; done_ < target && !failed_; seen = news_) {
            if (done_ < target && !failed_) news_.wait(seen);
        }
    } else {
        Idle idle(comm_);
        while (done_ < target && !failed_) {
            if (drive_or_fail()) {
                idle.reset();
            } else {
                idle.pause();
            }
        }
    }
    launches_ = target - finished_;
    finished_ = target;
    if (failed_) std::rethrow_exception(error_);
}

// ---- who advances -----------------------------------------------------------------------------

// Starts what may start and moves what is in flight; whether anything moved.
bool ProgressEngine::drive() {
    const Index launched = launched_.load(std::memory_order_acquire);
    const auto place = [&](Index i) { return static_cast<std::size_t>(i) % queue_.size(); };
    Index done = done_;
    bool moved = false;
    for (; started_ < launched && started_ < done + kInFlight; ++started_) {
        times_[static_cast<std::size_t>(started_ - finished_)].started = now_seconds();
        queue_[place(started_)]->start(update_);
        moved = true;
    }
    for (Index i = done; i < started_; ++i) {
        if (complete_[place(i)] != 0) continue;
        const Collective::State state = queue_[place(i)]->advance();
        moved |= state != Collective::State::waiting;
        if (state != Collective::State::complete) continue;
        complete_[place(i)] = 1;
        times_[static_cast<std::size_t>(i - finished_)].ended = now_seconds();
    }
    while (done < started_ && complete_[place(done)] != 0) ++done;
    if (done != done_) {
        done_.store(done, std::memory_order_release);
        ++news_;
        news_.notify_one();
    }
    return moved;
}

// Whether anything moved; an error is kept for finish().
bool ProgressEngine::drive_or_fail() {
    if (done_ == launched_) return false;
    try {
        if (drive()) {
            silence_->moved();
            return true;
        }
        const auto oldest = static_cast<std::size_t>(done_) % queue_.size();
        silence_->check([&] { return queue_[oldest]->waits_for(); });
    } catch (...) {
        error_ = std::current_exception();
        give_up();
        failed_ = true;
        ++news_;
        news_.notify_one();
    }
    return false;
}

void ProgressEngine::give_up() noexcept {
    for (Index i = done_; i < started_; ++i) {
        queue_[static_cast<std::size_t>(i) % queue_.size()]->cancel();
    }
    started_ = done_;
}

// The helper thread. It sleeps while nothing is in flight.
void ProgressEngine::serve() {
    Idle idle(options_.spare_core ? Idle::Start::spin : Idle::Start::sleep);
    while (!stop_ && !failed_) {
        const std::uint32_t seen = work_;
        if (done_ == launched_) {
            if (!stop_) work_.wait(seen);
            idle.reset();
            continue;
        }
        if (drive_or_fail()) {
            idle.reset();
        } else {
            idle.pause();
        }
    }
}

}  // namespace soma::dist
