// Versions, status codes, messages, threads and the checks that all functions share.

#include "capi/status.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>

#include "soma/core/parallel.h"
#include "soma/core/version.h"

namespace soma::capi {
namespace {

// Of fixed size, so that keeping the message of an exhausted memory allocates nothing.
thread_local std::array<char, 512> last_message{};

void keep(const char* message) {
    std::strncpy(last_message.data(), message, last_message.size() - 1);
}

struct Range {
    std::uintptr_t begin, end;
    bool empty() const { return begin == end; }
    bool overlaps(const Range& other) const {
        return !empty() && !other.empty() && begin < other.end && other.begin < end;
    }
};

Range range_of(const void* data, std::size_t bytes) {
    const auto begin = reinterpret_cast<std::uintptr_t>(data);
    return {begin, begin + bytes};
}

Range range_of(const Array& array) {
    return range_of(array.data, static_cast<std::size_t>(array.count) * sizeof(float));
}

void check_pointer(const char* op, const Array& array) {
    require(array.data != nullptr || array.count == 0, SOMA_EINVAL, op, ": ", array.name,
            " is NULL; need ", array.count, " elements");
}

}  // namespace

soma_status status_of_exception() noexcept {
    try {
        throw;
    } catch (const StatusError& error) {
        keep(error.what());
        return error.status();
    } catch (const ArenaFull& error) {  // check_workspace asked for too little
        keep(error.what());
        return SOMA_EINTERNAL;
    } catch (const Error& error) {
        keep(error.what());
        return error.code() == ErrorCode::usage ? SOMA_EINVAL : SOMA_EINTERNAL;
    } catch (const std::bad_alloc&) {
        keep("out of memory");
        return SOMA_ENOMEM;
    } catch (const std::exception& error) {
        keep(error.what());
        return SOMA_EINTERNAL;
    } catch (...) {
        keep("an exception of an unknown type");
        return SOMA_EINTERNAL;
    }
}

Index checked_product(const char* op, std::initializer_list<Index> sizes) {
    constexpr Index kMost = std::numeric_limits<Index>::max() / 1024;  // leaves room for sums
    Index product = 1;
    bool empty = false;
    for (const Index size : sizes) {
        require(size >= 0, SOMA_ESHAPE, op, ": a size is ", size, "; need at least 0");
        empty = empty || size == 0;
    }
    if (empty) return 0;
    for (const Index size : sizes) {
        require(product <= kMost / size, SOMA_ESHAPE, op, ": the sizes multiply to more than ",
                kMost, " elements");
        product *= size;
    }
    return product;
}

void check_arrays(const char* op, const Array& output, std::initializer_list<Array> inputs) {
    check_pointer(op, output);
    for (const Array& input : inputs) {
        check_pointer(op, input);
        require(!range_of(input).overlaps(range_of(output)), SOMA_EINVAL, op, ": ", output.name,
                " overlaps ", input.name);
    }
}

void check_workspace(const char* op, const Workspace& need, const void* memory, std::size_t bytes,
                     std::initializer_list<Array> arrays) {
    require(bytes >= need.bytes(), SOMA_EARENA, op, ": workspace has ", bytes, " bytes; need ",
            need.bytes(), " for ", need.threads, " threads");
    if (need.bytes() == 0) return;
    require(memory != nullptr, SOMA_EINVAL, op, ": workspace is NULL; need ", need.bytes(),
            " bytes");
    require(reinterpret_cast<std::uintptr_t>(memory) % kAlignment == 0, SOMA_EINVAL, op,
            ": workspace is not aligned to ", kAlignment, " bytes");
    for (const Array& array : arrays) {
        require(!range_of(array).overlaps(range_of(memory, need.bytes())), SOMA_EINVAL, op,
                ": workspace overlaps ", array.name);
    }
}

}  // namespace soma::capi

using soma::capi::guarded;
using soma::capi::require;

extern "C" {

uint32_t soma_abi_version(void) { return SOMA_ABI_VERSION; }
const char* soma_version(void) { return soma::kVersion; }

const char* soma_status_name(soma_status status) {
    static constexpr const char* kNames[] = {
        "SOMA_OK",           "SOMA_EINVAL",     "SOMA_ESHAPE",   "SOMA_EDTYPE",
        "SOMA_ENOMEM",       "SOMA_EARENA",     "SOMA_EIO",      "SOMA_EFORMAT",
        "SOMA_EUNSUPPORTED", "SOMA_ENONFINITE", "SOMA_EINTERNAL"};
    const bool known = status >= SOMA_OK && status <= SOMA_EINTERNAL;
    return known ? kNames[status] : "unknown status";
}

const char* soma_last_error(void) { return soma::capi::last_message.data(); }

soma_status soma_set_num_threads(int32_t threads) {
    return guarded([&] {
        require(threads >= 1, SOMA_EINVAL, "soma_set_num_threads: threads is ", threads,
                "; need at least 1");
        soma::set_num_threads(threads);
    });
}

int32_t soma_num_threads(void) { return soma::num_threads(); }

}  // extern "C"
