#pragma once
// What recurrent sequences share: blocks of trials, which a thread takes through all steps.

#include <algorithm>
#include <cmath>
#include <utility>

#include "soma/core/parallel.h"
#include "soma/kernels/gemm.h"

namespace soma::kernels {

// A block of trials of a sequence S, and where its rows of a [T, B, n] array begin.
template <class S>
struct TrialBlock {
    const S& s;
    Index begin, end;

    Index rows() const { return end - begin; }
    // Of this block, running in step t.
    Index active(Index t) const {
        return s.active == nullptr ? rows() : std::clamp<Index>(s.active[t] - begin, 0, rows());
    }
    template <class U>
    U* at(U* sequence, Index t, Index width) const {
        return sequence == nullptr ? nullptr : sequence + (t * s.batch + begin) * width;
    }
    // Zeros for the trials that do not run in step t.
    template <class U>
    void clear_rest(U* sequence, Index t, Index width) const {
        if (sequence == nullptr) return;
        U* x = at(sequence, t, width);
        std::fill(x + active(t) * width, x + rows() * width, U{0});
    }
    // What is at x of the trials whose last step is t, to their rows of last [B, n].
    template <class U>
    void keep_last(U* last, Index t, Index width, const U* x) const {
        if (last == nullptr) return;
        const Index next = t + 1 < s.steps ? active(t + 1) : 0, now = active(t);
        std::copy_n(x + next * width, (now - next) * width, at(last, 0, width) + next * width);
    }
};

// f(begin, end) over blocks of trials; they are split over threads when a part is worth it.
template <class F>
void for_trials(Index batch, double flop_of_a_trial, F&& f) {
    constexpr double kGrainFlop = 2e6;  // worth a thread: about 20 us
    constexpr Index kLeastTrials = 8;   // a product of fewer rows is slow
    const auto least = static_cast<Index>(std::ceil(kGrainFlop / (flop_of_a_trial + 1)));
    parallel_for(batch, std::max(kLeastTrials, std::min(least, batch)), std::forward<F>(f));
}

// y = a w + bias for the trials of a block: `rows` rows of a and y, lda and ldy apart.
template <class T>
void step_product(Index rows, const T* a, Index lda, const PackedB<T>& w, const T* bias, T* y,
                  Index ldy) {
    gemm<T>({.m = rows,
             .n = w.n(),
             .k = w.k(),
             .a = a,
             .lda = lda,
             .c = y,
             .ldc = ldy,
             .epilogue = {.bias = bias}},
            w);
}

}  // namespace soma::kernels
