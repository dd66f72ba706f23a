#pragma once
// What ops over whole sequences [T, B, .] share: lengths, starts, sums over trials and steps.

#include <algorithm>
#include <span>

#include "soma/autograd/tape.h"
#include "soma/core/arena.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/reduce.h"

namespace soma::sequence {

// Error(usage) naming `op` unless there is one length a trial, in [0, steps], never growing.
inline void check_lengths(const char* op, std::span<const Index> lengths, Index steps,
                          Index batch) {
    if (lengths.empty()) return;
    SOMA_CHECK(static_cast<Index>(lengths.size()) == batch, op, ": ", lengths.size(),
               " lengths for a batch of ", batch);
    Index most = steps;
    for (const Index length : lengths) {
        SOMA_CHECK(length >= 0 && length <= most, op, ": length ", length, " after ", most,
                   "; need lengths in [0, ", steps, "] that do not grow");
        most = length;
    }
}

// Trials that run in each step, in the tape's arena; nullptr: all of them.
inline const Index* active_trials(Tape& tape, std::span<const Index> lengths, Index steps) {
    if (lengths.empty()) return nullptr;
    Index* active = tape.allocate<Index>(steps);
    auto running = static_cast<Index>(lengths.size());
    for (Index t = 0; t < steps; ++t) {
        while (running > 0 && lengths[static_cast<std::size_t>(running - 1)] <= t) --running;
        active[t] = running;
    }
    return active;
}

// A start [N] or [B, N] as [B, N]; an absent one is zero. A copy, if needed, is made in `rows`,
// which the caller gives unless the start has them all.
inline bool has_all_rows(const Node* start) { return start != nullptr && start->shape.rank() == 2; }
template <class T>
const T* start_rows(const Node* start, Index batch, Index units, T* rows) {
    if (has_all_rows(start)) return start->y<T>();
    if (start == nullptr) {
        std::fill_n(rows, batch * units, T{0});
    } else {
        for (Index b = 0; b < batch; ++b) std::copy_n(start->y<T>(), units, rows + b * units);
    }
    return rows;
}

// The gradient of a start from that of its rows [B, N].
template <class T>
void add_start_gradient(const Node& start, Index batch, Index units, const T* rows,
                        const GradSlot<T>& slot) {
    if (!has_all_rows(&start)) {
        kernels::column_sums_tree(batch, units, rows, units, T{1}, slot.data, slot.accumulate);
        return;
    }
    for (Index i = 0; i < batch * units; ++i) {
        slot.data[i] = slot.accumulate ? slot.data[i] + rows[i] : rows[i];
    }
}

// `cols` columns of a row-major matrix whose rows are ld apart.
template <class T>
struct Columns {
    T* data;
    Index cols, ld;
};

// c (+)= alpha a^T b: a sum over `rows` trials and steps.
template <class T>
void add_outer(Index rows, Columns<const T> a, Columns<const T> b, T alpha, bool accumulate, T* c,
               Index ldc) {
    kernels::gemm<T>({.op_a = kernels::Op::T,
                      .m = a.cols,
                      .n = b.cols,
                      .k = rows,
                      .alpha = alpha,
                      .a = a.data,
                      .lda = a.ld,
                      .b = b.data,
                      .ldb = b.ld,
                      .beta = accumulate ? T{1} : T{0},
                      .c = c,
                      .ldc = ldc,
                      .order = kernels::Order::tree});
}

// The same over all steps with a_t = x_{t-1}: x_0 [B, n] stands apart from x_1 ... x_T.
template <class T>
void add_outer_of_states(Index steps, Index batch, Index units, const T* x0, const T* x,
                         Columns<const T> b, T alpha, bool accumulate, T* c, Index ldc) {
    add_outer<T>(steps > 0 ? batch : 0, {x0, units, units}, b, alpha, accumulate, c, ldc);
    const Index later = std::max<Index>(steps - 1, 0) * batch;
    add_outer<T>(later, {x, units, units}, {b.data + batch * b.ld, b.cols, b.ld}, alpha, true, c,
                 ldc);
}

}  // namespace soma::sequence
