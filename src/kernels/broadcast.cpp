// Binary functions under broadcasting: loops merged once, then one kernel call per innermost run.

#include <algorithm>

#include "soma/core/arena.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/reduce.h"

namespace soma::kernels {
namespace {

constexpr Index kGrain = 1 << 15;  // elements worth a thread

// Position in a and b of the first element of run `run` (a run is one pass of the last loop).
struct Offsets {
    Index a = 0, b = 0;
};
Offsets offsets_of(const Broadcast& loops, Index run) {
    Offsets at;
    for (int d = loops.loop_count - 2; d >= 0; --d) {
        const Broadcast::Loop& loop = loops.loops[d];
        const Index i = run % loop.size;
        at.a += i * loop.a_stride;
        at.b += i * loop.b_stride;
        run /= loop.size;
    }
    return at;
}

// f(n, a offset, b offset, y offset) for every run, or pieces of runs, over the threads.
template <class F>
void for_each_run(const Broadcast& loops, F&& f) {
    const Broadcast::Loop& last = loops.loops[loops.loop_count - 1];
    if (loops.loop_count == 1) {
        parallel_for(last.size, kGrain, [&](Index begin, Index end) {
            f(end - begin, begin * last.a_stride, begin * last.b_stride, begin);
        });
        return;
    }
    if (loops.count == 0) return;
    const Index runs = loops.count / last.size;
    parallel_for(runs, std::max<Index>(1, kGrain / last.size), [&](Index begin, Index end) {
        for (Index run = begin; run < end; ++run) {
            const Offsets at = offsets_of(loops, run);
            f(last.size, at.a, at.b, run * last.size);
        }
    });
}

}  // namespace

Broadcast::Broadcast(std::span<const Index> a, std::span<const Index> b) {
    const std::size_t rank = std::max(a.size(), b.size());
    Index a_stride = 1, b_stride = 1;
    Loop reversed[kMaxLoops];  // innermost first
    int used = 0;
    for (std::size_t i = 0; i < rank; ++i) {
        const Index na = i < a.size() ? a[a.size() - 1 - i] : 1;
        const Index nb = i < b.size() ? b[b.size() - 1 - i] : 1;
        const Index n = na == 1 ? nb : na;
        if (n == 1) continue;
        const Loop loop{n, na == 1 ? 0 : a_stride, nb == 1 ? 0 : b_stride};
        a_stride *= na;
        b_stride *= nb;
        count *= n;
        Loop* inner = used > 0 ? &reversed[used - 1] : nullptr;
        const bool same = inner != nullptr && (loop.a_stride == 0) == (inner->a_stride == 0) &&
                          (loop.b_stride == 0) == (inner->b_stride == 0);
        if (same) {
            inner->size *= n;
        } else {
            reversed[used++] = loop;
        }
    }
    if (used == 0) reversed[used++] = {1, 1, 1};
    loop_count = used;
    std::reverse_copy(reversed, reversed + used, loops);
}

bool Broadcast::repeats(int side) const {
    return std::any_of(loops, loops + loop_count, [side](const Loop& loop) {
        return (side == 0 ? loop.a_stride : loop.b_stride) == 0;
    });
}

template <class T>
void binary(Binary f, const Broadcast& loops, const T* a, const T* b, T* y) {
    const Broadcast::Loop& last = loops.loops[loops.loop_count - 1];
    for_each_run(loops, [&](Index n, Index ia, Index ib, Index iy) {
        table<T>().elementwise.binary(f, n, a + ia, last.a_stride, b + ib, last.b_stride, y + iy);
    });
}

template <class T>
void binary_backward(Binary f, int side, const Broadcast& loops, const T* dy, const T* a,
                     const T* b, bool accumulate, T* d) {
    const Broadcast::Loop& last = loops.loops[loops.loop_count - 1];
    const auto run_all = [&](bool add, T* out) {
        for_each_run(loops, [&](Index n, Index ia, Index ib, Index iy) {
            table<T>().elementwise.binary_backward(f, side, n, dy + iy, a + ia, last.a_stride,
                                                   b + ib, last.b_stride, add, out + iy);
        });
    };
    if (!loops.repeats(side)) {
        run_all(accumulate, d);
        return;
    }
    ScratchScope scratch;
    T* full = scratch.array<T>(loops.count);
    run_all(false, full);
    sum_repeated(side, loops, full, T{1}, d, accumulate);
}

// From the last loop outwards: each repeated loop is a middle axis [outer, n, inner], where inner
// counts the kept loops behind it.
template <class T>
void sum_repeated(int side, const Broadcast& loops, const T* x, T alpha, T* y, bool accumulate) {
    const auto repeated = [side](const Broadcast::Loop& loop) {
        return (side == 0 ? loop.a_stride : loop.b_stride) == 0;
    };
    const auto* first = loops.loops;
    auto left = std::count_if(first, first + loops.loop_count, repeated);
    ScratchScope scratch;
    Index inner = 1;
    for (int d = loops.loop_count - 1; left > 0; --d) {
        const Index n = first[d].size;
        if (!repeated(first[d])) {
            inner *= n;
            continue;
        }
        Index outer = 1;
        for (int i = 0; i < d; ++i) outer *= first[i].size;
        const bool last = --left == 0;
        T* out = last ? y : scratch.array<T>(outer * inner);
        sum_axis(outer, n, inner, x, last ? alpha : T{1}, out, last && accumulate);
        x = out;
    }
}

template void binary(Binary, const Broadcast&, const float*, const float*, float*);
template void binary(Binary, const Broadcast&, const double*, const double*, double*);
template void binary_backward(Binary, int, const Broadcast&, const float*, const float*,
                              const float*, bool, float*);
template void binary_backward(Binary, int, const Broadcast&, const double*, const double*,
                              const double*, bool, double*);
template void sum_repeated(int, const Broadcast&, const float*, float, float*, bool);
template void sum_repeated(int, const Broadcast&, const double*, double, double*, bool);

}  // namespace soma::kernels
