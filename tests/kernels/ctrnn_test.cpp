// Recurrent sequences: the facts of neuro.md 2.5 and the determinism of kernels/ctrnn.h. The
// formulas themselves, with their gradients, are rows of the op table (cases_ctrnn.cpp).

#include "soma/kernels/ctrnn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/random.h"
#include "support/every_isa.h"

namespace soma::kernels {
namespace {

template <class T>
std::vector<T> normals(Index n, std::uint32_t tag, double sd = 1) {
    std::vector<T> x(static_cast<std::size_t>(n));
    random_normal<T>(PhiloxKey{tag, 1}, {}, n, T{0}, static_cast<T>(sd), x.data());
    return x;
}

// A net with its inputs, and what a forward and a backward pass give.
template <class T>
struct Net {
    CtrnnSequence<T> s;
    std::vector<T> w_rec, m, n, w_in, bias, u, start, dr;
    std::vector<std::uint32_t> trials;
    std::vector<T> r0, r, drive, kappa, last, delta, dstart;

    Net(Index steps, Index batch, Index units, Index inputs, Index rank = 0) {
        w_rec = normals<T>(units * units, 1, 1 / std::sqrt(static_cast<double>(units)));
        w_in = normals<T>(inputs * units, 2);
        bias = normals<T>(units, 3, 0.25);
        u = normals<T>(steps * batch * inputs, 4);
        start = normals<T>(batch * units, 5);
        dr = normals<T>(steps * batch * units, 6);
        trials.resize(static_cast<std::size_t>(batch));
        std::iota(trials.begin(), trials.end(), 100u);
        s.alpha = 0.25;
        s.steps = steps;
        s.batch = batch;
        s.units = units;
        s.inputs = inputs;
        s.rank = rank;
        if (rank > 0) {
            m = normals<T>(units * rank, 7);
            n = normals<T>(units * rank, 8);
        }
    }

