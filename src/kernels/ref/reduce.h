#pragma once
// Reductions as plain loops in the canonical orders (include/soma/kernels/reduce.h): the kernels
// must give exactly these bits.

#include <cmath>
#include <vector>

#include "soma/core/types.h"

namespace soma::kernels::ref {

// LANES16 of terms(lane, i): 16 lanes, then halves.
template <class T, class Enter>
T lanes16(Index n, Enter&& enter) {
    T lane[16] = {};
    for (Index i = 0; i < n; ++i) lane[i % 16] = enter(lane[i % 16], i);
    for (int half = 8; half > 0; half /= 2) {
        for (int l = 0; l < half; ++l) lane[l] = lane[l] + lane[l + half];
    }
    return lane[0];
}

template <class T>
T row_sum(Index n, const T* x) {
    return lanes16<T>(n, [x](T lane, Index i) { return lane + x[i]; });
}

template <class T>
T row_dot(Index n, const T* a, const T* b) {
    return lanes16<T>(n, [=](T lane, Index i) { return std::fma(a[i], b[i], lane); });
}

// Folds the parts by a binary counter: two partials of equal size merge at once, the rest merges
// from the right.
template <class T>
T tree(const std::vector<T>& leaves) {
    struct Partial {
        T sum;
        Index size;
    };
    std::vector<Partial> stack;
    const auto merge = [&stack] {
        const Partial right = stack.back();
        stack.pop_back();
        stack.back().sum = stack.back().sum + right.sum;
        stack.back().size += right.size;
    };
    for (const T leaf : leaves) {
        stack.push_back({leaf, 1});
        while (stack.size() > 1 && stack[stack.size() - 2].size == stack.back().size) merge();
    }
    while (stack.size() > 1) merge();
    return stack.empty() ? T{0} : stack.back().sum;
}

// One column of terms(sum, row) in leaves of 256 rows.
template <class T, class Enter>
T column_tree(Index rows, Enter&& enter) {
    std::vector<T> leaves;
    for (Index first = 0; first < rows; first += 256) {
        T sum = 0;
        for (Index r = first; r < rows && r < first + 256; ++r) sum = enter(sum, r);
        leaves.push_back(sum);
    }
    return tree(leaves);
}

// LONG: chunks of 1,024, f64 lanes.
template <class T>
double dot_long(Index n, const T* a, const T* b) {
    std::vector<double> chunks;
    for (Index first = 0; first < n; first += 1024) {
        chunks.push_back(
            lanes16<double>(std::min<Index>(1024, n - first), [=](double lane, Index i) {
                return std::fma(static_cast<double>(a[first + i]),
                                static_cast<double>(b[first + i]), lane);
            }));
    }
    return tree(chunks);
}

}  // namespace soma::kernels::ref
