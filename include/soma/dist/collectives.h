#pragma once
// Strict sums: the same bits on every rank, and for every number of ranks.
//
// The sum over P = 2^d ranks is one balanced tree over rank numbers, the lower number always the
// left operand:
//
//   P = 4     ((x0 + x1) + (x2 + x3))          element by element, in the type of the data
//
// Both algorithms are that tree, so the size at which they change does not show in the result:
//
//   recursive doubling      round k: rank r swaps everything with r ^ 2^k and folds.
//                           log2(P) (a + n b); for small n
//   halving and doubling    round k: r and r ^ 2^k swap halves of their range, r keeps the half
//                           that bit k of r names and folds it; after d rounds r owns one slice of
//                           the sum. Then the mirror: round d-1 ... 0 swap what each owns.
//                           2 log2(P) a + 2 (P-1)/P n b
//
//   n bytes, a seconds of latency, b seconds per byte
//
// Ranges are cut at multiples of 1024 elements only. Neighbours r, r ^ 1 exchange first and most,
// and ranks are node-major, so only n / (ranks of a host) crosses between hosts.

#include <span>
#include <vector>

#include "soma/core/types.h"
#include "soma/dist/comm.h"

namespace soma::dist {

inline constexpr Index kChunk = 1024;  // elements between cut points

// out[i] = left[i] + right[i], i < n; out may be left or right. Must be exactly one addition.
template <class T>
using Add = void (*)(T* out, const T* left, const T* right, Index n);

template <class T>
void plain_add(T* out, const T* left, const T* right, Index n) {
    for (Index i = 0; i < n; ++i) out[i] = left[i] + right[i];
}

// What a shard says about its samples beside their gradient. All fields are sums over shards by the
// tree of shards.h; the flags are counts, so nothing is lost. 64 bytes on the wire.
struct ControlRecord {
    double weight = 0;             // W: summed sample weight; the mean divides by it
    double loss = 0;               // weighted loss
    double metrics[5] = {};        // wrong answers, squared errors, ...: the trainer's choice
    std::uint32_t stop = 0;        // shards whose rank was asked to stop
    std::uint32_t non_finite = 0;  // shards whose loss was NaN or infinite
};
static_assert(sizeof(ControlRecord) == 64);

void add_records(ControlRecord* out, const ControlRecord* left, const ControlRecord* right,
                 Index n);

// Sums over the ranks of a Comm, which outlives it. T is float, double or ControlRecord.
template <class T>
class TreeAllreduce {
public:
    // Bytes below which recursive doubling is the faster of the two on common networks.
    static constexpr Index kDoublingBytes = 16 << 10;

    // Error(usage) unless the number of ranks is a power of two.
    TreeAllreduce(Comm& comm, Add<T> add, Index doubling_bytes = kDoublingBytes);

    // data <- sum over ranks, in place; all ranks pass the same size. Collective.
    void operator()(std::span<T> data);

private:
    void recursive_doubling(std::span<T> data);
    void halving_and_doubling(std::span<T> data);

    Comm& comm_;
    Add<T> add_;
    Index doubling_bytes_;
    std::vector<T> staging_;  // what a peer sent, until it is folded
};

}  // namespace soma::dist
