// MpiComm: the ranks are processes; the only file of soma that includes mpi.h.
//
// C API, MPI 3.0, point-to-point only (but for library_sum): soma's collectives run over it, so
// that their order, hence their bits, is soma's (distributed.md 1.3). Every wait is MPI_Test under
// Comm's idle policy: MPI_Wait burns a core and could not time out. Messages are MPI_BYTE in chunks
// of at most 1 MB, so no count nears 2^31; a chunk is matched in order by MPI's non-overtaking
// rule.
//
// A wrong length is found within the chunk in which sender and receiver differ; when they differ by
// whole chunks, one of them waits for a chunk that nobody posts, and times out.
//
// Numbers: rank r of soma is to_mpi_[r] of the MPI communicator. At start all ranks exchange their
// processor names (not gethostname: a simulator has its own) and renumber host by host.

// C++ bindings, removed from MPI in 2012, would add a second library.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <array>
#include <exception>
#include <numeric>

#include "soma/core/error.h"
#include "soma/dist/comm.h"

namespace soma::dist {
namespace {

constexpr Index kChunkBytes = Index{1} << 20;

std::string text_of(int mpi_code) {
    std::array<char, MPI_MAX_ERROR_STRING> text{};
    int length = 0;
    MPI_Error_string(mpi_code, text.data(), &length);
    return {text.data(), static_cast<std::size_t>(length)};
}

void check(int mpi_code, const char* call) {
    if (mpi_code != MPI_SUCCESS) fail(ErrorCode::internal, call, ": ", text_of(mpi_code));
}

bool mpi_runs() {
    int started = 0, ended = 0;
    MPI_Initialized(&started);
    MPI_Finalized(&ended);
    return started != 0 && ended == 0;
}

int thread_level() {
    int level = MPI_THREAD_SINGLE;
    MPI_Query_thread(&level);
    return level;
}

const char* name_of_level(int level) {
    if (level >= MPI_THREAD_MULTIPLE) return "multiple";
    if (level >= MPI_THREAD_SERIALIZED) return "serialized";
    return level >= MPI_THREAD_FUNNELED ? "funneled" : "single";
}

std::string processor_name() {
    std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
    int length = 0;
    check(MPI_Get_processor_name(name.data(), &length), "MPI_Get_processor_name");
    return {name.data(), static_cast<std::size_t>(length)};
}

// Ranks sorted host by host, hosts by their lowest rank.
std::vector<int> node_major(const std::vector<std::string>& host_of_rank) {
    const auto first_on_host = [&](int r) {
        return std::find(host_of_rank.begin(), host_of_rank.end(),
                         host_of_rank[static_cast<std::size_t>(r)]) -
               host_of_rank.begin();
    };
    std::vector<int> order(host_of_rank.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return first_on_host(a) < first_on_host(b); });
    return order;
}

enum class Numbering { node_major, as_given };

class MpiComm final : public Comm {
public:
    // Takes over `comm`; `finalizes`: MPI ends with this object.
    MpiComm(MPI_Comm comm, Numbering numbering, bool finalizes);
    ~MpiComm() override;

    int rank() const override { return rank_; }
    int size() const override { return static_cast<int>(to_mpi_.size()); }
    int local_rank() const override { return local_rank_; }
    int local_size() const override { return local_size_; }
    std::string host_of(int rank) const override { return hosts_[static_cast<std::size_t>(rank)]; }
    bool allows_helper_thread() const override { return thread_level() >= MPI_THREAD_SERIALIZED; }
    bool library_sum(std::span<float> data) override;

private:
    struct Message {
        std::vector<MPI_Request> chunks;  // empty: the slot is free
        std::size_t complete = 0;         // chunks from the front
        bool prepared = false;            // a channel's: the slot stays its own
    };

    Request do_isend(const void* data, Index bytes, int peer, int tag) override;
    Request do_irecv(void* data, Index bytes, int peer, int tag) override;
    void do_prepare(Channel& channel) override;
    Request do_start(const Channel& channel) override;
    bool do_test(Request& request) override;
    void do_cancel(Request& request) noexcept override;
    std::unique_ptr<Comm> do_split(int color, int place, int members) override;
    void do_abort(int code, std::string_view why) override;

    void number_ranks(Numbering numbering);
    Request new_request(Index bytes, int peer, int tag, bool sends);
    // call(address, bytes, MPI's rank of the peer, chunk) for each chunk; its result is MPI's code.
    template <class Call>
    void for_chunks(const Request& request, void* data, const char* name, Call&& call);
    Message& message(const Request& r) { return messages_[static_cast<std::size_t>(r.slot)]; }
    void release(Request& request) {
        if (!message(request).prepared) message(request).chunks.clear();
        request.slot = -1;
    }
    [[noreturn]] void fail_length(const Request& request, const std::string& got) const;

