#pragma once
// The border of soma_c.h: exceptions become status codes, and arguments are checked before anything
// is written.

#include <cstddef>
#include <initializer_list>

#include "soma/core/arena.h"
#include "soma/soma_c.h"

namespace soma::capi {

// What a function of the C API ends with.
class StatusError : public Error {
public:
    StatusError(soma_status status, const std::string& message)
        : Error(ErrorCode::usage, message), status_(status) {}
    soma_status status() const { return status_; }

private:
    soma_status status_;
};

template <class... Parts>
void require(bool condition, soma_status status, const Parts&... parts) {
    if (!condition) throw StatusError(status, concat(parts...));
}

// The status of the exception that is being handled; keeps its message for soma_last_error.
soma_status status_of_exception() noexcept;

template <class F>
soma_status guarded(F&& f) noexcept {
    try {
        f();
        return SOMA_OK;
    } catch (...) {
        return status_of_exception();
    }
}

// The product of sizes, or ESHAPE: also room for the bytes of their floats and for indices.
Index checked_product(const char* op, std::initializer_list<Index> sizes);

// `count` floats that a function reads or writes.
struct Array {
    const char* name;
    const float* data;
    Index count;
};

// EINVAL when an array that is not empty is NULL, or when `output` overlaps one of `inputs`.
void check_arrays(const char* op, const Array& output, std::initializer_list<Array> inputs);

// How a workspace is shared out: the calling thread's part, and one for each further thread.
struct Workspace {
    std::size_t own = 0, slice = 0;
    int threads = 1;

    std::size_t bytes() const { return own + slice * static_cast<std::size_t>(threads - 1); }
};

// EINVAL when it is misaligned or overlaps an array, EARENA when it is smaller than `need`.
void check_workspace(const char* op, const Workspace& need, const void* memory, std::size_t bytes,
                     std::initializer_list<Array> arrays);

// Runs f with its scratch in memory that check_workspace has accepted.
template <class F>
void with_workspace(const Workspace& need, void* memory, F&& f) {
    const ScratchLoan loan(static_cast<std::byte*>(memory), need.own, need.slice, need.threads);
    f();
}

}  // namespace soma::capi
