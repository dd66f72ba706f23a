// Gated sequences: the determinism of kernels/gated.h. The formulas themselves, with their
// gradients, are rows of the op table (cases_gated.cpp).

#include "soma/kernels/gated.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/random.h"
#include "support/every_isa.h"

namespace soma::kernels {
namespace {

using Floats = std::vector<float>;

constexpr GatedCell kCells[] = {GatedCell::lstm, GatedCell::gru_reset_after,
                                GatedCell::gru_reset_before, GatedCell::ugrnn};

Floats normals(Index n, std::uint32_t tag, double sd = 1) {
    Floats x(static_cast<std::size_t>(n));
    random_normal<float>(PhiloxKey{tag, 1}, {}, n, 0, static_cast<float>(sd), x.data());
    return x;
}

// A net with its inputs, and what a forward and a backward pass give.
struct Net {
    GatedSequence<float> s;
    Floats u, w_in, w_rec, bias, bias_rec, peephole, h0, c0, dh, dc;
    Floats h, inner, gates, h_last, c_last, delta, dh0, dc0;

    Net(GatedCell cell, Index steps, Index batch, Index units, Index inputs) {
        const Index width = gates_of(cell) * units;
        w_rec = normals(units * width, 1, 1 / std::sqrt(static_cast<double>(units)));
        w_in = normals(inputs * width, 2);
        bias = normals(width, 3, 0.25);
        bias_rec = normals(units, 4, 0.25);
        peephole = normals(3 * units, 5, 0.25);
        u = normals(steps * batch * inputs, 6);
        h0 = normals(batch * units, 7);
        c0 = normals(batch * units, 8);
        dh = normals(steps * batch * units, 9);
        dc = normals(steps * batch * units, 10);
        s = {.cell = cell, .steps = steps, .batch = batch, .units = units, .inputs = inputs};
    }

    bool is_lstm() const { return s.cell == GatedCell::lstm; }

