// Reductions: threads get rows, leaves of TREE or chunks of LONG, and one thread folds the partial
// results in the order that reduce.h fixes. How many threads computed them cannot show in the sum.

#include "soma/kernels/reduce.h"

#include <algorithm>

#include "kernels/column_tree.h"
#include "soma/core/arena.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {
namespace {

constexpr Index kGrain = 1 << 15;  // elements worth a thread

Index row_grain(Index cols) { return std::max<Index>(1, kGrain / std::max<Index>(1, cols)); }

template <class T, class Chunks>
double fold_chunks(Index n, Chunks&& chunk_parts) {
    const Index chunks = ceil_div(n, kChunk);
    if (chunks == 0) return 0;
    ScratchScope scratch;
    double* part = scratch.array<double>(chunks);
    parallel_for(chunks, kGrain / kChunk, [&](Index begin, Index end) {
        chunk_parts(begin * kChunk, std::min(end * kChunk, n) - begin * kChunk, part + begin);
    });
    fold_tree(chunks, 1, part);
    return part[0];
}

}  // namespace

// ---- rows: LANES16 ----

template <class T>
void row_sums(Index rows, Index cols, const T* x, Index ldx, T alpha, T* y, bool accumulate) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().reduce.row_sums(end - begin, cols, x + begin * ldx, ldx, alpha, y + begin,
                                   accumulate);
    });
}

template <class T>
void row_dots(Index rows, Index cols, const T* a, Index lda, const T* b, Index ldb, T* y,
              bool accumulate) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().reduce.row_dots(end - begin, cols, a + begin * lda, lda, b + begin * ldb, ldb,
                                   y + begin, accumulate);
    });
}

template <class T>
void row_max(Index rows, Index cols, const T* x, Index ldx, T* value, std::int32_t* index) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().reduce.row_max(end - begin, cols, x + begin * ldx, ldx,
                                  value == nullptr ? nullptr : value + begin,
                                  index == nullptr ? nullptr : index + begin);
    });
}

// ---- columns: TREE ----

template <class T>
void column_sums_tree(Index rows, Index cols, const T* x, Index ldx, T alpha, T* y,
                      bool accumulate) {
    column_tree(rows, cols, row_grain(cols), alpha, accumulate, y,
                [&](Index first, Index n, T* part) {
                    table<T>().reduce.leaf_sums(n, cols, x + first * ldx, ldx, part);
                });
}

template <class T>
void column_dots_tree(Index rows, Index cols, const T* a, Index lda, const T* b, Index ldb, T alpha,
                      T* y, bool accumulate) {
    column_tree(
        rows, cols, row_grain(cols), alpha, accumulate, y, [&](Index first, Index n, T* part) {
            table<T>().reduce.leaf_dots(n, cols, a + first * lda, lda, b + first * ldb, ldb, part);
        });
}

template <class T>
void column_max(Index rows, Index cols, const T* x, Index ldx, T* value, std::int32_t* index) {
    parallel_for(cols, row_grain(rows), [&](Index begin, Index end) {
        table<T>().reduce.column_max(rows, end - begin, x + begin, ldx,
                                     value == nullptr ? nullptr : value + begin,
                                     index == nullptr ? nullptr : index + begin);
    });
}

// ---- one axis ----

template <class T>
void sum_axis(Index outer, Index n, Index inner, const T* x, T alpha, T* y, bool accumulate) {
    if (inner == 1) {
        row_sums(outer, n, x, n, alpha, y, accumulate);
        return;
    }
    parallel_for(outer, row_grain(n * inner), [&](Index begin, Index end) {
        for (Index o = begin; o < end; ++o) {
            column_sums_tree(n, inner, x + o * n * inner, inner, alpha, y + o * inner, accumulate);
        }
    });
}

