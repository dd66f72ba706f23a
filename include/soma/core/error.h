#pragma once
// soma::Error: the one exception type of the public API.
//
// A message names the operation, the actual values and the rule that was broken:
//     "linear: x is [32, 10], w is [64, 12]; need x.cols == w.rows"
// It is thrown before anything is changed. The code tells a program what kind of failure it is;
// its numeric value is the exit code of the command line (distributed.md 10.5).

#include <sstream>
#include <stdexcept>
#include <string>

namespace soma {

enum class ErrorCode : int {
    usage = 2,         // wrong argument: shape, option, name, rank count
    data = 65,         // malformed or missing data file
    internal = 70,     // a broken invariant of soma itself, or out of memory
    fingerprint = 71,  // ranks were started with different configurations
    diverged = 72,     // replicas no longer hold the same bits
    checkpoint = 73,   // a checkpoint could not be written
    timeout = 74,      // a peer did not answer in time
    non_finite = 75,   // NaN or Inf in loss or gradient
};

class Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
    ErrorCode code() const { return code_; }
    int exit_code() const { return static_cast<int>(code_); }

private:
    ErrorCode code_;
};

// Joins its arguments with operator<<; the one way messages are built.
template <class... Parts>
std::string concat(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

template <class... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
    throw Error(code, concat(parts...));
}

}  // namespace soma

// Validates an argument of the public API: throws Error(usage) with the joined message.
#define SOMA_CHECK(condition, ...)                                             \
    do {                                                                       \
        if (!(condition)) ::soma::fail(::soma::ErrorCode::usage, __VA_ARGS__); \
    } while (false)
