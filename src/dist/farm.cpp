#include "soma/dist/farm.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/timer.h"

namespace soma::dist {
namespace {

constexpr double kShortNap = 1e-3;   // s between looks at the messages of other ranks
constexpr double kLongNap = 0.05;    // s between looks at the stop flag
constexpr double kNewsEvery = 0.25;  // s between messages of a rank without news

struct Done {
    Index piece;
    std::optional<std::string> result;  // absent: the piece was given up
};

// The worker threads of one rank. Used by one thread.
class Crew {
public:
    Crew(int threads, const FarmWork& work, const std::function<bool()>& stop_requested)
        : work_(work), stop_requested_(stop_requested), size_(threads) {
        for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { labour(); });
    }
    ~Crew() {
        stop();
        {
            const std::lock_guard hold(lock_);
            closed_ = true;
        }
        changed_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    // Pieces given and not yet taken back.
    int busy() const { return busy_; }
    bool has_room() const { return busy_ < size_; }

    void give(Index piece) {
        {
            const std::lock_guard hold(lock_);
            waiting_.push_back(piece);
        }
        ++busy_;
        changed_.notify_all();
    }

    // A piece that ended; rethrows what its work threw.
    std::optional<Done> take() {
        const std::lock_guard hold(lock_);
        if (error_) std::rethrow_exception(error_);
        if (done_.empty()) return std::nullopt;
        Done done = std::move(done_.front());
        done_.pop_front();
        --busy_;
        return done;
    }

    // Returns when there is something to take, or after a nap.
    void nap(double seconds) {
        std::unique_lock hold(lock_);
        ended_.wait_for(hold, std::chrono::duration<double>(seconds),
                        [&] { return !done_.empty() || error_; });
    }

    // Asks the workers to give up what they compute.
    void stop() { stopped_ = true; }
    bool stopping() const { return stopped_ || (stop_requested_ && stop_requested_()); }

private:
    void labour() {
        const SerialScope one_thread;
        for (;;) {
            std::unique_lock hold(lock_);
            changed_.wait(hold, [&] { return closed_ || !waiting_.empty(); });
            if (closed_) return;
            const Index piece = waiting_.front();
            waiting_.pop_front();
            hold.unlock();
            compute(piece);
        }
    }

    void compute(Index piece) {
        Done done{piece, std::nullopt};
        std::exception_ptr error;
        try {
            if (!stopping()) done.result = work_(piece, [this] { return stopping(); });
        } catch (...) {
            error = std::current_exception();
        }
        {
            const std::lock_guard hold(lock_);
            if (error && !error_) error_ = error;
            done_.push_back(std::move(done));
        }
        ended_.notify_one();
    }

    const FarmWork& work_;
    const std::function<bool()>& stop_requested_;
    const int size_;
    int busy_ = 0;
    std::atomic<bool> stopped_{false};
    std::mutex lock_;
    std::condition_variable changed_, ended_;
    std::deque<Index> waiting_;
    std::deque<Done> done_;
    std::exception_ptr error_;
    bool closed_ = false;
    std::vector<std::thread> threads_;
};

// What a worker rank says. `piece` < 0: none ended. `bytes` < 0: it was given up.
struct News {
    Index piece = -1, bytes = -1;
    std::int32_t asks = 0, stops = 0;
};
static_assert(sizeof(News) == 24);

// What rank 0 answers: a piece to compute, or one of these. The last two end the conversation.
enum Order : Index { kNone = -1, kStop = -2, kComplete = -3, kIncomplete = -4 };

// Tags of the three kinds of messages.
struct Tags {
    int news, result, order;
    explicit Tags(Comm& comm) : news(comm.collective_tag()), result(news + 1), order(news + 2) {}
};

// Rank 0: the queue, its own crew, and one conversation with every other rank.
class Foreman {
public:
    Foreman(Comm& comm, std::span<const Index> pieces, const FarmWork& work, const FarmKeep& keep,
            const FarmOptions& options)
        : comm_(comm),
          tags_(comm),
          pieces_(pieces),
          keep_(keep),
          crew_(options.threads, work, options.stop_requested),
          news_(static_cast<std::size_t>(comm.size())),
          requests_(news_.size()),
          heard_(news_.size()) {}
    // A wait that fails cancels what it waits for, so that nobody writes into `news_` afterwards.
    ~Foreman() {
        try {
            comm_.waitall(requests_, Deadline::after(0));
        } catch (const Error&) {
        }
    }
    Foreman(const Foreman&) = delete;
    Foreman& operator=(const Foreman&) = delete;

    bool run() {
        const double nap = comm_.size() > 1 ? kShortNap : kLongNap;
        for (int rank = 1; rank < comm_.size(); ++rank) listen(rank);
        present_ = comm_.size() - 1;
        while (present_ > 0 || !over()) {
            while (const std::optional<Done> done = crew_.take()) {
                if (done->result) keep(done->piece, *done->result, 0);
                --outstanding_;
            }
            for (int rank = 1; rank < comm_.size(); ++rank) attend(rank);
            while (crew_.has_room() && has_next()) crew_.give(next());
            crew_.nap(nap);
        }
        return complete();
    }

private:
    bool complete() const { return kept_ == std::ssize(pieces_); }
    bool over() const { return outstanding_ == 0 && !has_next(); }
    bool has_next() const { return handed_out_ < pieces_.size() && !crew_.stopping(); }
    Index next() {
        ++outstanding_;
        return pieces_[handed_out_++];
    }

