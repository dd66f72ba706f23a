// Local response normalisation: blocks of rows over threads, scratch for one block a thread.

#include "soma/kernels/lrn.h"

#include <algorithm>
#include <cmath>

#include "soma/core/arena.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {

void check_lrn(const char* op, const LrnShape& s) {
    SOMA_CHECK(s.size >= 1 && s.scale >= 0 && std::isfinite(s.scale) && std::isfinite(s.beta) &&
                   s.k > 0 && std::isfinite(s.k),
               op, ": size is ", s.size, ", alpha ", s.scale, ", beta ", s.beta, ", k ", s.k,
               "; need size >= 1, alpha >= 0, k > 0 and finite numbers");
}

namespace {

constexpr Index kGrain = 1 << 14;        // elements worth a thread: about 20 us
constexpr Index kBlockBytes = 16 << 10;  // of each array: three of them stay in L1

template <class T>
LrnWindow<T> window_of(const LrnShape& s) {
    return {s.size, static_cast<T>(s.scale), static_cast<T>(s.beta), static_cast<T>(s.k)};
}

// f(first row, rows, scratch) for blocks of rows, over threads; `a_row` elements of scratch a row.
template <class T, class F>
void for_each_block(const LrnShape& s, Index a_row, F&& f) {
    const Index pitch = lrn_pitch(s.cols, s.size);
    const Index block = std::max<Index>(1, kBlockBytes / (Index{sizeof(T)} * pitch));
    const Index grain = std::max<Index>(1, kGrain / pitch);
    parallel_for(s.rows, grain, [&](Index begin, Index end) {
        ScratchScope scope;
        T* scratch = scope.array<T>(std::min(block, end - begin) * a_row);
        for (Index r = begin; r < end; r += block) f(r, std::min(block, end - r), scratch);
    });
}

}  // namespace

template <class T>
void lrn(const LrnShape& s, const T* x, T* y) {
    check_lrn("lrn", s);
    if (s.rows == 0 || s.cols == 0) return;
    const LrnWindow<T> window = window_of<T>(s);
    for_each_block<T>(s, lrn_pitch(s.cols, s.size), [&](Index r, Index rows, T* scratch) {
        const Index at = r * s.cols;
        table<T>().lrn.forward(rows, s.cols, window, x + at, y + at, scratch);
    });
}

template <class T>
void lrn_backward(const LrnShape& s, const T* x, const T* dy, bool accumulate, T* dx) {
    check_lrn("lrn_backward", s);
    if (s.rows == 0 || s.cols == 0) return;
    const LrnWindow<T> window = window_of<T>(s);
    const Index a_row = 2 * lrn_pitch(s.cols, s.size) + s.cols;
    for_each_block<T>(s, a_row, [&](Index r, Index rows, T* scratch) {
        const Index at = r * s.cols;
        table<T>().lrn.backward(rows, s.cols, window, x + at, dy + at, accumulate, dx + at,
                                scratch);
    });
}

#define SOMA_INSTANTIATE(T)                           \
    template void lrn(const LrnShape&, const T*, T*); \
    template void lrn_backward(const LrnShape&, const T*, const T*, bool, T*);
SOMA_INSTANTIATE(float)
SOMA_INSTANTIATE(double)
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
