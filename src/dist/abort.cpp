// abort_on_exception: one rank's failure ends all ranks.
//
// A rank that leaves by an exception would let the others wait for it until their timeout. The same
// holds for an exception that escapes from a helper thread: it calls std::terminate, which cannot
// carry an argument, so the communicator stands in a global for the time the body runs. Of ranks
// that are threads of one process the last to enter is the one that std::terminate finds.

#include <atomic>
#include <cstdlib>
#include <exception>
#include <utility>

#include "soma/core/error.h"
#include "soma/dist/comm.h"

namespace soma::dist {
namespace {

constexpr int kInternal = static_cast<int>(ErrorCode::internal);
std::atomic<Comm*> terminating_comm{nullptr};

// Exit code and message of the exception in flight.
std::pair<int, std::string> current_error() {
    try {
        throw;
    } catch (const Error& e) {
        return {e.exit_code(), e.what()};
    } catch (const std::exception& e) {
        return {kInternal, concat("internal error: ", e.what())};
    } catch (...) {
        return {kInternal, "internal error: an exception of unknown type"};
    }
}

[[noreturn]] void abort_at_terminate() {
    Comm* comm = terminating_comm.exchange(nullptr);
    const auto [code, why] = std::current_exception()
                                 ? current_error()
                                 : std::pair{kInternal, std::string("std::terminate was called")};
    if (comm != nullptr) comm->abort(code, why);
    std::abort();
}

// Installs the terminate handler for one scope.
class TerminateGuard {
public:
    explicit TerminateGuard(Comm& comm) : before_(std::set_terminate(abort_at_terminate)) {
        terminating_comm = &comm;
    }
    ~TerminateGuard() {
        terminating_comm = nullptr;
        std::set_terminate(before_);
    }
    TerminateGuard(const TerminateGuard&) = delete;
    TerminateGuard& operator=(const TerminateGuard&) = delete;

private:
    std::terminate_handler before_;
};

}  // namespace

int abort_on_exception(Comm& comm, const std::function<int()>& body) {
    if (comm.size() == 1) return body();
    const TerminateGuard guard(comm);
    try {
        return body();
    } catch (...) {
        abort_with_current_exception(comm);
    }
}

void abort_with_current_exception(Comm& comm) {
    const auto [code, why] = current_error();
    comm.abort(code, why);
}

}  // namespace soma::dist