template <class T>
void spread_axis(Index outer, Index n, Index inner, T alpha, const T* y, T* x, bool accumulate) {
    const auto& elementwise = table<T>().elementwise;
    const auto spread_row = [&](const T* from, T* to) {  // inner == 1: one value over n elements
        if (accumulate) {
            elementwise.shift(n, alpha * *from, to, to);
        } else {
            elementwise.fill(n, alpha * *from, to);
        }
    };
    const auto copy_row = [&](const T* from, T* to) {
        if (accumulate) {
            elementwise.axpy(inner, alpha, from, to);
        } else {
            elementwise.scale(inner, alpha, from, to);
        }
    };
    parallel_for(outer, row_grain(n * inner), [&](Index begin, Index end) {
        for (Index o = begin; o < end; ++o) {
            if (inner == 1) spread_row(y + o, x + o * n);
            for (Index k = 0; k < n && inner != 1; ++k) {
                copy_row(y + o * inner, x + (o * n + k) * inner);
            }
        }
    });
}

template <class T>
void max_axis(Index outer, Index n, Index inner, const T* x, T* value, std::int32_t* index) {
    if (inner == 1) {
        row_max(outer, n, x, n, value, index);
        return;
    }
    for (Index o = 0; o < outer; ++o) {
        column_max(n, inner, x + o * n * inner, inner,
                   value == nullptr ? nullptr : value + o * inner,
                   index == nullptr ? nullptr : index + o * inner);
    }
}

// ---- whole arrays: LONG ----

template <class T>
double sum_long(Index n, const T* x) {
    return fold_chunks<T>(n, [&](Index first, Index count, double* part) {
        table<T>().reduce.chunk_sums(count, x + first, part);
    });
}

template <class T>
double sum_squares_long(Index n, const T* x) {
    return dot_long(n, x, x);
}

template <class T>
double dot_long(Index n, const T* a, const T* b) {
    return fold_chunks<T>(n, [&](Index first, Index count, double* part) {
        table<T>().reduce.chunk_dots(count, a + first, b + first, part);
    });
}

template <class T>
void fold_tree(Index n, Index width, T* part) {
    const auto& elementwise = table<T>().elementwise;
    for (Index step = 1; step < n; step *= 2) {
        for (Index i = 0; i + step < n; i += 2 * step) {
            T* left = part + i * width;
            if (width == 1) {
                *left += part[i + step];
            } else {
                elementwise.binary(Binary::add, width, left, 1, part + (i + step) * width, 1, left);
            }
        }
    }
}

template void row_sums(Index, Index, const float*, Index, float, float*, bool);
template void row_dots(Index, Index, const float*, Index, const float*, Index, float*, bool);
template void row_max(Index, Index, const float*, Index, float*, std::int32_t*);
template void column_sums_tree(Index, Index, const float*, Index, float, float*, bool);
template void column_dots_tree(Index, Index, const float*, Index, const float*, Index, float,
                               float*, bool);
template void column_max(Index, Index, const float*, Index, float*, std::int32_t*);
template void sum_axis(Index, Index, Index, const float*, float, float*, bool);
template void spread_axis(Index, Index, Index, float, const float*, float*, bool);
template void max_axis(Index, Index, Index, const float*, float*, std::int32_t*);
template double sum_long(Index, const float*);
template double sum_squares_long(Index, const float*);
template double dot_long(Index, const float*, const float*);
template void fold_tree(Index, Index, float*);
template void row_sums(Index, Index, const double*, Index, double, double*, bool);
template void row_dots(Index, Index, const double*, Index, const double*, Index, double*, bool);
template void row_max(Index, Index, const double*, Index, double*, std::int32_t*);
template void column_sums_tree(Index, Index, const double*, Index, double, double*, bool);
template void column_dots_tree(Index, Index, const double*, Index, const double*, Index, double,
                               double*, bool);
template void column_max(Index, Index, const double*, Index, double*, std::int32_t*);
template void sum_axis(Index, Index, Index, const double*, double, double*, bool);
template void spread_axis(Index, Index, Index, double, const double*, double*, bool);
template void max_axis(Index, Index, Index, const double*, double*, std::int32_t*);
template double sum_long(Index, const double*);
template double sum_squares_long(Index, const double*);
template double dot_long(Index, const double*, const double*);
template void fold_tree(Index, Index, double*);

}  // namespace soma::kernels
