// Normalisation: threads, trees over rows, and group norm as a composition. The kernels see whole
// rows (norm.inl); a group's statistics are those of its columns, summed over each group and spread
// back, so that group norm needs no kernel of its own.

#include "soma/kernels/norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/column_tree.h"
#include "soma/core/arena.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/reduce.h"

namespace soma::kernels {
namespace {

constexpr Index kGrain = 1 << 14;  // elements worth a thread; a normalisation reads each twice

Index row_grain(Index cols) { return std::max<Index>(1, kGrain / std::max<Index>(1, cols)); }

}  // namespace

// ---- rows ----

template <class T>
void layer_norm(Index rows, Index cols, const T* x, const T* gamma, const T* beta, T eps, T* y,
                T* mean, T* rstd) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().norm.rows_forward(end - begin, cols, x + begin * cols, gamma, beta, eps,
                                     y + begin * cols, mean == nullptr ? nullptr : mean + begin,
                                     rstd + begin);
    });
}

template <class T>
void layer_norm_dx(Index rows, Index cols, const T* x, const T* gamma, const T* mean, const T* rstd,
                   const T* dy, bool accumulate, T* dx) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().norm.rows_backward(end - begin, cols, x + begin * cols, gamma,
                                      mean == nullptr ? nullptr : mean + begin, rstd + begin,
                                      dy + begin * cols, accumulate, dx + begin * cols);
    });
}

template <class T>
void layer_norm_dgamma(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                       const T* dy, bool accumulate, T* dgamma) {
    column_tree(rows, cols, row_grain(cols), T{1}, accumulate, dgamma,
                [&](Index first, Index n, T* y) {
                    table<T>().norm.rows_leaf_gamma(n, cols, x + first * cols,
                                                    mean == nullptr ? nullptr : mean + first,
                                                    rstd + first, dy + first * cols, y);
                });
}

// ---- columns ----

template <class T>
void centred_squares(Index rows, Index cols, const T* x, const T* mean, T* squares) {
    column_tree(rows, cols, row_grain(cols), T{1}, false, squares, [&](Index first, Index n, T* y) {
        table<T>().norm.columns_leaf_squares(n, cols, x + first * cols, mean, y);
    });
}

template <class T>
void reciprocal_deviation(Index n, const T* variance, T eps, T* rstd) {
    for (Index i = 0; i < n; ++i) rstd[i] = T{1} / std::sqrt(variance[i] + eps);
}

template <class T>
void normalise_columns(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                       const T* gamma, const T* beta, T* y) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().norm.columns_forward(end - begin, cols, x + begin * cols, mean, rstd, gamma,
                                        beta, y + begin * cols);
    });
}

template <class T>
void normalised_dots(Index rows, Index cols, const T* x, const T* mean, const T* rstd, const T* dy,
                     T* sums) {
    column_tree(rows, cols, row_grain(cols), T{1}, false, sums, [&](Index first, Index n, T* y) {
        table<T>().norm.columns_leaf_gamma(n, cols, x + first * cols, mean, rstd, dy + first * cols,
                                           y);
    });
}

template <class T>
void normalise_columns_dx(Index rows, Index cols, const T* x, const T* mean, const T* rstd,
                          const T* gamma, const T* m1, const T* m2, const T* dy, bool accumulate,
                          T* dx) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().norm.columns_backward(end - begin, cols, x + begin * cols, mean, rstd, gamma, m1,
                                         m2, dy + begin * cols, accumulate, dx + begin * cols);
    });
}

// ---- groups ----

namespace {

// every[c] = (sum over c's group of a[c] (or 1) times sums[c]) / count.
template <class T>
void spread_group_means(const GroupShape& s, const T* a, const T* sums, T* every) {
    const Index width = s.cols / s.groups;
    const T count = static_cast<T>(s.rows * width);
    ScratchScope scratch;
    T* group = scratch.array<T>(s.groups);
    if (a == nullptr) {
        row_sums(s.groups, width, sums, width, T{1}, group, false);
    } else {
        row_dots(s.groups, width, a, width, sums, width, group, false);
    }
    for (Index g = 0; g < s.groups; ++g) {
        std::fill_n(every + g * width, width, group[g] / count);
    }
}

}  // namespace

