// Gated recurrent sequences: the loops over time. A thread takes a block of trials through all
// steps; a step is the product with the input weights, the product with the recurrent ones and one
// pointwise kernel, all in its L1 or L2 (gru_reset_before: two of the last two).

#include "soma/kernels/gated.h"

#include <algorithm>

#include "kernels/trial_block.h"
#include "soma/core/arena.h"
#include "soma/core/error.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {
namespace {

template <class T>
using Block = TrialBlock<GatedSequence<T>>;

// w_rec or its transpose. gru_reset_before has the block of n apart: it multiplies r h, not h.
template <class T>
struct Recurrent {
    PackedB<T> state, candidate;

    Recurrent(const GatedSequence<T>& s, Op op) {
        const Index n = s.units, width = gates_of(s.cell) * n;
        if (s.cell != GatedCell::gru_reset_before) {
            state = pack(op, n, width, s.w_rec, width);
            return;
        }
        state = pack(op, n, 2 * n, s.w_rec, width);
        candidate = pack(op, n, n, s.w_rec + 2 * n, width);
    }

private:
    static PackedB<T> pack(Op op, Index from, Index to, const T* w, Index ld) {
        return op == Op::N ? PackedB<T>(op, from, to, w, ld) : PackedB<T>(op, to, from, w, ld);
    }
};

template <class T>
double flop_of_a_trial(const GatedSequence<T>& s) {
    return 2 * static_cast<double>(s.steps * gates_of(s.cell) * s.units) *
           static_cast<double>(s.units + s.inputs);
}

template <class T>
struct Outputs {
    T *h, *inner, *gates, *h_last, *c_last;
};

template <class T>
void forward_block(const Block<T>& block, const Recurrent<T>& w, const PackedB<T>& w_in,
                   const Outputs<T>& out) {
    const GatedSequence<T>& s = block.s;
    const Index n = s.units, width = gates_of(s.cell) * n;
    const auto& kernels = table<T>().gated;
    ScratchScope scratch;
    T* z = scratch.array<T>(block.rows() * width);
    GatedStep<T> step{};
    step.cell = s.cell;
    step.n = n;
    step.z = z;
    step.peephole = s.peephole;
    step.bias_rec = s.bias_rec;
    if (out.inner == nullptr) step.inner = scratch.array<T>(block.rows() * n);
    if (out.gates == nullptr) step.gates = scratch.array<T>(block.rows() * width);
    step.h_before = block.at(s.h0, 0, n);
    step.c_before = block.at(s.c0, 0, n);
    for (const auto& [last, start] : {std::pair{out.h_last, s.h0}, std::pair{out.c_last, s.c0}}) {
        if (last != nullptr) {
            std::copy_n(block.at(start, 0, n), block.rows() * n, block.at(last, 0, n));
        }
    }
    for (Index t = 0; t < s.steps; ++t) {
        step.rows = block.active(t);
        step.h = block.at(out.h, t, n);
        if (out.inner != nullptr) step.inner = block.at(out.inner, t, n);
        if (out.gates != nullptr) step.gates = block.at(out.gates, t, width);
        block.clear_rest(out.h, t, n);
        block.clear_rest(out.inner, t, n);
        if (step.rows > 0) {
            step_product(step.rows, block.at(s.u, t, s.inputs), s.inputs, w_in, s.bias, step.gates,
                         width);
            step_product<T>(step.rows, step.h_before, n, w.state, nullptr, z, width);
            if (s.cell == GatedCell::gru_reset_before) {
                kernels.reset(step);
                step_product<T>(step.rows, step.inner, n, w.candidate, nullptr, z + 2 * n, width);
            }
            kernels.step(step);
        }
        block.keep_last(out.h_last, t, n, step.h);
        block.keep_last(out.c_last, t, n, step.inner);
        step.h_before = step.h;
        step.c_before = step.inner;
    }
}

template <class T>
struct Gradients {
    const T *dh, *dc;
    T *delta, *dh0, *dc0;
};

template <class T>
void backward_block(const Block<T>& block, const Recurrent<T>& w_transposed, const T* h,
                    const T* inner, const T* gates, const Gradients<T>& d) {
    const GatedSequence<T>& s = block.s;
    const Index n = s.units, width = deltas_of(s.cell) * n;
    const bool is_lstm = s.cell == GatedCell::lstm;
    const auto& kernels = table<T>().gated;
    ScratchScope scratch;
    T* q = scratch.array<T>(block.rows() * n);
    T* back = s.cell == GatedCell::gru_reset_before ? scratch.array<T>(block.rows() * n) : nullptr;
    GatedStepBackward<T> step{};
    step.cell = s.cell;
    step.n = n;
    step.peephole = s.peephole;
    step.back = back;
    step.carry = scratch.array<T>(block.rows() * n);
    std::fill_n(step.carry, block.rows() * n, T{0});
    std::fill_n(q, block.rows() * n, T{0});  // nothing is sent back to the last step of a trial
    step.q = q;
    for (Index t = s.steps - 1; t >= 0; --t) {
        step.rows = block.active(t);
        block.clear_rest(d.delta, t, width);
        if (step.rows == 0) continue;
        step.gates = block.at(gates, t, gates_of(s.cell) * n);
        step.inner = block.at(inner, t, n);
        step.h_before = t > 0 ? block.at(h, t - 1, n) : block.at(s.h0, 0, n);
        if (is_lstm) step.c_before = t > 0 ? block.at(inner, t - 1, n) : block.at(s.c0, 0, n);
        step.g = block.at(d.dh, t, n);
        step.g_c = block.at(d.dc, t, n);
        step.delta = block.at(d.delta, t, width);
        kernels.step_backward(step);
        if (back != nullptr) {
            step_product<T>(step.rows, step.delta + 2 * n, width, w_transposed.candidate, nullptr,
                            back, n);
            kernels.reset_backward(step);
        }
        step_product<T>(step.rows, step.delta, width, w_transposed.state, nullptr, q, n);
    }
    if (d.dc0 != nullptr) std::copy_n(step.carry, block.rows() * n, block.at(d.dc0, 0, n));
    if (d.dh0 == nullptr) return;
    T* dh0 = block.at(d.dh0, 0, n);
    for (Index i = 0; i < block.rows() * n; ++i) dh0[i] = is_lstm ? q[i] : q[i] + step.carry[i];
}

template <class T>
void check(const GatedSequence<T>& s) {
    SOMA_CHECK(s.steps >= 0 && s.batch >= 0 && s.units >= 1 && s.inputs >= 0,
               "gated sequence: steps, batch, units, inputs are ", s.steps, ", ", s.batch, ", ",
               s.units, ", ", s.inputs, "; need sizes of at least 0 and one unit");
}

}  // namespace

