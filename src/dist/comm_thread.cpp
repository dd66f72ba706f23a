// ThreadComm: the ranks are threads, a message is one memcpy.
//
// Each rank has a mailbox with two lists: sends that wait for a receive, and receives that wait for
// a send. Whoever comes second finds the first of the other kind with the same (source, tag),
// copies straight from the sender's to the receiver's buffer under the mailbox's lock, and marks
// both operations. First-come order within a (source, tag) is the non-overtaking rule.
//
// Invariants: an operation is in a list if and only if it is unmatched; lists and operations are
// touched under the lock of the mailbox they went to; buffers are touched only while matching, so a
// cancelled operation's memory may be freed.

#include "soma/dist/thread_ranks.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "soma/core/cpu.h"
#include "soma/core/error.h"

namespace soma::dist {
namespace {

struct Operation {
    const void* out = nullptr;  // of a send
    void* in = nullptr;         // of a receive
    Index bytes = 0;
    Index sent = 0;  // of the matched send
    int source = -1, target = -1, tag = 0;
    bool matched = false;
};
using OperationPtr = std::shared_ptr<Operation>;

struct Mailbox {
    std::mutex lock;
    std::deque<OperationPtr> sends, receives;
};

// What the ranks of one communicator share.
struct Hub {
    explicit Hub(int ranks, Hub* parent)
        : size(ranks), root(parent == nullptr ? this : parent->root), mailboxes(ranks) {}

    // Ends the waits of all ranks, of this hub and of those split from it. The first call counts.
    void stop(int code, std::string_view why) {
        const std::lock_guard hold(root->failure_lock);
        if (root->failed) return;
        root->failure_code = code;
        root->failure = why;
        root->failed = true;
    }

    void check_running() {
        if (!root->failed) return;
        const std::lock_guard hold(root->failure_lock);
        throw Error(static_cast<ErrorCode>(root->failure_code),
                    "dist: another rank failed: " + root->failure);
    }

    const int size;
    Hub* const root;  // outlives the parts
    std::deque<Mailbox> mailboxes;

    std::atomic<bool> failed{false};
    std::mutex failure_lock;
    int failure_code = 0;
    std::string failure;

    std::mutex parts_lock;
    std::map<std::pair<int, int>, std::shared_ptr<Hub>> parts;  // by (split number, color)
};

// Matches `mine` against a list of the other kind, or queues it.
void meet(const OperationPtr& mine, std::deque<OperationPtr>& others,
          std::deque<OperationPtr>& own) {
    const auto fits = [&](const OperationPtr& other) {
        return other->source == mine->source && other->tag == mine->tag;
    };
    const auto found = std::find_if(others.begin(), others.end(), fits);
    if (found == others.end()) {
        own.push_back(mine);
        return;
    }
    Operation& send = mine->out != nullptr ? *mine : **found;
    Operation& receive = mine->out != nullptr ? **found : *mine;
    receive.sent = send.bytes;
    if (send.bytes == receive.bytes && send.bytes > 0) {
        std::memcpy(receive.in, send.out, static_cast<std::size_t>(send.bytes));
    }
    send.matched = receive.matched = true;
    others.erase(found);
}

class ThreadComm final : public Comm {
public:
    ThreadComm(std::shared_ptr<Hub> hub, int rank) : hub_(std::move(hub)), rank_(rank) {}
    ~ThreadComm() override {
        for (int slot = 0; slot < static_cast<int>(slots_.size()); ++slot) {
            Request request{.slot = slot};
            if (slots_[static_cast<std::size_t>(slot)]) do_cancel(request);
        }
    }

    int rank() const override { return rank_; }
    int size() const override { return hub_->size; }
    int local_rank() const override { return rank_; }
    int local_size() const override { return hub_->size; }
    std::string host_of(int) const override { return host_name(); }

private:
    Request do_isend(const void* data, Index bytes, int peer, int tag) override {
        static const char nothing = 0;  // an empty message still needs an address to be a send
        Operation send{.out = data != nullptr ? data : &nothing, .bytes = bytes};
        send.source = rank_, send.target = peer, send.tag = tag;
        return post(std::make_shared<Operation>(send), peer, true);
    }