template <class T>
void group_norm(const GroupShape& s, const T* x, const T* gamma, const T* beta, T eps, T* y,
                T* mean, T* rstd) {
    const Index image = s.rows * s.cols;
    parallel_for(s.images, row_grain(image), [&](Index begin, Index end) {
        ScratchScope scratch;
        T* sums = scratch.array<T>(s.cols);
        for (Index i = begin; i < end; ++i) {
            const T* xi = x + i * image;
            T* m = mean + i * s.cols;
            T* r = rstd + i * s.cols;
            column_sums_tree(s.rows, s.cols, xi, s.cols, T{1}, sums, false);
            spread_group_means<T>(s, nullptr, sums, m);
            centred_squares(s.rows, s.cols, xi, m, sums);
            spread_group_means<T>(s, nullptr, sums, r);
            reciprocal_deviation(s.cols, r, eps, r);
            normalise_columns(s.rows, s.cols, xi, m, r, gamma, beta, y + i * image);
        }
    });
}

template <class T>
void group_norm_backward(const GroupShape& s, const T* x, const T* gamma, const T* mean,
                         const T* rstd, const T* dy, T* sum_dy, T* sum_dy_xh, bool accumulate,
                         T* dx) {
    const Index image = s.rows * s.cols;
    parallel_for(s.images, row_grain(image), [&](Index begin, Index end) {
        ScratchScope scratch;
        T* m1 = scratch.array<T>(s.cols);
        T* m2 = scratch.array<T>(s.cols);
        for (Index i = begin; i < end; ++i) {
            const T *xi = x + i * image, *di = dy + i * image;
            const T *m = mean + i * s.cols, *r = rstd + i * s.cols;
            T *s1 = sum_dy + i * s.cols, *s2 = sum_dy_xh + i * s.cols;
            column_sums_tree(s.rows, s.cols, di, s.cols, T{1}, s1, false);
            normalised_dots(s.rows, s.cols, xi, m, r, di, s2);
            if (dx == nullptr) continue;
            spread_group_means(s, gamma, s1, m1);
            spread_group_means(s, gamma, s2, m2);
            normalise_columns_dx(s.rows, s.cols, xi, m, r, gamma, m1, m2, di, accumulate,
                                 dx + i * image);
        }
    });
}

#define SOMA_INSTANTIATE(T)                                                                        \
    template void layer_norm<T>(Index, Index, const T*, const T*, const T*, T, T*, T*, T*);        \
    template void layer_norm_dx<T>(Index, Index, const T*, const T*, const T*, const T*, const T*, \
                                   bool, T*);                                                      \
    template void layer_norm_dgamma<T>(Index, Index, const T*, const T*, const T*, const T*, bool, \
                                       T*);                                                        \
    template void centred_squares<T>(Index, Index, const T*, const T*, T*);                        \
    template void reciprocal_deviation<T>(Index, const T*, T, T*);                                 \
    template void normalise_columns<T>(Index, Index, const T*, const T*, const T*, const T*,       \
                                       const T*, T*);                                              \
    template void normalised_dots<T>(Index, Index, const T*, const T*, const T*, const T*, T*);    \
    template void normalise_columns_dx<T>(Index, Index, const T*, const T*, const T*, const T*,    \
                                          const T*, const T*, const T*, bool, T*);                 \
    template void group_norm<T>(const GroupShape&, const T*, const T*, const T*, T, T*, T*, T*);   \
    template void group_norm_backward<T>(const GroupShape&, const T*, const T*, const T*,          \
                                         const T*, const T*, T*, T*, bool, T*);
SOMA_INSTANTIATE(float)
SOMA_INSTANTIATE(double)
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
