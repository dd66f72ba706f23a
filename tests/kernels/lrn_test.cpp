// Local response normalisation against kernels/ref/lrn.h on every ISA, for f32 and f64.
//
// Bounds, u the unit roundoff, n the window. The sum of n squares is a chain of n FMAs and d one
// more, all terms positive, so d is off by (n + 1) u relatively and q = d^-beta by
//     E = (beta (n + 1) + own) u,   own = 4.5 for beta = 0.75 (roots 1 + 1.5, product, division),
//                                   own = 3 beta |log d| + 2 otherwise (log 1 ULP, product, exp).
// y = x q: E + u. In the backward t = dy q: E + u; p = t x / d: 2 u more, and 1 / d is off by
// (n + 1) u and the 12 u of q root q; the chain of n terms n u, the factor's three roundings and
// the last difference. All of it stays below (E + (2 n + 20) u) of the sum of absolute terms.
// A factor 1 + 1e-3 stands for the terms of order u^2.

#include "soma/kernels/lrn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/ref/lrn.h"
#include "soma/core/error.h"
#include "support/every_isa.h"
#include "support/guarded.h"

namespace soma::kernels {
namespace {

template <class T>
class Lrn : public testing::Test {
protected:
    static constexpr double kUnit = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Lrn, Types);

constexpr Index kRows = 7;
constexpr float kRange = 8;
const Index kWidths[] = {1, 2, 5, 8, 15, 16, 17, 33, 96, 130};
const Index kSizes[] = {1, 2, 3, 4, 5, 8, 40};
const double kPowers[] = {0.75, 0.5, 1.25};

LrnShape shape_of(Index rows, Index cols, Index size, double beta) {
    return {.rows = rows, .cols = cols, .size = size, .scale = 0.25, .beta = beta, .k = 1.5};
}

// shape_of's numbers are exact in f32.
template <class T>
LrnWindow<T> window_of(const LrnShape& s) {
    return {s.size, static_cast<T>(s.scale), static_cast<T>(s.beta), static_cast<T>(s.k)};
}

// E / u of the file's comment; d <= k + scale n kRange^2.
double power_error(const LrnShape& s) {
    const double n = static_cast<double>(s.size);
    const double chain = s.beta * (n + 1);
    if (s.beta == 0.75) return chain + 4.5;
    return chain + 3 * s.beta * std::log(s.k + s.scale * n * kRange * kRange) + 2;
}

template <class F>
void for_each_shape(F&& f) {
    for (const Index cols : kWidths) {
        for (const Index size : kSizes) {
            for (const double beta : kPowers) f(shape_of(kRows, cols, size, beta));
        }
    }
}

TYPED_TEST(Lrn, MatchesTheReference) {
    using T = TypeParam;
    for_each_shape([&](const LrnShape& s) {
        const auto x = test::uniform<T>(s.rows * s.cols, 1, -kRange, kRange);
        std::vector<double> expected(x.size());
        ref::lrn(s.rows, s.cols, window_of<T>(s), x.data(), expected.data());
        const double bound = (power_error(s) + 1) * this->kUnit * 1.001;
        test::on_every_isa([&] {
            std::vector<T> y(x.size());

            lrn(s, x.data(), y.data());

            for (std::size_t i = 0; i < x.size(); ++i) {
                ASSERT_NEAR(y[i], expected[i], bound * std::abs(expected[i]))
                    << s.cols << " " << s.size << " " << s.beta << " " << i;
            }
        });
    });
}

TYPED_TEST(Lrn, BackwardMatchesTheReferenceAndAccumulates) {
    using T = TypeParam;
    for_each_shape([&](const LrnShape& s) {
        const auto x = test::uniform<T>(s.rows * s.cols, 1, -kRange, kRange);
        const auto dy = test::uniform<T>(s.rows * s.cols, 2);
        std::vector<double> expected(x.size()), magnitude(x.size());
        ref::lrn_backward(s.rows, s.cols, window_of<T>(s), x.data(), dy.data(), expected.data(),
                          magnitude.data());
        const double n = static_cast<double>(s.size);
        const double bound = (power_error(s) + 2 * n + 20) * this->kUnit * 1.001;
        test::on_every_isa([&] {
            std::vector<T> dx(x.size(), std::numeric_limits<T>::quiet_NaN());

            lrn_backward(s, x.data(), dy.data(), false, dx.data());
            const std::vector<T> first = dx;
            lrn_backward(s, x.data(), dy.data(), true, dx.data());

            for (std::size_t i = 0; i < x.size(); ++i) {
                ASSERT_NEAR(first[i], expected[i], bound * magnitude[i])
                    << s.cols << " " << s.size << " " << s.beta << " " << i;
                ASSERT_EQ(dx[i], first[i] + first[i]);
            }
        });
    });
}

TYPED_TEST(Lrn, SameBitsOnEveryIsaForAnyThreadsAndRowSplit) {
    using T = TypeParam;
    constexpr Index kMany = 401, kCols = 97;
    const auto x = test::uniform<T>(kMany * kCols, 1, -kRange, kRange);
    const auto dy = test::uniform<T>(kMany * kCols, 2);
    for (const double beta : kPowers) {
        const auto run = [&](Index split) {
            std::vector<T> y(x.size()), dx(x.size());
            for (Index r = 0; r < kMany; r += split) {
                const LrnShape s = shape_of(std::min(split, kMany - r), kCols, 5, beta);
                const Index at = r * kCols;
                lrn(s, x.data() + at, y.data() + at);
                lrn_backward(s, x.data() + at, dy.data() + at, false, dx.data() + at);
            }
            y.insert(y.end(), dx.begin(), dx.end());
            return y;
        };
        const std::vector<T> expected = run(kMany);
        test::on_every_isa([&] {
            EXPECT_EQ(run(kMany), expected);
            EXPECT_EQ(run(1), expected) << "row by row";
        });
    }
}

// The window of size 4 begins two channels before its element and ends one behind.
TYPED_TEST(Lrn, EvenWindowsReachFurtherBack) {
    using T = TypeParam;
    const std::vector<T> x = {1, 0, 0, 0, 0, 1, 0, 0};
    const std::vector<T> marks = {1, 1, 1, 1, 1, 1, 1, 1};
    const LrnShape s{.rows = 1, .cols = 8, .size = 4, .scale = 3, .beta = 1, .k = 1};
    test::on_every_isa([&] {
        std::vector<T> y(8), dx(8);

        lrn(s, x.data(), y.data());
        lrn_backward(s, x.data(), marks.data(), false, dx.data());

        EXPECT_NEAR(y[0], 0.25, 0x1p-20);                                    // 1 / (1 + 3)
        for (const int outside : {3}) EXPECT_EQ(dx[outside], 1) << outside;  // d = k
        for (const int inside : {1, 2, 4, 6, 7}) {
            EXPECT_NEAR(dx[inside], 0.25, 0x1p-20) << inside;
        }
    });
}

TYPED_TEST(Lrn, WorksInPlace) {
    using T = TypeParam;
    const LrnShape s = shape_of(kRows, 33, 5, 0.75);
    const auto x = test::uniform<T>(s.rows * s.cols, 1, -kRange, kRange);
    test::on_every_isa([&] {
        std::vector<T> y(x.size()), in_place = x;
        lrn(s, x.data(), y.data());
        lrn(s, in_place.data(), in_place.data());
        EXPECT_EQ(in_place, y);
    });
}

TYPED_TEST(Lrn, NanSpoilsItsWindowOnly) {
    using T = TypeParam;
    std::vector<T> x(2 * 20, T{1});
    x[10] = std::numeric_limits<T>::quiet_NaN();
    for (const double beta : kPowers) {
        test::on_every_isa([&] {
            std::vector<T> y(x.size());
            lrn(shape_of(2, 20, 5, beta), x.data(), y.data());
            for (std::size_t i = 0; i < 40; ++i) {
                EXPECT_EQ(std::isnan(y[i]), i >= 8 && i <= 12) << i;
            }
        });
    }
}

TYPED_TEST(Lrn, TouchesNothingOutsideItsArrays) {
    using T = TypeParam;
    using test::Edge;
    using test::Guarded;
    for (Index cols = 1; cols <= 40; ++cols) {
        const auto values = test::uniform<T>(2 * cols, 1);
        for (const Edge edge : {Edge::begin, Edge::end}) {
            for (const Index size : {2, 5}) {
                const LrnShape s = shape_of(2, cols, size, 0.75);
                const Index pitch = lrn_pitch(cols, size);
                Guarded<T> x(values, edge), y(2 * cols, edge), dx(2 * cols, edge);
                Guarded<T> scratch(2 * pitch, edge), more(2 * (2 * pitch + cols), edge);
                test::on_every_isa([&] {
                    const auto& kernels = table<T>().lrn;
                    kernels.forward(2, cols, window_of<T>(s), x.data(), y.data(), scratch.data());
                    kernels.backward(2, cols, window_of<T>(s), x.data(), y.data(), true, dx.data(),
                                     more.data());
                });
                EXPECT_EQ(x.copy(), values) << cols;
            }
        }
    }
}

TYPED_TEST(Lrn, RefusesParametersThatCanDivideByZero) {
    using T = TypeParam;
    T x = 1;
    const LrnShape good{.rows = 1, .cols = 1};
    LrnShape empty = good, negative = good, zero = good;
    empty.size = 0, negative.scale = -1, zero.k = 0;
    for (const LrnShape& s : {empty, negative, zero}) EXPECT_THROW(lrn(s, &x, &x), Error);
    EXPECT_NO_THROW(lrn(good, &x, &x));
}

}  // namespace
}  // namespace soma::kernels