    Request do_irecv(void* data, Index bytes, int peer, int tag) override {
        Operation receive{.in = data, .bytes = bytes};
        receive.source = peer, receive.target = rank_, receive.tag = tag;
        return post(std::make_shared<Operation>(receive), peer, false);
    }

    Request post(OperationPtr operation, int peer, bool sends) {
        Mailbox& box = mailbox(*operation);
        {
            const std::lock_guard hold(box.lock);
            if (sends) {
                meet(operation, box.receives, box.sends);
            } else {
                meet(operation, box.sends, box.receives);
            }
        }
        const Request request{free_slot(), peer, operation->tag, sends, operation->bytes};
        slots_[static_cast<std::size_t>(request.slot)] = std::move(operation);
        return request;
    }

    bool do_test(Request& request) override {
        OperationPtr& operation = slots_[static_cast<std::size_t>(request.slot)];
        Index sent = 0;
        {
            const std::lock_guard hold(mailbox(*operation).lock);
            sent = operation->matched ? operation->sent : -1;
        }
        if (sent < 0) {
            hub_->check_running();
            return false;
        }
        operation.reset();
        request.slot = -1;
        if (!request.sends && sent != request.bytes) {
            fail(ErrorCode::internal, "dist: ", name_of(rank_), " expected ", request.bytes,
                 " bytes from ", name_of(request.peer), ", tag ", request.tag, ", and got ", sent);
        }
        return true;
    }

    void do_cancel(Request& request) noexcept override {
        OperationPtr& operation = slots_[static_cast<std::size_t>(request.slot)];
        Mailbox& box = mailbox(*operation);
        {
            const std::lock_guard hold(box.lock);
            std::erase(box.sends, operation);
            std::erase(box.receives, operation);
        }
        operation.reset();
        request.slot = -1;
    }

    void do_abort(int code, std::string_view why) override { hub_->stop(code, why); }

    std::unique_ptr<Comm> do_split(int color, int place, int members) override;

    Mailbox& mailbox(const Operation& operation) {
        return hub_->mailboxes[static_cast<std::size_t>(operation.target)];
    }

    int free_slot() {
        const auto found = std::find(slots_.begin(), slots_.end(), nullptr);
        const auto slot = static_cast<int>(found - slots_.begin());
        if (found == slots_.end()) slots_.emplace_back();
        return slot;
    }

    std::shared_ptr<Hub> hub_;
    int rank_;
    int splits_ = 0;
    std::vector<OperationPtr> slots_;  // null: free
};

std::unique_ptr<Comm> ThreadComm::do_split(int color, int place, int members) {
    const std::lock_guard hold(hub_->parts_lock);
    std::shared_ptr<Hub>& part = hub_->parts[{splits_++, color}];
    if (!part) part = std::make_shared<Hub>(members, hub_.get());
    return std::make_unique<ThreadComm>(part, place);
}

}  // namespace

void run_thread_ranks(int ranks, const std::function<void(Comm&)>& body) {
    SOMA_CHECK(ranks >= 1, "run_thread_ranks: ", ranks, " ranks; need at least 1");
    const auto hub = std::make_shared<Hub>(ranks, nullptr);
    std::mutex first_lock;
    std::exception_ptr first;
    const auto failed = [&](int code, const char* why) {
        const std::lock_guard hold(first_lock);
        if (!first) first = std::current_exception();
        hub->stop(code, why);
    };
    const auto run = [&](int rank) {
        ThreadComm comm(hub, rank);
        try {
            body(comm);
        } catch (const Error& e) {
            failed(e.exit_code(), e.what());
        } catch (const std::exception& e) {
            failed(static_cast<int>(ErrorCode::internal), e.what());
        }
    };
    std::vector<std::thread> threads;
    for (int rank = 0; rank < ranks; ++rank) threads.emplace_back(run, rank);
    for (std::thread& thread : threads) thread.join();
    if (first) std::rethrow_exception(first);
}

}  // namespace soma::dist
