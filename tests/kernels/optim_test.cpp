// Optimizer updates against the formulas of table/optim.h, written once more element by element:
// the bits must be equal.

#include "soma/kernels/optim.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/every_isa.h"

namespace soma::kernels {
namespace {

using test::on_every_isa;
using test::uniform;

constexpr Index kCount = 37;  // two vectors and a masked tail on every ISA

template <class T>
struct State {
    std::vector<T> g = uniform<T>(kCount, 1), w = uniform<T>(kCount, 2);
    std::vector<T> a = uniform<T>(kCount, 3, 0.1f, 1), b = uniform<T>(kCount, 4, 0.1f, 1);
};

// update(state) by the library against rule(g, w, a, b) on every element.
template <class T, class Update, class Rule>
void expect_rule(T scale, T decay, Update&& update, Rule&& rule) {
    State<T> expected;
    for (std::size_t i = 0; i < kCount; ++i) {
        const T g = std::fma(decay, expected.w[i], scale * expected.g[i]);
        rule(g, expected.w[i], expected.a[i], expected.b[i]);
    }
    on_every_isa([&] {
        State<T> actual;
        update(actual);
        EXPECT_EQ(actual.w, expected.w);
        EXPECT_EQ(actual.a, expected.a);
        EXPECT_EQ(actual.b, expected.b);
    });
}

template <class T>
class Optim : public testing::Test {
protected:
    static constexpr T rate = T(0.05), scale = T(0.5), decay = T(0.001), mu = T(0.9);
    static constexpr T rho = T(0.95), rest = T(0.05), eps = T(1e-4);
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Optim, Types);

TYPED_TEST(Optim, Sgd) {
    using T = TypeParam;
    const SgdStep<T> s{this->rate, this->scale, this->decay};
    expect_rule(
        s.scale, s.decay, [&](State<T>& x) { update_sgd(s, kCount, x.g.data(), x.w.data()); },
        [&](T g, T& w, T&, T&) { w = std::fma(-s.rate, g, w); });
}

TYPED_TEST(Optim, MomentumInItsThreeForms) {
    using T = TypeParam;
    for (const MomentumForm form :
         {MomentumForm::classic, MomentumForm::nesterov, MomentumForm::alexnet}) {
        const MomentumStep<T> s{this->rate, this->scale, this->decay, this->mu, form};
        expect_rule(
            s.scale, s.decay,
            [&](State<T>& x) { update_momentum(s, kCount, x.g.data(), x.w.data(), x.a.data()); },
            [&](T g, T& w, T& v, T&) {
                if (form == MomentumForm::alexnet) {
                    v = std::fma(s.mu, v, -(s.rate * g));
                    w = w + v;
                    return;
                }
                v = std::fma(s.mu, v, g);
                w = std::fma(-s.rate, form == MomentumForm::classic ? v : std::fma(s.mu, v, g), w);
            });
    }
}

TYPED_TEST(Optim, Rmsprop) {
    using T = TypeParam;
    const RmspropStep<T> s{this->rate, this->scale, this->decay, this->rho, this->rest, this->eps};
    expect_rule(
        s.scale, s.decay,
        [&](State<T>& x) { update_rmsprop(s, kCount, x.g.data(), x.w.data(), x.a.data()); },
        [&](T g, T& w, T& square, T&) {
            square = std::fma(s.rho, square, s.one_minus_rho * (g * g));
            w = std::fma(-s.rate, g / (std::sqrt(square) + s.eps), w);
        });
}

TYPED_TEST(Optim, Adadelta) {
    using T = TypeParam;
    const AdadeltaStep<T> s{this->rate, this->scale, this->decay, this->rho, this->rest, this->eps};
    expect_rule(
        s.scale, s.decay,
        [&](State<T>& x) {
            update_adadelta(s, kCount, x.g.data(), x.w.data(), x.a.data(), x.b.data());
        },
        [&](T g, T& w, T& square, T& change) {
            square = std::fma(s.rho, square, s.one_minus_rho * (g * g));
            const T d = std::sqrt(change + s.eps) / std::sqrt(square + s.eps) * g;
            change = std::fma(s.rho, change, s.one_minus_rho * (d * d));
            w = std::fma(-s.rate, d, w);
        });
}

TYPED_TEST(Optim, AdamWithDecoupledDecay) {
    using T = TypeParam;
    const AdamStep<T> s{this->rate, this->scale, this->decay, T(0.9),  T(0.1),
                        T(0.999),   T(0.001),    T(1.5),      T(1e-8), T(0.01)};
    expect_rule(
        s.scale, s.decay,
        [&](State<T>& x) {
            update_adam(s, kCount, x.g.data(), x.w.data(), x.a.data(), x.b.data());
        },
        [&](T g, T& w, T& m, T& v) {
            m = std::fma(s.beta1, m, s.one_minus_beta1 * g);
            v = std::fma(s.beta2, v, s.one_minus_beta2 * (g * g));
            w = std::fma(-s.shrink, w, w);
            w = std::fma(-s.rate, m / std::fma(std::sqrt(v), s.root, s.eps), w);
        });
}

TYPED_TEST(Optim, PerWeightStepSizes) {
    using T = TypeParam;
    const SgdStep<T> s{this->rate, this->scale, this->decay};
    expect_rule(
        s.scale, s.decay,
        [&](State<T>& x) { update_per_weight(s, kCount, x.a.data(), x.g.data(), x.w.data()); },
        [&](T g, T& w, T& eta, T&) { w = std::fma(-(s.rate * eta), g, w); });
}

TYPED_TEST(Optim, Ema) {
    using T = TypeParam;
    expect_rule(
        T{1}, T{0}, [&](State<T>& x) { update_ema(kCount, this->rest, x.w.data(), x.a.data()); },
        [&](T, T& w, T& average, T&) { average = std::fma(this->rest, w - average, average); });
}

}  // namespace
}  // namespace soma::kernels
