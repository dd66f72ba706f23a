#pragma once
// Threads inside a process: the only place where soma uses OpenMP (serial when built without it).
//
// parallel_for(n, grain, f) calls f(begin, end) on disjoint ranges that cover [0, n). Every range
// but the last is a multiple of `grain`, so a caller can keep work units (rows, chunks) whole. It
// runs serially when n <= grain, with one thread, or inside another parallel region: nesting never
// oversubscribes. A region is worth at least about 20 us of work: choose the grain so.
// Which thread runs a range is unspecified; results must not depend on it, nor on the ranges'
// borders. An exception thrown by f is rethrown in the caller.

#include <type_traits>

#include "soma/core/types.h"

namespace soma {

// Threads a region may use: set_num_threads, else SOMA_NUM_THREADS as the tool passes it on, else
// the OpenMP default.
int num_threads();
void set_num_threads(int n);  // n >= 1, else Error(usage)
bool in_parallel();

// While one lives, parallel_for of its thread runs serially, as if inside a region: for work that
// is one of many independent pieces, each too small to share (a small net of a sweep).
class SerialScope {
public:
    SerialScope();
    ~SerialScope();
    SerialScope(const SerialScope&) = delete;
    SerialScope& operator=(const SerialScope&) = delete;
};

namespace detail {
using RangeFunction = void (*)(void* context, Index begin, Index end);
void parallel_for(Index n, Index grain, RangeFunction f, void* context);
}  // namespace detail

template <class F>
void parallel_for(Index n, Index grain, F&& f) {
    if (n <= 0) return;
    if (n <= grain) {
        f(Index{0}, n);
        return;
    }
    detail::parallel_for(
        n, grain,
        [](void* c, Index begin, Index end) {
            (*static_cast<std::remove_reference_t<F>*>(c))(begin, end);
        },
        &f);
}

}  // namespace soma