    void run() {
        s.u = u.data();
        s.w_in = w_in.data();
        s.w_rec = w_rec.data();
        s.bias = bias.data();
        s.bias_rec = s.cell == GatedCell::gru_reset_after ? bias_rec.data() : nullptr;
        s.peephole = is_lstm() ? peephole.data() : nullptr;
        s.h0 = h0.data();
        s.c0 = is_lstm() ? c0.data() : nullptr;
        const auto state = static_cast<std::size_t>(s.batch * s.units);
        const auto all = static_cast<std::size_t>(s.steps) * state;
        for (auto* v : {&h_last, &c_last, &dh0, &dc0}) v->assign(state, -7);
        for (auto* v : {&h, &inner}) v->assign(all, -7);
        gates.assign(all * static_cast<std::size_t>(gates_of(s.cell)), -7);
        delta.assign(all * static_cast<std::size_t>(deltas_of(s.cell)), -7);
        gated_forward(s, h.data(), inner.data(), gates.data(), h_last.data(),
                      is_lstm() ? c_last.data() : nullptr);
        gated_backward(s, h.data(), inner.data(), gates.data(), dh.data(),
                       is_lstm() ? dc.data() : nullptr, delta.data(), dh0.data(), dc0.data());
    }
};

// The first `steps` steps of trial b of a [T, B, width] sequence.
Floats trial_of(const Floats& x, Index steps, Index batch, Index b, Index width) {
    Floats y;
    for (Index t = 0; t < steps; ++t) {
        const auto from = x.begin() + (t * batch + b) * width;
        y.insert(y.end(), from, from + width);
    }
    return y;
}

// Trial b of `all`, cut to the steps of `one`.
void copy_trial(const Net& all, Index b, Net& one) {
    const Index batch = all.s.batch, steps = one.s.steps, n = one.s.units;
    one.u = trial_of(all.u, steps, batch, b, one.s.inputs);
    one.dh = trial_of(all.dh, steps, batch, b, n);
    one.dc = trial_of(all.dc, steps, batch, b, n);
    one.h0 = trial_of(all.h0, 1, batch, b, n);
    one.c0 = trial_of(all.c0, 1, batch, b, n);
}

void expect_same_trial(const Net& all, Index b, const Net& one) {
    const Index batch = all.s.batch, steps = one.s.steps, n = one.s.units;
    EXPECT_EQ(trial_of(all.h, steps, batch, b, n), one.h);
    EXPECT_EQ(trial_of(all.delta, steps, batch, b, deltas_of(one.s.cell) * n), one.delta);
    EXPECT_EQ(trial_of(all.h_last, 1, batch, b, n), one.h_last);
    EXPECT_EQ(trial_of(all.dh0, 1, batch, b, n), one.dh0);
    EXPECT_EQ(trial_of(all.c_last, 1, batch, b, n), one.c_last);
    EXPECT_EQ(trial_of(all.dc0, 1, batch, b, n), one.dc0);
}

TEST(Gated, ATrialHasTheSameBitsAloneInABatchAndOnAnyThread) {
    for (const GatedCell cell : kCells) {
        Net all(cell, 9, 33, 40, 3);
        set_num_threads(2);
        all.run();
        set_num_threads(1);

        for (const Index b : {Index{0}, Index{20}, Index{32}}) {
            Net one(cell, 9, 1, 40, 3);
            copy_trial(all, b, one);
            one.run();
            expect_same_trial(all, b, one);
        }
    }
}

TEST(Gated, PaddedTrialsAreShortTrials) {
    const std::vector<Index> active{3, 3, 1, 1, 1, 0};  // lengths 5, 2, 2
    for (const GatedCell cell : kCells) {
        Net padded(cell, 6, 3, 20, 2), shorter(cell, 2, 1, 20, 2);
        padded.s.active = active.data();
        padded.run();
        copy_trial(padded, 2, shorter);
        shorter.run();

        expect_same_trial(padded, 2, shorter);
        for (Index t = 2; t < 6; ++t) {
            const Index row = t * 3 + 2, width = deltas_of(cell) * 20;
            for (Index i = 0; i < 20; ++i) {
                ASSERT_EQ(padded.h[static_cast<std::size_t>(row * 20 + i)], 0);
                if (cell != GatedCell::ugrnn) {
                    ASSERT_EQ(padded.inner[static_cast<std::size_t>(row * 20 + i)], 0);
                }
            }
            for (Index i = 0; i < width; ++i) {
                ASSERT_EQ(padded.delta[static_cast<std::size_t>(row * width + i)], 0);
            }
        }
    }
}

TEST(Gated, AContinuationIsTheRestOfTheSequence) {
    const Index batch = 4, n = 24, inputs = 2, cut = 3;
    for (const GatedCell cell : kCells) {
        Net whole(cell, 8, batch, n, inputs), first(cell, cut, batch, n, inputs),
            second(cell, 5, batch, n, inputs);
        whole.run();
        first.u.assign(whole.u.begin(), whole.u.begin() + cut * batch * inputs);
        first.run();
        second.u.assign(whole.u.begin() + cut * batch * inputs, whole.u.end());
        second.h0 = first.h_last;
        second.c0 = first.c_last;
        second.run();

        EXPECT_EQ(second.h, Floats(whole.h.begin() + cut * batch * n, whole.h.end()));
        EXPECT_EQ(second.h_last, whole.h_last);
        EXPECT_EQ(second.c_last, whole.c_last);
    }
}

TEST(Gated, EvaluationWithoutMemoryHasTheSameBits) {
    for (const GatedCell cell : kCells) {
        Net net(cell, 5, 3, 20, 2);
        net.run();
        Floats h(net.h.size(), -7);

        gated_forward<float>(net.s, h.data(), nullptr, nullptr, nullptr, nullptr);

        EXPECT_EQ(h, net.h);
    }
}

// One step by products and functions on their own.
class Unfused {
public:
    explicit Unfused(const Net& net)
        : net_(net),
          a_(product(net.u, net.w_in, net.s.inputs, net.bias.data())),
          z_(product(net.h0, net.w_rec, net.s.units, nullptr)) {}