    void keep(Index piece, const std::string& result, int rank) {
        keep_(piece, result, rank);
        ++kept_;
    }

    void listen(int rank) {
        const auto at = static_cast<std::size_t>(rank);
        requests_[at] = comm_.irecv(&news_[at], sizeof(News), rank, tags_.news);
        heard_[at].restart();
    }

    // Hears a rank out and answers, if it said anything.
    void attend(int rank) {
        const auto at = static_cast<std::size_t>(rank);
        if (requests_[at].done()) return;  // it left
        if (!comm_.test(requests_[at])) {
            if (heard_[at].seconds() < comm_.timeout()) return;
            fail(ErrorCode::timeout, "farm: ", comm_.name_of(rank), " was silent for ",
                 comm_.timeout(), " s");
        }
        const News news = news_[at];
        if (news.piece >= 0) take_back(news, rank);
        if (news.stops != 0) crew_.stop();
        const Index order = answer(news);
        Request request = comm_.isend(&order, sizeof order, rank, tags_.order);
        comm_.waitall({&request, 1}, Deadline::after(comm_.timeout()));
        if (order == kComplete || order == kIncomplete) {
            --present_;
        } else {
            listen(rank);
        }
    }

    Index answer(const News& news) {
        if (over()) return complete() ? kComplete : kIncomplete;
        if (crew_.stopping()) return kStop;
        return news.asks != 0 && has_next() ? next() : Index{kNone};
    }

    void take_back(const News& news, int rank) {
        if (news.bytes >= 0) {
            std::string result(static_cast<std::size_t>(news.bytes), ' ');
            Request request = comm_.irecv(result.data(), news.bytes, rank, tags_.result);
            comm_.waitall({&request, 1}, Deadline::after(comm_.timeout()));
            keep(news.piece, result, rank);
        }
        --outstanding_;
    }

    Comm& comm_;
    const Tags tags_;
    std::span<const Index> pieces_;
    const FarmKeep& keep_;
    std::size_t handed_out_ = 0;
    Index outstanding_ = 0;  // handed out and not come back
    Index kept_ = 0;
    int present_ = 0;  // worker ranks that were not told to leave
    Crew crew_;
    std::vector<News> news_;  // by rank, as are:
    std::vector<Request> requests_;
    std::vector<Timer> heard_;
};

// A worker rank: its crew and the conversation with rank 0.
class Hand {
public:
    Hand(Comm& comm, const FarmWork& work, const FarmOptions& options)
        : comm_(comm), tags_(comm), crew_(options.threads, work, options.stop_requested) {}

    bool run() {
        const double every = std::min(kNewsEvery, comm_.timeout() / 4);
        while (order_ != kComplete && order_ != kIncomplete) {
            if (std::optional<Done> done = crew_.take()) {
                say(std::move(done));
            } else if (asks() || said_.seconds() > every) {
                say(std::nullopt);
            } else {
                crew_.nap(kLongNap);
            }
        }
        return order_ == kComplete;
    }

private:
    // Once the queue is empty it stays so.
    bool asks() const { return order_ >= 0 && crew_.has_room(); }

    void say(std::optional<Done> done) {
        News news;
        news.asks = asks() ? 1 : 0;
        news.stops = crew_.stopping() ? 1 : 0;
        Index order = kNone;
        std::array<Request, 3> requests{};
        requests[0] = comm_.irecv(&order, sizeof order, 0, tags_.order);
        if (done) {
            news.piece = done->piece;
            if (done->result) news.bytes = std::ssize(*done->result);
        }
        requests[1] = comm_.isend(&news, sizeof news, 0, tags_.news);
        if (news.bytes >= 0) {
            requests[2] = comm_.isend(done->result->data(), news.bytes, 0, tags_.result);
        }
        comm_.waitall(requests, Deadline::after(comm_.timeout()));
        said_.restart();
        if (order >= 0) crew_.give(order);
        if (order == kStop) crew_.stop();
        if (order != kNone || news.asks != 0) order_ = order;
    }

    Comm& comm_;
    const Tags tags_;
    Index order_ = 0;  // the last one that matters: 0 or a piece while there may be more
    Timer said_;
    Crew crew_;
};

}  // namespace

bool farm(Comm& comm, std::span<const Index> pieces, const FarmWork& work, const FarmKeep& keep,
          const FarmOptions& options) {
    SOMA_CHECK(options.threads >= 1, "farm: ", options.threads, " threads; need at least 1");
    return comm.rank() == 0 ? Foreman(comm, pieces, work, keep, options).run()
                            : Hand(comm, work, options).run();
}

}  // namespace soma::dist