template <class T>
void gated_forward(const GatedSequence<T>& s, T* h, T* inner, T* gates, T* h_last, T* c_last) {
    check(s);
    const Index width = gates_of(s.cell) * s.units;
    const Recurrent<T> w(s, Op::N);
    const PackedB<T> w_in(Op::N, s.inputs, width, s.w_in, width);
    for_trials(s.batch, flop_of_a_trial(s), [&](Index begin, Index end) {
        forward_block<T>({s, begin, end}, w, w_in, {h, inner, gates, h_last, c_last});
    });
}

template <class T>
void gated_backward(const GatedSequence<T>& s, const T* h, const T* inner, const T* gates,
                    const T* dh, const T* dc, T* delta, T* dh0, T* dc0) {
    check(s);
    const Recurrent<T> w_transposed(s, Op::T);
    for_trials(s.batch, flop_of_a_trial(s), [&](Index begin, Index end) {
        backward_block<T>({s, begin, end}, w_transposed, h, inner, gates,
                          {dh, dc, delta, dh0, dc0});
    });
}

#define SOMA_INSTANTIATE(T)                                                                       \
    template void gated_forward(const GatedSequence<T>&, T*, T*, T*, T*, T*);                     \
    template void gated_backward(const GatedSequence<T>&, const T*, const T*, const T*, const T*, \
                                 const T*, T*, T*, T*)
SOMA_INSTANTIATE(float);
SOMA_INSTANTIATE(double);
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
