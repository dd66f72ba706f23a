#pragma once
// Comm: P ranks that send each other messages; one interface for processes, threads and nobody.
//
//   SelfComm     one rank                       comm_self.cpp
//   ThreadComm   threads of this process        comm_thread.cpp   (soma/dist/thread_ranks.h)
//   MpiComm      processes, over MPI            comm_mpi.cpp      (the only file that sees mpi.h)
//
// A backend supplies non-blocking point-to-point messages; everything that blocks is written once
// here, over test(). A blocked rank therefore always sits in soma's code, where it can spin, sleep
// and give up: every wait ends after timeout() seconds with Error(timeout) naming rank, host, peer
// and tag. Messages between two ranks with one tag do not overtake each other.
//
// Ranks are numbered host by host (node-major), so that neighbours share a host where they can.
// Barrier, bcast, allgather and the sums of collectives.h are collective: all ranks call them in
// the same order. They draw their tags from one counter and are deterministic.
//
//   P ranks, tag = 32 (sequence number mod 1024) + round <= 32767, what the MPI standard grants.
//
// A Comm belongs to one thread of its rank at a time. Where allows_helper_thread() says so, that
// may be another than the thread that made it, as long as no two threads of a rank are inside
// soma's calls of the same backend at once.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "soma/core/clock.h"
#include "soma/core/types.h"
#include "soma/dist/call_mark.h"

namespace soma::dist {

inline constexpr int kRoundsPerTag = 32;
inline constexpr int kMaxTag = 32767;

// A message on its way. Copies name the same message; the backend owns its state.
struct Request {
    int slot = -1;  // place in the backend; -1: complete, or never started
    int peer = -1;
    int tag = 0;
    bool sends = false;
    Index bytes = 0;
    bool done() const { return slot < 0; }
};

// A message that is sent again and again from, or to, the same memory: prepared once, so that
// starting it costs little. Lives as long as its Comm.
struct Channel {
    void* data = nullptr;
    Index bytes = 0;
    int peer = -1;
    int tag = 0;
    bool sends = false;
    int slot = -1;  // place in a backend that prepares; -1: started like any message
};

// The moment at which a wait gives up.
class Deadline {
public:
    static Deadline after(double seconds) { return {now_seconds(), seconds}; }
    double begin() const { return begin_; }  // when it was made
    double seconds() const { return seconds_; }

private:
    Deadline(double begin, double seconds) : begin_(begin), seconds_(seconds) {}

    double begin_, seconds_;
};

// What a rank waits for.
struct Wait {
    std::string what = {};               // "update 4, bucket 2, step 1 of 3"; "": messages alone
    std::vector<Request> messages = {};  // that are not done
    Index update = -1, bucket = -1, step = -1;  // of a sum over ranks; -1: of none
};

// A wait has lasted 60 s, or a fifth of the timeout; it has failed; a long one has ended.
enum class WaitEvent { became_long, failed, ended };
class Comm;
// Called on the thread that waits. `seconds`: that nothing has moved. Must not throw.
using WaitHandler = std::function<void(const Comm&, WaitEvent, const Wait&, double seconds)>;

// Called on this rank before abort() ends it: prints, writes a report. Must not throw.
using AbortHandler = std::function<void(int code, std::string_view why)>;

class Comm {
public:
    Comm() = default;
    Comm(const Comm&) = delete;
    Comm& operator=(const Comm&) = delete;
    virtual ~Comm() = default;

    // ---- who ----
    virtual int rank() const = 0;
    virtual int size() const = 0;
    virtual int local_rank() const = 0;  // among the ranks of this host
    virtual int local_size() const = 0;
    virtual std::string host_of(int rank) const = 0;
    std::string host() const { return host_of(rank()); }
    virtual bool allows_helper_thread() const { return true; }
    // "rank 3 (node2)".
    std::string name_of(int rank) const;

    // ---- messages ----
    // Starts a message. `data` is borrowed until the request is done; sending and receiving ranks
    // state the same number of bytes, else the receiver's test() throws Error(internal).
    // Error(usage) unless peer is another rank, 0 <= tag <= 32767, bytes >= 0.
    Request isend(const void* data, Index bytes, int peer, int tag);
    Request irecv(void* data, Index bytes, int peer, int tag);
    // The same message made ready for many starts; one start is in flight at a time.
    Channel prepare_send(const void* data, Index bytes, int peer, int tag);
    Channel prepare_recv(void* data, Index bytes, int peer, int tag);
    Request start(const Channel& channel);
    // Advances a message and says whether it is done; never blocks.
    bool test(Request& request);
    // Position of a request that became done, or -1 when all were done before. An error (timeout,
    // wrong length, lost peer) cancels every request of the span: their memory may then be freed.
    int waitany(std::span<Request> requests, const Deadline& deadline);
    void waitall(std::span<Request> requests, const Deadline& deadline);
    // Gives up a message that is in flight; the memory of a receive may then be freed.
    void cancel(Request& request) noexcept;
    // "to send 512 bytes to rank 3 (node2), tag 4".
    std::string describe(const Request& request) const;
    // "in update 4, bucket 2, step 1 of 3, to receive 512 bytes from rank 1 (node2), tag 3".
    std::string describe(const Wait& wait) const;
    // Sends to and receives from one peer at once, within timeout().
    void exchange(const void* out, void* in, Index bytes, int peer, int tag);