    Floats h() const {
        Floats h;
        for (Index row = 0; row < net_.s.batch; ++row) {
            for (Index unit = 0; unit < net_.s.units; ++unit) h.push_back(element(row, unit));
        }
        return h;
    }

private:
    Floats product(const Floats& x, const Floats& w, Index k, const float* bias) const {
        const Index width = gates_of(net_.s.cell) * net_.s.units, rows = net_.s.batch;
        Floats y(static_cast<std::size_t>(rows * width));
        gemm<float>({.m = rows,
                     .n = width,
                     .k = k,
                     .a = x.data(),
                     .lda = k,
                     .b = w.data(),
                     .ldb = width,
                     .c = y.data(),
                     .ldc = width,
                     .epilogue = {.bias = bias}});
        return y;
    }

    static float rate(Nonlinearity f, float x) {
        table<float>().rnn.rate(f, 1, &x, &x);
        return x;
    }
    static float sigmoid(float x) { return rate(Nonlinearity::sigmoid, x); }
    static float tanh(float x) { return rate(Nonlinearity::tanh, x); }

    std::size_t gate(Index row, Index k, Index unit) const {
        return static_cast<std::size_t>((row * gates_of(net_.s.cell) + k) * net_.s.units + unit);
    }
    // Recurrent and input part together.
    float argument(Index row, Index k, Index unit) const {
        return z_[gate(row, k, unit)] + a_[gate(row, k, unit)];
    }
    float reset_candidate(Index row, Index unit) const {
        Floats rh;
        for (Index i = 0; i < net_.s.units; ++i) {
            rh.push_back(sigmoid(argument(row, 0, i)) *
                         net_.h0[static_cast<std::size_t>(row * net_.s.units + i)]);
        }
        float z = 0;
        for (Index i = 0; i < net_.s.units; ++i) {
            z = std::fma(rh[static_cast<std::size_t>(i)], net_.w_rec[gate(i, 2, unit)], z);
        }
        return z + a_[gate(row, 2, unit)];
    }

    float element(Index row, Index unit) const {
        const auto u = static_cast<std::size_t>(unit);
        const auto n = static_cast<std::size_t>(net_.s.units);
        const float before = net_.h0[static_cast<std::size_t>(row) * n + u];
        const auto leaky = [&](float z, float c) { return std::fma(z, before - c, c); };
        switch (net_.s.cell) {
            case GatedCell::lstm: {
                const auto peep = [&](std::size_t k, float c, float x) {
                    return sigmoid(std::fma(net_.peephole[k * n + u], c, x));
                };
                const float c0 = net_.c0[static_cast<std::size_t>(row) * n + u];
                const float in = peep(0, c0, argument(row, 0, unit));
                const float forget = peep(1, c0, argument(row, 1, unit));
                const float c = std::fma(forget, c0, in * tanh(argument(row, 2, unit)));
                return peep(2, c, argument(row, 3, unit)) * tanh(c);
            }
            case GatedCell::gru_reset_after: {
                const float m = z_[gate(row, 2, unit)] + net_.bias_rec[u];
                const float r = sigmoid(argument(row, 0, unit));
                const float candidate = tanh(std::fma(r, m, a_[gate(row, 2, unit)]));
                return leaky(sigmoid(argument(row, 1, unit)), candidate);
            }
            case GatedCell::gru_reset_before:
                return leaky(sigmoid(argument(row, 1, unit)), tanh(reset_candidate(row, unit)));
            case GatedCell::ugrnn:
                return leaky(sigmoid(argument(row, 1, unit)), tanh(argument(row, 0, unit)));
        }
        return 0;
    }

    const Net& net_;
    Floats a_, z_;
};

TEST(Gated, OneStepIsTheUnfusedFormulaBitForBit) {
    test::on_every_isa([] {
        for (const GatedCell cell : kCells) {
            Net net(cell, 1, 5, 37, 3);
            net.run();
            EXPECT_EQ(net.h, Unfused(net).h());
        }
    });
}

TEST(Gated, RefusesNegativeSizes) {
    Net net(GatedCell::lstm, 1, 1, 2, 1);
    net.s.batch = -1;
    EXPECT_THROW(gated_forward<float>(net.s, nullptr, nullptr, nullptr, nullptr, nullptr), Error);
}

}  // namespace
}  // namespace soma::kernels