    MPI_Comm comm_;
    bool finalizes_;
    int exceptions_at_start_ = std::uncaught_exceptions();
    int rank_ = 0, local_rank_ = 0, local_size_ = 1;
    std::vector<int> to_mpi_;         // by rank
    std::vector<std::string> hosts_;  // by rank
    std::vector<Message> messages_;   // by slot
};

MpiComm::MpiComm(MPI_Comm comm, Numbering numbering, bool finalizes)
    : comm_(comm), finalizes_(finalizes) {
    check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    int ranks = 0;
    check(MPI_Comm_size(comm_, &ranks), "MPI_Comm_size");
    check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    to_mpi_.resize(static_cast<std::size_t>(ranks));
    std::iota(to_mpi_.begin(), to_mpi_.end(), 0);
    hosts_.assign(to_mpi_.size(), "unknown host");
    number_ranks(numbering);
}

void MpiComm::number_ranks(Numbering numbering) {
    hosts_ = allgather(processor_name());
    if (numbering == Numbering::node_major) {
        const std::vector<std::string> by_mpi_rank = hosts_;
        to_mpi_ = node_major(by_mpi_rank);
        const auto me = std::find(to_mpi_.begin(), to_mpi_.end(), rank_);
        rank_ = static_cast<int>(me - to_mpi_.begin());
        for (std::size_t r = 0; r < hosts_.size(); ++r) {
            hosts_[r] = by_mpi_rank[static_cast<std::size_t>(to_mpi_[r])];
        }
    }
    const auto me = hosts_.begin() + rank_;
    local_size_ = static_cast<int>(std::count(hosts_.begin(), hosts_.end(), *me));
    local_rank_ = static_cast<int>(std::count(hosts_.begin(), me, *me));
}

// The barrier keeps ranks out of MPI_Finalize until all have come to an end: Open MPI 4.1's mpirun
// crashes when one rank aborts while another is there, and a wait in MPI_Finalize never gives up.
MpiComm::~MpiComm() {
    if (std::uncaught_exceptions() > exceptions_at_start_ || !mpi_runs()) return;
    try {
        if (finalizes_) barrier();
    } catch (const Error&) {
        return;  // a rank is lost: the launcher sees that this one leaves MPI open
    }
    for (Message& m : messages_) {
        for (MPI_Request& chunk : m.chunks) {
            if (m.prepared) MPI_Request_free(&chunk);
        }
    }
    MPI_Comm_free(&comm_);
    if (finalizes_) MPI_Finalize();
}

Request MpiComm::new_request(Index bytes, int peer, int tag, bool sends) {
    const auto is_free = [](const Message& m) { return m.chunks.empty(); };
    const auto found = std::find_if(messages_.begin(), messages_.end(), is_free);
    const auto slot = static_cast<int>(found - messages_.begin());
    if (found == messages_.end()) messages_.emplace_back();
    const Request request{slot, peer, tag, sends, bytes};
    const Index chunks = std::max<Index>(1, ceil_div(bytes, kChunkBytes));
    message(request).chunks.assign(static_cast<std::size_t>(chunks), MPI_REQUEST_NULL);
    message(request).complete = 0;
    return request;
}

template <class Call>
void MpiComm::for_chunks(const Request& request, void* data, const char* name, Call&& call) {
    const CallMark::Inside inside(*calls(), name);
    const int peer = to_mpi_[static_cast<std::size_t>(request.peer)];
    Index begin = 0;
    for (MPI_Request& chunk : message(request).chunks) {
        const int count = static_cast<int>(std::min(request.bytes - begin, kChunkBytes));
        check(call(static_cast<char*>(data) + begin, count, peer, &chunk), name);
        begin += count;
    }
}

Request MpiComm::do_isend(const void* data, Index bytes, int peer, int tag) {
    const Request request = new_request(bytes, peer, tag, true);
    for_chunks(request, const_cast<void*>(data), "MPI_Isend",
               [&](void* part, int count, int target, MPI_Request* chunk) {
                   return MPI_Isend(part, count, MPI_BYTE, target, tag, comm_, chunk);
               });
    return request;
}

Request MpiComm::do_irecv(void* data, Index bytes, int peer, int tag) {
    const Request request = new_request(bytes, peer, tag, false);
    for_chunks(request, data, "MPI_Irecv",
               [&](void* part, int count, int source, MPI_Request* chunk) {
                   return MPI_Irecv(part, count, MPI_BYTE, source, tag, comm_, chunk);
               });
    return request;
}

void MpiComm::do_prepare(Channel& channel) {
    const Request request = new_request(channel.bytes, channel.peer, channel.tag, channel.sends);
    channel.slot = request.slot;
    message(request).prepared = true;
    for_chunks(
        request, channel.data, channel.sends ? "MPI_Send_init" : "MPI_Recv_init",
        [&](void* part, int count, int peer, MPI_Request* chunk) {
            return channel.sends
                       ? MPI_Send_init(part, count, MPI_BYTE, peer, channel.tag, comm_, chunk)
                       : MPI_Recv_init(part, count, MPI_BYTE, peer, channel.tag, comm_, chunk);
        });
}

Request MpiComm::do_start(const Channel& channel) {
    if (channel.slot < 0) return Comm::do_start(channel);
    const CallMark::Inside inside(*calls(), "MPI_Startall");
    const Request request{channel.slot, channel.peer, channel.tag, channel.sends, channel.bytes};
    Message& m = message(request);
    check(MPI_Startall(static_cast<int>(m.chunks.size()), m.chunks.data()), "MPI_Startall");
    m.complete = 0;
    return request;
}

bool MpiComm::do_test(Request& request) {
    const CallMark::Inside inside(*calls(), "MPI_Test");
    Message& m = message(request);
    for (; m.complete < m.chunks.size(); ++m.complete) {
        int flag = 0, received = 0, error_class = MPI_SUCCESS;
        MPI_Status status;
        const int code = MPI_Test(&m.chunks[m.complete], &flag, &status);
        if (code != MPI_SUCCESS) MPI_Error_class(code, &error_class);
        if (error_class == MPI_ERR_TRUNCATE) fail_length(request, "more");
        check(code, "MPI_Test");
        if (flag == 0) return false;
        if (request.sends) continue;
        check(MPI_Get_count(&status, MPI_BYTE, &received), "MPI_Get_count");
        const Index begin = static_cast<Index>(m.complete) * kChunkBytes;
        if (received != std::min(request.bytes - begin, kChunkBytes)) {
            fail_length(request, concat(begin + received));
        }
    }
    release(request);
    return true;
}

void MpiComm::fail_length(const Request& request, const std::string& got) const {
    fail(ErrorCode::internal, "dist: ", name_of(rank_), " expected ", request.bytes, " bytes from ",
         name_of(request.peer), ", tag ", request.tag, ", and got ", got);
}

void MpiComm::do_cancel(Request& request) noexcept {
    Message& m = message(request);
    for (std::size_t i = m.complete; i < m.chunks.size(); ++i) {
        if (m.chunks[i] == MPI_REQUEST_NULL) continue;
        MPI_Cancel(&m.chunks[i]);
        if (!m.prepared) MPI_Request_free(&m.chunks[i]);
    }
    release(request);
}

bool MpiComm::library_sum(std::span<float> data) {
    const CallMark::Inside inside(*calls(), "MPI_Allreduce");
    check(MPI_Allreduce(MPI_IN_PLACE, data.data(), static_cast<int>(data.size()), MPI_FLOAT,
                        MPI_SUM, comm_),
          "MPI_Allreduce");
    return true;
}

std::unique_ptr<Comm> MpiComm::do_split(int color, int place, int) {
    MPI_Comm part = MPI_COMM_NULL;
    const CallMark::Inside inside(*calls(), "MPI_Comm_split");
    check(MPI_Comm_split(comm_, color, place, &part), "MPI_Comm_split");
    return std::make_unique<MpiComm>(part, Numbering::as_given, false);
}

// All ranks: given another communicator, MPICH 4.0 first waits for its ranks, the silent one too.
void MpiComm::do_abort(int code, std::string_view) { MPI_Abort(MPI_COMM_WORLD, code); }

}  // namespace

std::unique_ptr<Comm> make_world_comm(int launched_size) {
    if (launched_size == 1) return make_self_comm();
    int started = 0, provided = 0, ranks = 0;
    MPI_Initialized(&started);
    if (started == 0) {
        check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided),
              "MPI_Init_thread");
    }
    // An error that MPI finds while it serves another request belongs to these, not to world.
    for (const MPI_Comm comm : {MPI_COMM_WORLD, MPI_COMM_SELF}) {
        check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    }
    MPI_Comm world = MPI_COMM_NULL;
    check(MPI_Comm_dup(MPI_COMM_WORLD, &world), "MPI_Comm_dup");
    auto comm = std::make_unique<MpiComm>(world, Numbering::node_major, started == 0);
    ranks = comm->size();
    SOMA_CHECK(ranks == launched_size, "the launcher started ", launched_size,
               " ranks but MPI sees ", ranks,
               "; is mpirun from the same MPI that soma was built with?");
    return comm;
}

MessageLibrary message_library() {
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int length = 0;
    check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
    MessageLibrary library{std::string(text.data(), static_cast<std::size_t>(length)), ""};
    if (mpi_runs()) library.thread_level = name_of_level(thread_level());
    return library;
}

}  // namespace soma::dist