    void run() {
        s.w_rec = w_rec.data();
        s.m = m.data();
        s.n = n.data();
        s.w_in = w_in.data();
        s.bias = bias.data();
        s.u = u.data();
        s.noise.trials = trials.data();
        const auto state = static_cast<std::size_t>(s.batch * s.units);
        const auto all = static_cast<std::size_t>(s.steps) * state;
        for (auto* v : {&r0, &last, &dstart}) v->assign(state, T(-7));
        for (auto* v : {&r, &drive, &delta}) v->assign(all, T(-7));
        kappa.assign(static_cast<std::size_t>(s.steps * s.batch * s.rank), T(-7));
        ctrnn_forward(s, start.data(), r0.data(), r.data(), drive.data(),
                      s.rank > 0 ? kappa.data() : nullptr, last.data());
        ctrnn_backward(s, r0.data(), r.data(), drive.data(), dr.data(), delta.data(),
                       dstart.data());
    }
};

constexpr Convention kConventions[] = {Convention::current, Convention::current_sde,
                                       Convention::rate, Convention::rectified_leak};

// Column b of a [T, B, width] sequence.
template <class T>
std::vector<T> trial_of(const std::vector<T>& x, Index steps, Index batch, Index b, Index width) {
    std::vector<T> y;
    for (Index t = 0; t < steps; ++t) {
        const auto from = x.begin() + (t * batch + b) * width;
        y.insert(y.end(), from, from + width);
    }
    return y;
}

TEST(Ctrnn, OneStepIsTheUnfusedFormulaBitForBit) {
    test::on_every_isa([] {
        for (const Index inputs : {Index{3}, Index{9}}) {  // in the step, and a product of its own
            Net<float> net(1, 5, 37, inputs);
            net.s.noise.sigma = 0.5;
            net.run();

            const Index rows = 5, n = 37;
            std::vector<float> r0(185), p(185), a(185), xi(185), x = net.start, expected(185);
            const auto& kernels = table<float>();
            kernels.rnn.rate(Nonlinearity::tanh, 185, x.data(), r0.data());
            gemm<float>({.m = rows,
                         .n = n,
                         .k = n,
                         .a = r0.data(),
                         .lda = n,
                         .b = net.w_rec.data(),
                         .ldb = n,
                         .c = p.data(),
                         .ldc = n});
            gemm<float>({.m = rows,
                         .n = n,
                         .k = inputs,
                         .a = net.u.data(),
                         .lda = inputs,
                         .b = net.w_in.data(),
                         .ldb = n,
                         .c = a.data(),
                         .ldc = n,
                         .epilogue = {.bias = net.bias.data()}});
            random_normal_rows<float>(net.s.noise.key, {}, net.trials, n, 0, 1, xi.data(), n);
            for (std::size_t i = 0; i < x.size(); ++i) {
                x[i] = std::fma(0.5f, xi[i], std::fma(0.25f, p[i] + a[i], 0.75f * x[i]));
            }
            kernels.rnn.rate(Nonlinearity::tanh, 185, x.data(), expected.data());

            EXPECT_EQ(net.r, expected);
            EXPECT_EQ(net.last, x);
        }
    });
}

TEST(Ctrnn, ATrialHasTheSameBitsAloneInABatchAndOnAnyThread) {
    for (const Convention convention : kConventions) {
        Net<float> all(9, 33, 40, 3);
        all.s.convention = convention;
        all.s.noise = {.sigma = 0.3, .key = {1, 2}, .first_step = 5, .visit = 4};
        set_num_threads(2);
        all.run();
        set_num_threads(1);

        for (const Index b : {Index{0}, Index{20}, Index{32}}) {
            Net<float> one(9, 1, 40, 3);
            one.s.convention = convention;
            one.s.noise = all.s.noise;
            one.trials = {all.trials[static_cast<std::size_t>(b)]};
            one.u = trial_of(all.u, 9, 33, b, 3);
            one.dr = trial_of(all.dr, 9, 33, b, 40);
            one.start.assign(all.start.begin() + b * 40, all.start.begin() + (b + 1) * 40);
            one.run();

            EXPECT_EQ(one.r, trial_of(all.r, 9, 33, b, 40));
            EXPECT_EQ(one.delta, trial_of(all.delta, 9, 33, b, 40));
            EXPECT_EQ(one.dstart, trial_of(all.dstart, 1, 33, b, 40));
        }
    }
}

TEST(Ctrnn, PaddedTrialsAreShortTrials) {
    for (const Convention convention : kConventions) {
        Net<float> padded(6, 3, 20, 2), shorter(2, 1, 20, 2);
        const std::vector<Index> active{3, 3, 1, 1, 1, 0};  // lengths 5, 2, 2
        padded.s.active = active.data();
        padded.s.convention = shorter.s.convention = convention;
        padded.s.noise = shorter.s.noise = {.sigma = 0.3};
        padded.run();
        shorter.trials = {padded.trials[2]};
        const auto first_two = [](const std::vector<float>& x, Index width) {
            return trial_of(x, 2, 3, 2, width);
        };
        shorter.u = first_two(padded.u, 2);
        shorter.dr = first_two(padded.dr, 20);
        shorter.start.assign(padded.start.begin() + 40, padded.start.end());
        shorter.run();

        EXPECT_EQ(first_two(padded.r, 20), shorter.r);
        EXPECT_EQ(first_two(padded.delta, 20), shorter.delta);
        EXPECT_EQ(trial_of(padded.last, 1, 3, 2, 20), shorter.last);
        EXPECT_EQ(trial_of(padded.dstart, 1, 3, 2, 20), shorter.dstart);
        for (Index t = 2; t < 6; ++t) {
            for (Index i = 0; i < 20; ++i) {
                const auto at = static_cast<std::size_t>((t * 3 + 2) * 20 + i);
                ASSERT_EQ(padded.r[at], 0);
                ASSERT_EQ(padded.delta[at], 0);
            }
        }
    }
}

TEST(Ctrnn, AContinuationIsTheRestOfTheSequence) {
    for (const Convention convention : kConventions) {
        Net<float> whole(8, 4, 24, 2), first(3, 4, 24, 2), second(5, 4, 24, 2);
        for (auto* net : {&whole, &first, &second}) {
            net->s.convention = convention;
            net->s.noise = {.sigma = 0.3};
        }
        whole.run();
        first.u.assign(whole.u.begin(), whole.u.begin() + 3 * 4 * 2);
        first.run();
        second.u.assign(whole.u.begin() + 3 * 4 * 2, whole.u.end());
        second.start = first.last;
        second.s.noise.first_step = 3;
        second.run();

        EXPECT_EQ(second.r, std::vector<float>(whole.r.begin() + 3 * 4 * 24, whole.r.end()));
        EXPECT_EQ(second.last, whole.last);
    }
}

TEST(Ctrnn, NoiseBelongsToTheVisit) {
    Net<float> first(5, 3, 20, 2), again(5, 3, 20, 2), later(5, 3, 20, 2);
    for (auto* net : {&first, &again, &later}) net->s.noise.sigma = 0.1;
    later.s.noise.visit = 1;
    for (auto* net : {&first, &again, &later}) net->run();

    EXPECT_EQ(first.r, again.r);
    EXPECT_NE(first.r, later.r);
}

TEST(Ctrnn, F64SeesTheNoiseOfF32) {
    Net<float> narrow(20, 3, 20, 2);
    Net<double> wide(20, 3, 20, 2);
    narrow.s.noise.sigma = wide.s.noise.sigma = 0.1;
    narrow.run();
    wide.run();

    // The net contracts: an error of a few u a step stays of that size.
    for (std::size_t i = 0; i < narrow.r.size(); ++i) ASSERT_NEAR(narrow.r[i], wide.r[i], 1e-5);
}

TEST(Ctrnn, LowRankIsTheDenseProduct) {
    for (const Convention convention : kConventions) {
        Net<double> low(7, 5, 30, 2, 3), dense(7, 5, 30, 2);
        low.s.convention = dense.s.convention = convention;
        for (Index i = 0; i < 30; ++i) {
            for (Index j = 0; j < 30; ++j) {
                double sum = 0;
                for (Index k = 0; k < 3; ++k) {
                    sum += low.n[static_cast<std::size_t>(i * 3 + k)] *
                           low.m[static_cast<std::size_t>(j * 3 + k)];
                }
                dense.w_rec[static_cast<std::size_t>(i * 30 + j)] = sum / 30;
            }
        }
        low.run();
        dense.run();

        for (std::size_t i = 0; i < low.r.size(); ++i) {
            ASSERT_NEAR(low.r[i], dense.r[i], 1e-12);
            ASSERT_NEAR(low.delta[i], dense.delta[i], 1e-12 * (1 + std::abs(dense.delta[i])));
        }
    }
}

// Without weights and input a unit is an AR(1) process: its variance is known. Its estimate from M
// independent units has a standard error of variance sqrt(2 / M).
TEST(Ctrnn, StationaryVarianceIsThatOfEachConvention) {
    const double alpha = 0.2, sigma = 0.5, sde = 2 * sigma * sigma / (2 - alpha);
    const std::pair<Convention, double> cases[] = {
        {Convention::current, sigma * sigma / (alpha * (2 - alpha))},
        {Convention::current_sde, sde}};
    for (const auto& [convention, variance] : cases) {
        const Index units = 4096, steps = 60;  // 0.8^120 of the start is left
        Net<float> net(steps, units / 16, 16, 1);
        net.s.convention = convention;
        net.s.alpha = alpha;
        net.s.noise.sigma = sigma;
        for (auto* v : {&net.w_rec, &net.w_in, &net.bias, &net.start}) v->assign(v->size(), 0);
        net.run();

        double square = 0;
        for (const float x : net.last) square += static_cast<double>(x) * x;
        const double standard_error = variance * std::sqrt(2.0 / static_cast<double>(units));
        EXPECT_NEAR(square / static_cast<double>(units), variance, 4 * standard_error);
    }
}

// x = W r + B u + b obeys `current` when r obeys `rate` and the input is constant.
TEST(Ctrnn, CurrentAndRateAreTheSameSystemForConstantInput) {
    const Index n = 12, steps = 30;
    Net<double> rate(steps, 1, n, 2), current(steps, 1, n, 2);
    rate.s.convention = Convention::rate;
    const auto drive_of = [&](const double* r) {
        std::vector<double> x = rate.bias;
        for (Index j = 0; j < n; ++j) {
            auto& sum = x[static_cast<std::size_t>(j)];
            for (Index k = 0; k < 2; ++k) {
                sum += rate.u[static_cast<std::size_t>(k)] *
                       rate.w_in[static_cast<std::size_t>(k * n + j)];
            }
            for (Index i = 0; i < n; ++i) {
                sum += r[i] * rate.w_rec[static_cast<std::size_t>(i * n + j)];
            }
        }
        return x;
    };
    for (Index t = 1; t < steps; ++t) {
        std::copy_n(rate.u.begin(), 2, rate.u.begin() + 2 * t);
    }
    current.u = rate.u;
    current.start = drive_of(rate.start.data());
    rate.run();
    current.run();

    const std::vector<double> x = drive_of(&rate.r[static_cast<std::size_t>((steps - 1) * n)]);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], current.last[i], 1e-12);
}

// The error of explicit Euler against a fine solution halves with dt.
TEST(Ctrnn, HalvingTheStepHalvesTheError) {
    const Index n = 10;
    const auto end_of = [&](Index steps) {
        Net<double> net(steps, 1, n, 1);
        net.s.alpha = 2.0 / static_cast<double>(steps);  // two time constants
        net.u.assign(net.u.size(), 0.5);
        net.run();
        return net.last;
    };
    const std::vector<double> exact = end_of(1 << 15), coarse = end_of(64), fine = end_of(128);
    double coarse_error = 0, fine_error = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        coarse_error += std::abs(coarse[i] - exact[i]);
        fine_error += std::abs(fine[i] - exact[i]);
    }

    EXPECT_NEAR(coarse_error / fine_error, 2, 0.1);  // O(dt): the next term is about 1 / 64
}

TEST(Ctrnn, RefusesStepsLongerThanTheTimeConstant) {
    Net<float> net(1, 1, 2, 1);
    net.s.alpha = 1.5;
    EXPECT_THROW(net.run(), Error);
}

}  // namespace
}  // namespace soma::kernels
