// parallel.h over OpenMP. parallel_serial.cpp is its twin for builds without OpenMP.

#include <omp.h>

#include <algorithm>
#include <exception>

#include "soma/core/arena.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"

namespace soma {
namespace {

// The first exception of a region, carried over the region's end.
class FirstError {
public:
    template <class F>
    void run(F&& f) noexcept {
        try {
            f();
        } catch (...) {
#pragma omp critical(soma_first_error)
            if (!error_) error_ = std::current_exception();
        }
    }
    void rethrow() const {
        if (error_) std::rethrow_exception(error_);
    }

private:
    std::exception_ptr error_;
};

int team_limit = 0;  // 0: OpenMP's default
thread_local int serial_scopes = 0;

}  // namespace

int num_threads() { return team_limit > 0 ? team_limit : omp_get_max_threads(); }

void set_num_threads(int n) {
    SOMA_CHECK(n >= 1, "set_num_threads: n is ", n, "; need n >= 1");
    team_limit = n;
}

bool in_parallel() { return serial_scopes > 0 || omp_in_parallel() != 0; }

SerialScope::SerialScope() { ++serial_scopes; }
SerialScope::~SerialScope() { --serial_scopes; }

namespace detail {

void parallel_for(Index n, Index grain, RangeFunction f, void* context) {
    grain = std::max<Index>(grain, 1);
    const Index chunks = ceil_div(n, grain);
    const int team = static_cast<int>(std::min<Index>(num_threads(), chunks));
    if (team <= 1 || in_parallel()) {
        f(context, 0, n);
        return;
    }
    FirstError error;
    const ScratchLoan* loan = ScratchLoan::current();
#pragma omp parallel num_threads(team)
    error.run([&] {
        const Index thread = omp_get_thread_num(), size = omp_get_num_threads();
        const SharedLoan scratch(loan, static_cast<int>(thread));
        const Index begin = chunks * thread / size * grain;
        const Index end = std::min(chunks * (thread + 1) / size * grain, n);
        if (begin < end) f(context, begin, end);
    });
    error.rethrow();
}

}  // namespace detail

}  // namespace soma
