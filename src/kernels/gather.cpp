// Rows by index. The forward is a memcpy a row. The adjoint sorts positions instead of using
// atomics or one buffer a thread: each row's terms are then neighbours, one thread sums them in a
// fixed tree, and time and scratch do not grow with the rows that no position names.

#include "soma/kernels/gather.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "soma/core/arena.h"
#include "soma/core/parallel.h"

namespace soma::kernels {
namespace {

constexpr Index kLeaf = 256;          // positions in a leaf of the tree
constexpr Index kElements = 1 << 15;  // elements worth a thread
constexpr int kRadixBits = 11;

Index row_grain(Index cols) { return std::max<Index>(1, kElements / std::max<Index>(cols, 1)); }

// Positions 0..n-1 ordered by rows[position], ascending positions within a row. Uses `spare` as
// the second buffer and returns the one that holds the result.
std::int32_t* sort_positions(std::span<const std::int32_t> rows, Index row_count,
                             std::int32_t* positions, std::int32_t* spare) {
    const auto n = static_cast<Index>(rows.size());
    for (Index i = 0; i < n; ++i) positions[i] = static_cast<std::int32_t>(i);
    constexpr std::int32_t kBuckets = 1 << kRadixBits;
    for (int shift = 0; shift < 32 && (row_count - 1) >> shift > 0; shift += kRadixBits) {
        Index start[kBuckets + 1] = {};
        const auto digit = [&](std::int32_t position) {
            return (rows[static_cast<std::size_t>(position)] >> shift) & (kBuckets - 1);
        };
        for (Index i = 0; i < n; ++i) ++start[digit(positions[i]) + 1];
        for (int b = 0; b < kBuckets; ++b) start[b + 1] += start[b];
        for (Index i = 0; i < n; ++i) spare[start[digit(positions[i])]++] = positions[i];
        std::swap(positions, spare);
    }
    return positions;
}

// out = tree over the leaves of the segment; scratch holds cols elements for each level below.
template <class T>
void segment_sum(const std::int32_t* positions, Index n, Index cols, const T* x, T* out,
                 T* scratch) {
    if (n <= kLeaf) {
        std::fill_n(out, cols, T{0});
        for (Index i = 0; i < n; ++i) {
            const T* row = x + positions[i] * cols;
            for (Index c = 0; c < cols; ++c) out[c] += row[c];
        }
        return;
    }
    // The left part is the largest power of two of leaves that leaves something to the right.
    Index left = kLeaf;
    while (2 * left < n) left *= 2;
    segment_sum(positions, left, cols, x, out, scratch + cols);
    segment_sum(positions + left, n - left, cols, x, scratch, scratch + cols);
    for (Index c = 0; c < cols; ++c) out[c] += scratch[c];
}

Index tree_levels(Index n) {
    Index levels = 1;
    for (Index reach = kLeaf; reach < n; reach *= 2) ++levels;
    return levels;
}

}  // namespace

template <class T>
void gather_rows(std::span<const std::int32_t> rows, Index cols, const T* table, T* y) {
    const std::size_t bytes = static_cast<std::size_t>(cols) * sizeof(T);
    parallel_for(static_cast<Index>(rows.size()), row_grain(cols), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            std::memcpy(y + i * cols, table + rows[static_cast<std::size_t>(i)] * cols, bytes);
        }
    });
}

template <class T>
void scatter_add_rows(std::span<const std::int32_t> rows, Index row_count, Index cols, const T* x,
                      T* y) {
    const auto n = static_cast<Index>(rows.size());
    if (n == 0 || cols == 0) return;
    ScratchScope scratch;
    auto* buffers = scratch.array<std::int32_t>(2 * n);
    const std::int32_t* sorted = sort_positions(rows, row_count, buffers, buffers + n);
    const auto row_at = [&](Index i) { return rows[static_cast<std::size_t>(sorted[i])]; };
    parallel_for(n, row_grain(cols), [&](Index begin, Index end) {
        ScratchScope own;
        T* sums = own.array<T>((tree_levels(n) + 1) * cols);
        // A range owns the segments that begin inside it.
        while (begin > 0 && begin < end && row_at(begin) == row_at(begin - 1)) ++begin;
        while (begin < end) {
            const std::int32_t row = row_at(begin);
            Index stop = begin + 1;
            while (stop < n && row_at(stop) == row) ++stop;
            segment_sum(sorted + begin, stop - begin, cols, x, sums, sums + cols);
            T* out = y + row * cols;
            for (Index c = 0; c < cols; ++c) out[c] += sums[c];
            begin = stop;
        }
    });
}

template void gather_rows<float>(std::span<const std::int32_t>, Index, const float*, float*);
template void gather_rows<double>(std::span<const std::int32_t>, Index, const double*, double*);
template void scatter_add_rows<float>(std::span<const std::int32_t>, Index, Index, const float*,
                                      float*);
template void scatter_add_rows<double>(std::span<const std::int32_t>, Index, Index, const double*,
                                       double*);

}  // namespace soma::kernels
