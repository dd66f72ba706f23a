// Recurrent sequences: the loops over time. A thread takes a block of trials through all steps; its
// state, product, input and noise stay in its L1 or L2.

#include "soma/kernels/ctrnn.h"

#include <algorithm>
#include <cmath>

#include "kernels/trial_block.h"
#include "soma/core/arena.h"
#include "soma/core/error.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/gemm.h"

namespace soma::kernels {
namespace {

constexpr Index kFewInputs = 8;  // up to here the step adds them itself

double sigma_of_step(Convention c, double alpha, double sigma) {
    switch (c) {
        case Convention::current:
            return sigma;
        case Convention::current_sde:
        case Convention::rectified_leak:
            return sigma * std::sqrt(2 * alpha);
        case Convention::rate:
            return sigma * std::sqrt(2 / alpha);
    }
    return 0;
}

template <class T>
double flop_of_a_trial(const CtrnnSequence<T>& s) {
    const auto n = static_cast<double>(s.units), r = static_cast<double>(s.rank);
    return 2 * static_cast<double>(s.steps) * n * (s.rank > 0 ? 2 * r : n);
}

// y = x w for a block of trials; w is w_rec or its transpose, of full or low rank.
template <class T>
class Recurrent {
public:
    Recurrent(const CtrnnSequence<T>& s, Op op) : units_(s.units), rank_(s.rank) {
        if (rank_ == 0) {
            full_ = PackedB<T>(op, units_, units_, s.w_rec, units_);
            return;
        }
        const bool forward = op == Op::N;  // n m^T / N or m n^T / N
        inner_ = PackedB<T>(Op::N, units_, rank_, forward ? s.n : s.m, rank_);
        outer_ = PackedB<T>(Op::T, rank_, units_, forward ? s.m : s.n, rank_);
    }

    // kappa [rows, R], of low rank: x n / N (forward) or x m / N.
    void multiply(Index rows, const T* x, T* kappa, T alpha, T beta, T* y) const {
        if (rank_ == 0) return product(rows, full_, alpha, x, beta, y);
        product(rows, inner_, T{1} / static_cast<T>(units_), x, T{0}, kappa);
        product(rows, outer_, alpha, kappa, beta, y);
    }

private:
    static void product(Index rows, const PackedB<T>& b, T alpha, const T* x, T beta, T* y) {
        gemm<T>({.m = rows,
                 .n = b.n(),
                 .k = b.k(),
                 .alpha = alpha,
                 .a = x,
                 .lda = b.k(),
                 .beta = beta,
                 .c = y,
                 .ldc = b.n()},
                b);
    }

    Index units_, rank_;
    PackedB<T> full_, inner_, outer_;
};

template <class T>
using Block = TrialBlock<CtrnnSequence<T>>;

template <class T>
class NoiseBlock {
public:
    NoiseBlock(const Block<T>& block, ScratchScope& scratch) : block_(block) {
        if (block.s.noise.sigma == 0) return;
        normal_ = scratch.array<float>(block.rows() * block.s.units);
        if constexpr (sizeof(T) > 4) wide_ = scratch.array<T>(block.rows() * block.s.units);
    }

