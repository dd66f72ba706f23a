// Softmax family against kernels/ref/softmax.h on every ISA of this machine, f32 and f64.
//
// Bounds, with z = x - max, |z| <= R, u the unit roundoff and d = ceil(C / 16) + 3 additions in the
// longest path of a LANES16 sum (kernels.md 6.2). The rounding of z costs R u in its exponential,
// exp 2 u (1 ULP), so e is off by (R + 2) u and a sum s of positive e by (R + 2 + d) u, relatively.
//     softmax       two exponentials, a sum, a division, a product:   (2 R + 6 + d) u   relatively
//     log softmax   log s off by (R + 2 + d) u + 4 u log s, z and the difference rounded:
//                   (R + 2 + d + 4 log C + R + |y|) u                 absolutely
// A factor 1 + 1e-3 stands for the terms of order u^2.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/ref/softmax.h"
#include "soma/core/parallel.h"
#include "soma/core/rng.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/softmax.h"
#include "support/guarded.h"

namespace soma::kernels {
namespace {

constexpr double kRange = 8;  // inputs lie in [-kRange, kRange), so R = 2 kRange
constexpr double kSlack = 1.001;

template <class T>
class Softmax : public testing::Test {
protected:
    void TearDown() override {
        use(available().back()->isa);
        set_num_threads(threads_);
    }
    static constexpr double kUnit = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;

private:
    int threads_ = num_threads();
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Softmax, Types);

template <class T>
std::vector<T> uniform(Index n, double low, double high, std::uint32_t tag) {
    RandomSequence random(make_key(1, Purpose::analysis_seeds, 0, tag));
    std::vector<T> x;
    for (Index i = 0; i < n; ++i) {
        x.push_back(
            static_cast<T>(random.uniform(static_cast<float>(low), static_cast<float>(high))));
    }
    return x;
}

double path(Index cols) { return static_cast<double>(ceil_div(cols, 16) + 3); }

// Widths around the lane count, a prime and one longer than several vectors.
const Index kWidths[] = {1, 2, 3, 7, 8, 10, 15, 16, 17, 31, 32, 33, 64, 127, 1000};
constexpr Index kRows = 9;

template <class T, class Body>
void on_every_isa(Body&& body) {
    for (const auto* isa : available()) {
        use(isa->isa);
        SCOPED_TRACE(isa->isa);
        body();
    }
}

TYPED_TEST(Softmax, MatchesTheReference) {
    using T = TypeParam;
    for (const Index cols : kWidths) {
        const auto x = uniform<T>(kRows * cols, -kRange, kRange, 1);
        std::vector<double> expected(x.size()), expected_log(x.size());
        ref::softmax(kRows, cols, x.data(), expected.data());
        ref::log_softmax(kRows, cols, x.data(), expected_log.data());
        on_every_isa<T>([&] {
            std::vector<T> y(x.size()), log_y(x.size());

            softmax(kRows, cols, x.data(), y.data());
            log_softmax(kRows, cols, x.data(), log_y.data());

            const double relative = (4 * kRange + 6 + path(cols)) * this->kUnit * kSlack;
            const double absolute =
                (4 * kRange + 2 + path(cols) + 4 * std::log(static_cast<double>(cols)) +
                 2 * kRange + std::log(static_cast<double>(cols))) *
                this->kUnit * kSlack;
            for (std::size_t i = 0; i < x.size(); ++i) {
                ASSERT_NEAR(y[i], expected[i], relative * expected[i]) << cols << " " << i;
                ASSERT_NEAR(log_y[i], expected_log[i], absolute) << cols << " " << i;
            }
        });
    }
}

// dx = y (dy - dot): dot has d + 1 roundings of terms y |dy| that sum to at most 1 here; then a
// difference of size 2 and a product are rounded.
TYPED_TEST(Softmax, BackwardMatchesTheReferenceAndAccumulates) {
    using T = TypeParam;
    for (const Index cols : kWidths) {
        std::vector<T> y(static_cast<std::size_t>(kRows * cols));
        const auto x = uniform<T>(kRows * cols, -2, 2, 1);
        softmax(kRows, cols, x.data(), y.data());
        const auto dy = uniform<T>(kRows * cols, -1, 1, 2);
        std::vector<double> expected(x.size());
        ref::softmax_backward(kRows, cols, y.data(), dy.data(), expected.data());
        on_every_isa<T>([&] {
            std::vector<T> dx(x.size(), T{1});

            softmax_backward(kRows, cols, y.data(), dy.data(), false, dx.data());
            const std::vector<T> first = dx;
            softmax_backward(kRows, cols, y.data(), dy.data(), true, dx.data());

            const double bound = (path(cols) + 5) * this->kUnit * kSlack;
            for (std::size_t i = 0; i < x.size(); ++i) {
                ASSERT_NEAR(first[i], expected[i], bound * y[i]) << cols << " " << i;
                ASSERT_EQ(dx[i], first[i] + first[i]);
            }
        });
    }
}

// dx = dy - exp(y) sum: the sum has d roundings of terms up to 1, so it is off by d C u; exp(y)
// adds 2 u and two roundings follow.
TYPED_TEST(Softmax, LogBackwardMatchesTheReferenceAndAccumulates) {
    using T = TypeParam;
    for (const Index cols : kWidths) {
        std::vector<T> y(static_cast<std::size_t>(kRows * cols));
        const auto x = uniform<T>(kRows * cols, -2, 2, 1);
        log_softmax(kRows, cols, x.data(), y.data());
        const auto dy = uniform<T>(kRows * cols, -1, 1, 2);
        std::vector<double> expected(x.size());
        ref::log_softmax_backward(kRows, cols, y.data(), dy.data(), expected.data());
        on_every_isa<T>([&] {
            std::vector<T> dx(x.size(), T{1});

            log_softmax_backward(kRows, cols, y.data(), dy.data(), false, dx.data());
            const std::vector<T> first = dx;
            log_softmax_backward(kRows, cols, y.data(), dy.data(), true, dx.data());

            const auto width = static_cast<double>(cols);
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double p = std::exp(static_cast<double>(y[i]));
                const double bound = ((path(cols) + 4) * width * p + 2) * this->kUnit * kSlack;
                ASSERT_NEAR(first[i], expected[i], bound) << cols << " " << i;
                ASSERT_EQ(dx[i], first[i] + first[i]);
            }
        });
    }
}

template <class T>
struct Targets {
    std::vector<std::int32_t> labels;
    std::vector<T> soft;
    std::vector<float> weights;
    explicit Targets(Index cols) : soft(uniform<T>(kRows * cols, 0, 1, 3)) {
        for (Index r = 0; r < kRows; ++r) {
            labels.push_back(static_cast<std::int32_t>((7 * r + 3) % cols));
            weights.push_back(static_cast<float>(r % 3));  // rows 0, 3, 6 are padding
        }
    }
};

// The four kinds of target: index, weighted index, smoothed index, soft with weights.
template <class T>
std::vector<CrossEntropyTargets<T>> kinds(const Targets<T>& t) {
    return {{.labels = t.labels.data()},
            {.labels = t.labels.data(), .weights = t.weights.data()},
            {.labels = t.labels.data(), .smoothing = 0.125},
            {.targets = t.soft.data(), .weights = t.weights.data()}};
}

// With Q = sum q (1 for labels, at most C for soft targets): the loss is Q log s - q . z, where
// log s is off as in log softmax and q . z is a chain of d + 1 roundings of terms q R, and q itself
// carries 3 roundings when it is smoothed. The gradient is weight (Q p - q) with p off as softmax
// and Q as a LANES16 sum, followed by 3 roundings of terms up to Q p + q.
TYPED_TEST(Softmax, CrossEntropyMatchesTheReference) {
    using T = TypeParam;
    for (const Index cols : kWidths) {
        const auto x = uniform<T>(kRows * cols, -kRange, kRange, 1);
        const Targets<T> targets(cols);
        for (const CrossEntropyTargets<T>& target : kinds(targets)) {
            std::vector<double> losses(kRows), gradient(x.size());
            ref::cross_entropy(kRows, cols, x.data(), target, losses.data(), gradient.data());
            on_every_isa<T>([&] {
                std::vector<T> loss(kRows), dx(x.size()), loss_only(kRows);

                cross_entropy(kRows, cols, x.data(), target, loss.data(), dx.data());
                cross_entropy<T>(kRows, cols, x.data(), target, loss_only.data(), nullptr);

                const double d = path(cols), log_c = std::log(static_cast<double>(cols));
                const double q = target.targets == nullptr ? 1 : static_cast<double>(cols);
                const double loss_bound =
                    q * (2 * kRange + 2 + d + 4 * log_c + (d + 8) * (2 * kRange + log_c)) *
                    this->kUnit * kSlack;
                const double dx_bound = (4 * kRange + 12 + 2 * d) * this->kUnit * kSlack;
                for (Index r = 0; r < kRows; ++r) {
                    ASSERT_NEAR(loss[r], losses[r], loss_bound) << cols << " " << r;
                    const double w = target.weights == nullptr ? 1 : target.weights[r];
                    for (Index i = r * cols; i < (r + 1) * cols; ++i) {
                        const double terms = std::abs(gradient[i]) + 2 * w * q;
                        ASSERT_NEAR(dx[i], gradient[i], dx_bound * terms) << cols << " " << i;
                    }
                }
                EXPECT_EQ(loss, loss_only);
            });
        }
    }
}

TYPED_TEST(Softmax, SameBitsOnEveryIsaForAnyThreadsAndRowSplit) {
    using T = TypeParam;
    constexpr Index kMany = 301, kCols = 77;
    const auto x = uniform<T>(kMany * kCols, -kRange, kRange, 1);
    std::vector<std::int32_t> labels(kMany, 5);
    const CrossEntropyTargets<T> target{.labels = labels.data(), .smoothing = 0.1};
    const auto run = [&](Index split) {
        std::vector<T> all(x.size() * 2 + kMany);
        T *y = all.data(), *dx = y + x.size(), *loss = dx + x.size();
        for (Index r = 0; r < kMany; r += split) {
            const Index n = std::min(split, kMany - r), at = r * kCols;
            softmax(n, kCols, x.data() + at, y + at);
            cross_entropy(n, kCols, x.data() + at, target, loss + r, dx + at);
        }
        return all;
    };
    use(available().front()->isa);
    set_num_threads(1);
    const std::vector<T> expected = run(kMany);
    on_every_isa<T>([&] {
        for (const int threads : {1, 2, 7}) {
            set_num_threads(threads);
            EXPECT_EQ(run(kMany), expected) << threads << " threads";
        }
        EXPECT_EQ(run(1), expected) << "row by row";
    });
}

TYPED_TEST(Softmax, LargeLogitsDoNotOverflow) {
    using T = TypeParam;
    const std::vector<T> x = {T{1e30F}, T{-1e30F}, T{1e30F}};
    on_every_isa<T>([&] {
        std::vector<T> y(3);
        softmax(1, 3, x.data(), y.data());
        EXPECT_EQ(y, (std::vector<T>{T{0.5}, 0, T{0.5}}));
    });
}

TYPED_TEST(Softmax, NanSpoilsItsRowOnly) {
    using T = TypeParam;
    std::vector<T> x(2 * 20, T{1});
    x[3] = std::numeric_limits<T>::quiet_NaN();
    on_every_isa<T>([&] {
        std::vector<T> y(x.size());
        softmax(2, 20, x.data(), y.data());
        for (std::size_t i = 0; i < 20; ++i) EXPECT_TRUE(std::isnan(y[i])) << i;
        for (std::size_t i = 20; i < 40; ++i) EXPECT_FALSE(std::isnan(y[i])) << i;
    });
}

TYPED_TEST(Softmax, PaddingRowsGiveZeroWhateverTheyHold) {
    using T = TypeParam;
    const std::vector<T> x(17, std::numeric_limits<T>::quiet_NaN());
    const std::int32_t label = -1;
    const float weight = 0;
    on_every_isa<T>([&] {
        T loss = 1;
        std::vector<T> dx(x.size(), T{1});
        cross_entropy<T>(1, 17, x.data(), {.labels = &label, .weights = &weight}, &loss, dx.data());
        EXPECT_EQ(loss, 0);
        EXPECT_EQ(dx, std::vector<T>(x.size()));
    });
}

TYPED_TEST(Softmax, TouchesNothingOutsideItsArrays) {
    using T = TypeParam;
    using test::Edge;
    using test::Guarded;
    for (Index cols = 1; cols <= 40; ++cols) {
        const auto values = uniform<T>(2 * cols, -kRange, kRange, 1);
        for (const Edge edge : {Edge::begin, Edge::end}) {
            Guarded<T> x(values, edge), y(2 * cols, edge), dx(2 * cols, edge), losses(2, edge);
            Guarded<std::int32_t> labels({0, static_cast<std::int32_t>(cols - 1)}, edge);
            Guarded<float> weights({1, 0}, edge);
            on_every_isa<T>([&] {
                softmax(2, cols, x.data(), y.data());
                softmax_backward(2, cols, y.data(), x.data(), false, dx.data());
                log_softmax(2, cols, x.data(), y.data());
                log_softmax_backward(2, cols, y.data(), x.data(), true, dx.data());
                cross_entropy<T>(
                    2, cols, x.data(),
                    {.labels = labels.data(), .weights = weights.data(), .smoothing = 0.1},
                    losses.data(), dx.data());
                cross_entropy<T>(2, cols, x.data(), {.targets = x.data()}, losses.data(),
                                 dx.data());
            });
            EXPECT_EQ(x.copy(), values) << cols;
        }
    }
}

}  // namespace
}  // namespace soma::kernels