    // ---- collectives ----
    void barrier();                                           // dissemination, ceil(log2 P) rounds
    void bcast(void* data, Index bytes, int root);            // binomial tree
    void allgather(const void* mine, Index each, void* all);  // Bruck; all: [P, each]
    std::vector<std::string> allgather(const std::string& mine);
    // Ranks with one color >= 0 form a new Comm, ordered by (key, rank). This Comm outlives it.
    std::unique_ptr<Comm> split(int color, int key);
    // First of the 32 tags of the next collective; all ranks draw the same one.
    int collective_tag();
    // data <- sum over ranks by the message library's own all-reduce; false where there is none.
    // A yardstick: its order, hence its bits, is the library's, and it waits for a lost rank for
    // ever.
    virtual bool library_sum(std::span<float>) { return false; }

    // ---- failure ----
    // Seconds a wait lasts before it throws; > 0. A split inherits it.
    void set_timeout(double seconds);
    double timeout() const { return timeout_; }
    // What is told of waits that last. A split inherits it.
    void set_wait_handler(WaitHandler handler) { wait_handler_ = std::move(handler); }
    void tell(WaitEvent event, const Wait& wait, double seconds) const;
    // For a Watchdog: the call of the message library that this rank is in, here or in a split.
    const std::shared_ptr<CallMark>& calls() const { return calls_; }
    // A split inherits it too.
    void set_abort_handler(AbortHandler handler) { abort_handler_ = std::move(handler); }
    // Ends all ranks. MPI: the process ends and the launcher's exit code is `code`. Self and
    // threads: throws Error with that code here, and from every wait of the other threads.
    [[noreturn]] void abort(int code, std::string_view why);

protected:
    virtual Request do_isend(const void* data, Index bytes, int peer, int tag) = 0;
    virtual Request do_irecv(void* data, Index bytes, int peer, int tag) = 0;
    // Backends without prepared messages keep these: a start is an isend or irecv.
    virtual void do_prepare(Channel&) {}
    virtual Request do_start(const Channel& channel);
    virtual bool do_test(Request& request) = 0;
    virtual void do_cancel(Request& request) noexcept = 0;
    // This rank becomes number `place` of the `members` ranks of its color.
    virtual std::unique_ptr<Comm> do_split(int color, int place, int members) = 0;
    // Ends the other ranks, and this one where it is a process.
    virtual void do_abort(int code, std::string_view why) = 0;

private:
    void check_message(const char* operation, Index bytes, int peer, int tag) const;

    double timeout_ = 300;
    int sequence_ = 0;
    AbortHandler abort_handler_;
    WaitHandler wait_handler_;
    std::shared_ptr<CallMark> calls_ = std::make_shared<CallMark>();
};

// One rank alone. Costs nothing.
std::unique_ptr<Comm> make_self_comm();

// The ranks that a launcher started: SelfComm for launched_size 1, where MPI is not even
// initialised; MPI_COMM_WORLD otherwise. The library does not read the environment: the caller says
// how many there are. One at a time; MPI ends with it, once all ranks have come to that point. When
// it is destroyed by an exception, MPI is left open on purpose: the process then ends with its own
// exit code and the launcher ends the other ranks, while MPI_Finalize would wait for them.
// Error(usage) without MPI in the build, or when MPI finds another number of ranks.
std::unique_ptr<Comm> make_world_comm(int launched_size);

// What the message library of this build says of itself.
struct MessageLibrary {
    std::string version;       // the library's own line; "" in a build without MPI
    std::string thread_level;  // granted at start: "serialized", ...; "" while MPI does not run
};
MessageLibrary message_library();

// Runs body(); when it throws, the abort handler is told and all ranks end with the error's exit
// code (70 for other exceptions) instead of waiting for this one. std::terminate, which a thread's
// uncaught exception calls, does the same while body runs. With one rank errors pass through.
int abort_on_exception(Comm& comm, const std::function<int()>& body);

// In a catch block: ends all ranks as abort_on_exception does, without leaving the place where the
// memory of messages in flight lives. A send cannot be taken back: unwinding would let the peer
// read what has been freed.
[[noreturn]] void abort_with_current_exception(Comm& comm);

}  // namespace soma::dist