    // xi of the first `rows` trials in step t; nullptr without noise.
    const T* fill(Index rows, Index t) const {
        if (normal_ == nullptr) return nullptr;
        const CtrnnNoise& noise = block_.s.noise;
        const Index n = block_.s.units;
        active().random.normal({.key = {noise.key[0], noise.key[1]},
                                .step = noise.first_step + static_cast<std::uint32_t>(t),
                                .visit = noise.visit,
                                .trials = noise.trials + block_.begin,
                                .rows = rows,
                                .units = n},
                               normal_, n);
        if constexpr (sizeof(T) > 4) {
            std::copy_n(normal_, rows * n, wide_);
            return wide_;
        } else {
            return normal_;
        }
    }

private:
    const Block<T>& block_;
    float* normal_ = nullptr;
    T* wide_ = nullptr;
};

template <class T>
CtrnnStep<T> step_of(const CtrnnSequence<T>& s) {
    CtrnnStep<T> step{};
    step.convention = s.convention;
    step.f = s.f;
    step.gain = static_cast<T>(s.alpha);
    step.leak = static_cast<T>(1 - s.alpha);
    step.sigma = static_cast<T>(sigma_of_step(s.convention, s.alpha, s.noise.sigma));
    step.n = s.units;
    step.w_in = s.w_in;
    step.bias = s.bias;
    return step;
}

template <class T>
struct Outputs {
    T *r0, *r, *drive, *kappa, *last;
};

template <class T>
void forward_block(const Block<T>& block, const Recurrent<T>& w, const PackedB<T>& w_in,
                   const T* start, const Outputs<T>& out) {
    const CtrnnSequence<T>& s = block.s;
    const Index n = s.units, count = block.rows() * n;
    ScratchScope scratch;
    const NoiseBlock<T> noise(block, scratch);
    T* z = scratch.array<T>(count);
    T* a = w_in.n() > 0 ? scratch.array<T>(count) : nullptr;
    T* state = scratch.array<T>(count);  // of `current`
    T* kappa =
        s.rank > 0 && out.kappa == nullptr ? scratch.array<T>(block.rows() * s.rank) : nullptr;
    const T* x0 = block.at(start, 0, n);
    T* before = block.at(out.r0, 0, n);
    if (keeps_current(s.convention)) {
        std::copy_n(x0, count, state);
        table<T>().rnn.rate(s.f, count, x0, before);
    } else {
        std::copy_n(x0, count, before);
    }
    if (out.last != nullptr) std::copy_n(x0, count, block.at(out.last, 0, n));

    CtrnnStep<T> step = step_of(s);
    step.z = z;
    step.a = a;
    step.state = state;
    for (Index t = 0; t < s.steps; ++t) {
        const Index rows = block.active(t);
        T* r = block.at(out.r, t, n);
        block.clear_rest(out.r, t, n);
        block.clear_rest(out.drive, t, n);
        block.clear_rest(out.kappa, t, s.rank);
        if (out.kappa != nullptr) kappa = block.at(out.kappa, t, s.rank);
        if (rows > 0) {
            w.multiply(rows, before, kappa, T{1}, T{0}, z);
            const T* u = block.at(s.u, t, s.inputs);
            if (a != nullptr) {
                step_product(rows, u, s.inputs, w_in, s.bias, a, n);
            } else {
                step.u = u;
                step.inputs = s.inputs;
            }
            step.rows = rows;
            step.xi = noise.fill(rows, t);
            step.r_before = before;
            step.r = r;
            step.drive = block.at(out.drive, t, n);
            if (step.drive == nullptr) step.drive = z;
            table<T>().rnn.ctrnn_step(step);
        }
        block.keep_last(out.last, t, n, keeps_current(s.convention) ? state : r);
        before = r;
    }
}

template <class T>
void backward_block(const Block<T>& block, const Recurrent<T>& w_transposed, const T* r0,
                    const T* r, const T* drive, const T* dr, T* delta, T* dstart) {
    const CtrnnSequence<T>& s = block.s;
    const Index n = s.units, count = block.rows() * n;
    ScratchScope scratch;
    T* q = scratch.array<T>(count);
    T* carry = scratch.array<T>(count);
    T* kappa = s.rank > 0 ? scratch.array<T>(block.rows() * s.rank) : nullptr;
    std::fill_n(carry, count, T{0});

    CtrnnStepBackward<T> step{};
    step.convention = s.convention;
    step.f = s.f;
    step.gain = static_cast<T>(s.alpha);
    step.leak = static_cast<T>(1 - s.alpha);
    step.n = n;
    step.carry = carry;
    const T* rates = s.convention == Convention::rate ? drive : r;
    for (Index t = s.steps - 1; t >= 0; --t) {
        step.rows = block.active(t);
        step.q = nullptr;
        if (t + 1 < s.steps) {
            const Index rows = block.active(t + 1);
            if (rows > 0) {
                w_transposed.multiply(rows, block.at(delta, t + 1, n), kappa, T{1}, T{0}, q);
            }
            std::fill(q + rows * n, q + step.rows * n, T{0});
            step.q = q;
        }
        step.r = block.at(rates, t, n);
        step.g = block.at(dr, t, n);
        step.delta = block.at(delta, t, n);
        table<T>().rnn.ctrnn_step_backward(step);
        block.clear_rest(delta, t, n);
    }
    if (dstart == nullptr) return;

    // r_0 is what the recurrent product of step 1 read; start went along the leak as well.
    T* d = block.at(dstart, 0, n);
    if (keeps_current(s.convention)) {
        if (s.steps > 0) {
            w_transposed.multiply(block.rows(), block.at(delta, 0, n), kappa, T{1}, T{0}, q);
        }
        step.rows = block.rows();
        step.q = s.steps > 0 ? q : nullptr;
        step.g = nullptr;
        step.r = block.at(r0, 0, n);
        step.delta = d;
        table<T>().rnn.ctrnn_step_backward(step);
    } else {
        std::copy_n(carry, count, d);
        if (s.steps > 0) {
            w_transposed.multiply(block.rows(), block.at(delta, 0, n), kappa, ctrnn_gain(s),
                                  step.leak, d);
        }
    }
}

template <class T>
void check(const CtrnnSequence<T>& s) {
    SOMA_CHECK(s.steps >= 0 && s.batch >= 0 && s.units >= 1 && s.inputs >= 0 && s.rank >= 0,
               "ctrnn: steps, batch, units, inputs, rank are ", s.steps, ", ", s.batch, ", ",
               s.units, ", ", s.inputs, ", ", s.rank, "; need sizes of at least 0 and one unit");
    SOMA_CHECK(s.alpha > 0 && s.alpha <= 1, "ctrnn: alpha = dt / tau is ", s.alpha,
               "; need 0 < alpha <= 1");
    SOMA_CHECK(s.noise.sigma >= 0 && (s.noise.sigma == 0 || s.noise.trials != nullptr),
               "ctrnn: sigma is ", s.noise.sigma, "; need sigma >= 0, and trial ids with noise");
}

}  // namespace

template <class T>
void ctrnn_forward(const CtrnnSequence<T>& s, const T* start, T* r0, T* r, T* drive, T* kappa,
                   T* last) {
    check(s);
    const Recurrent<T> w(s, Op::N);
    const PackedB<T> w_in = s.inputs > kFewInputs
                                ? PackedB<T>(Op::N, s.inputs, s.units, s.w_in, s.units)
                                : PackedB<T>();
    for_trials(s.batch, flop_of_a_trial(s), [&](Index begin, Index end) {
        forward_block<T>({s, begin, end}, w, w_in, start, {r0, r, drive, kappa, last});
    });
}

template <class T>
void ctrnn_backward(const CtrnnSequence<T>& s, const T* r0, const T* r, const T* drive, const T* dr,
                    T* delta, T* dstart) {
    check(s);
    const Recurrent<T> w_transposed(s, Op::T);
    for_trials(s.batch, flop_of_a_trial(s), [&](Index begin, Index end) {
        backward_block<T>({s, begin, end}, w_transposed, r0, r, drive, dr, delta, dstart);
    });
}

#define SOMA_INSTANTIATE(T)                                                                       \
    template void ctrnn_forward(const CtrnnSequence<T>&, const T*, T*, T*, T*, T*, T*);           \
    template void ctrnn_backward(const CtrnnSequence<T>&, const T*, const T*, const T*, const T*, \
                                 T*, T*)
SOMA_INSTANTIATE(float);
SOMA_INSTANTIATE(double);
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
