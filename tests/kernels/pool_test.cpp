// Pooling kernels against their reference, and the promises of soma/kernels/pool.h.
//
// Bound of the average: a chain of at most 256 taps, one rounding for each further slice and one
// division: d = min(taps, 256) + ceil(taps / 256), |y - y*| <= gamma_d mean|x|.

#include "soma/kernels/pool.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/ref/pool.h"
#include "soma/core/error.h"
#include "soma/kernels/dispatch.h"
#include "support/every_isa.h"
#include "support/guarded.h"

namespace soma::kernels {
namespace {

using test::on_every_isa;
using test::uniform;

std::vector<PoolGeometry> shapes() {
    return {
        {.h = 1, .w = 1, .c = 1, .kh = 1, .kw = 1},
        {.n = 3, .h = 8, .w = 6, .c = 32, .kh = 2, .kw = 2, .stride_h = 2, .stride_w = 2},
        {.n = 2, .h = 9, .w = 7, .c = 17, .kh = 3, .kw = 3, .stride_h = 2, .stride_w = 2},
        {.n = 2,
         .h = 7,
         .w = 9,
         .c = 5,
         .kh = 3,
         .kw = 2,
         .stride_h = 2,
         .stride_w = 1,
         .pad_top = 2,
         .pad_bottom = 1,
         .pad_right = 1},
        {.n = 2, .h = 19, .w = 17, .c = 33, .kh = 16, .kw = 16, .stride_h = 3, .stride_w = 1},
        {.n = 0, .h = 4, .w = 4, .c = 3, .kh = 2, .kw = 2},
    };
}

template <class T>
class Pool : public testing::Test {};
using ElementTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Pool, ElementTypes);

template <class T>
struct Maxima {
    std::vector<T> y;
    std::vector<std::uint8_t> argmax;
    explicit Maxima(const PoolGeometry& g)
        : y(static_cast<std::size_t>(g.y_count())), argmax(y.size()) {}
};

TYPED_TEST(Pool, MaximumAndItsPositionEqualTheReference) {
    for (const PoolGeometry& g : shapes()) {
        const auto x = uniform<TypeParam>(g.x_count(), 1);
        Maxima<TypeParam> expected(g);
        ref::max_pool2d(g, x.data(), expected.y.data(), expected.argmax.data());
        on_every_isa([&] {
            Maxima<TypeParam> actual(g);
            max_pool2d(g, x.data(), actual.y.data(), actual.argmax.data());
            EXPECT_EQ(actual.y, expected.y);
            EXPECT_EQ(actual.argmax, expected.argmax);
        });
    }
}

TYPED_TEST(Pool, FirstOfEqualMaximaWins) {
    const PoolGeometry g{.h = 2, .w = 2, .c = 1, .kh = 2, .kw = 2};
    const std::vector<TypeParam> x = {1, 5, 5, 5};
    Maxima<TypeParam> r(g);

    max_pool2d(g, x.data(), r.y.data(), r.argmax.data());

    EXPECT_EQ(r.y[0], TypeParam{5});
    EXPECT_EQ(r.argmax[0], 1);
}

TYPED_TEST(Pool, FirstNaNWinsOverEverything) {
    const TypeParam nan = std::numeric_limits<TypeParam>::quiet_NaN();
    const PoolGeometry g{.h = 2, .w = 2, .c = 1, .kh = 2, .kw = 2};
    const std::vector<TypeParam> x = {1, nan, nan, 9};
    on_every_isa([&] {
        Maxima<TypeParam> r(g);
        max_pool2d(g, x.data(), r.y.data(), r.argmax.data());
        EXPECT_TRUE(std::isnan(r.y[0]));
        EXPECT_EQ(r.argmax[0], 1);
    });
}

TYPED_TEST(Pool, MaximumSendsEachGradientToItsPosition) {
    const PoolGeometry g{.h = 3, .w = 3, .c = 1, .kh = 2, .kw = 2};  // overlapping windows
    const std::vector<TypeParam> x = {0, 0, 0, 0, 7, 0, 0, 0, 8}, dy = {1, 2, 4, 8};
    Maxima<TypeParam> r(g);
    max_pool2d(g, x.data(), r.y.data(), r.argmax.data());
    std::vector<TypeParam> dx(9, 100), added(9, 100);

    max_pool2d_backward(g, dy.data(), r.argmax.data(), false, dx.data());
    max_pool2d_backward(g, dy.data(), r.argmax.data(), true, added.data());

    EXPECT_EQ(dx, (std::vector<TypeParam>{0, 0, 0, 0, 7, 0, 0, 0, 8}));
    EXPECT_EQ(added, (std::vector<TypeParam>{100, 100, 100, 100, 107, 100, 100, 100, 108}));
}

TYPED_TEST(Pool, AverageStaysWithinTheRoundingBound) {
    std::vector<PoolGeometry> more = shapes();
    more.push_back({.h = 18, .w = 20, .c = 3, .kh = 18, .kw = 17});  // two slices
    for (const PoolGeometry& g : more) {
        const auto x = uniform<TypeParam>(g.x_count(), 1);
        auto magnitude = x;
        for (TypeParam& v : magnitude) v = std::abs(v);
        const double u = sizeof(TypeParam) == 4 ? 0x1p-24 : 0x1p-53;
        const Index taps = g.kh * g.kw;
        // The reference sums doubles, so its own roundings count for f64: d doubles.
        const auto d = static_cast<double>(std::min<Index>(taps, 256) + ceil_div(taps, 256)) *
                       (sizeof(TypeParam) == 4 ? 1 : 2);
        for (const bool count_padding : {false, true}) {
            std::vector<double> exact(static_cast<std::size_t>(g.y_count())), terms = exact;
            ref::avg_pool2d(g, count_padding, x.data(), exact.data());
            ref::avg_pool2d(g, count_padding, magnitude.data(), terms.data());
            on_every_isa([&] {
                std::vector<TypeParam> y(exact.size());
                avg_pool2d(g, count_padding, x.data(), y.data());
                for (std::size_t i = 0; i < y.size(); ++i) {
                    EXPECT_LE(std::abs(static_cast<double>(y[i]) - exact[i]),
                              d * u / (1 - d * u) * terms[i]);
                }
            });
        }
    }
}

TYPED_TEST(Pool, AverageSpreadsEachGradientOverItsWindow) {
    const PoolGeometry g{.h = 2, .w = 3, .c = 1, .kh = 2, .kw = 2, .pad_left = 1};
    const std::vector<TypeParam> dy = {2, 4, 8};  // windows of 2, 4 and 4 pixels
    std::vector<TypeParam> dx(6, 9), curvature(6, 1);

    avg_pool2d_backward(g, false, 1, dy.data(), false, dx.data());
    avg_pool2d_backward(g, true, 2, dy.data(), true, curvature.data());

    EXPECT_EQ(dx, (std::vector<TypeParam>{2, 3, 2, 2, 3, 2}));
    EXPECT_EQ(curvature, (std::vector<TypeParam>{1.375, 1.75, 1.5, 1.375, 1.75, 1.5}));
}

TYPED_TEST(Pool, SameBitsForEveryIsaAndThreadCount) {
    using T = TypeParam;
    for (const PoolGeometry& g : shapes()) {
        const auto x = uniform<T>(g.x_count(), 1), dy = uniform<T>(g.y_count(), 2);
        Maxima<T> m(g);
        max_pool2d(g, x.data(), m.y.data(), m.argmax.data());
        const auto run = [&] {
            std::vector<std::vector<T>> r(3, std::vector<T>(x.size()));
            r[0].resize(dy.size());
            avg_pool2d(g, false, x.data(), r[0].data());
            avg_pool2d_backward(g, false, 1, dy.data(), false, r[1].data());
            max_pool2d_backward(g, dy.data(), m.argmax.data(), false, r[2].data());
            return r;
        };
        const auto expected = run();
        on_every_isa([&] { EXPECT_EQ(run(), expected); });
    }
}

TYPED_TEST(Pool, ReadsAndWritesNothingOutsideItsArrays) {
    using T = TypeParam;
    using test::Guarded;
    for (const PoolGeometry& g : shapes()) {
        const auto in = uniform<T>(g.x_count(), 1), seed = uniform<T>(g.y_count(), 2);
        Maxima<T> expected(g);
        max_pool2d(g, in.data(), expected.y.data(), expected.argmax.data());
        on_every_isa([&] {
            for (const test::Edge edge : {test::Edge::begin, test::Edge::end}) {
                Guarded<T> x(in, edge), y(g.y_count(), edge), dx(g.x_count(), edge);
                Guarded<T> dy(seed, edge);
                Guarded<std::uint8_t> argmax(g.y_count(), edge);
                avg_pool2d(g, false, x.data(), y.data());
                avg_pool2d_backward(g, false, 1, dy.data(), false, dx.data());
                max_pool2d(g, x.data(), y.data(), argmax.data());
                max_pool2d_backward(g, dy.data(), argmax.data(), false, dx.data());
                EXPECT_EQ(y.copy(), expected.y);
            }
        });
    }
}

TEST(PoolGeometry, ImpossibleOnesAreRefusedByName) {
    const PoolGeometry good{.h = 4, .w = 4, .c = 2, .kh = 2, .kw = 2};
    const auto refuses = [&](auto&& change) {
        PoolGeometry g = good;
        change(g);
        try {
            check_geometry("max_pool2d", g);
        } catch (const Error& e) {
            return std::string(e.what()).starts_with("max_pool2d: ") &&
                   e.code() == ErrorCode::usage;
        }
        return false;
    };
    EXPECT_NO_THROW(check_geometry("max_pool2d", good));
    EXPECT_TRUE(refuses([](PoolGeometry& g) { g.kh = 5; }));
    EXPECT_TRUE(refuses([](PoolGeometry& g) { g.stride_w = 0; }));
    EXPECT_TRUE(refuses([](PoolGeometry& g) { g.pad_top = 2; }));
    EXPECT_TRUE(refuses([](PoolGeometry& g) { g.c = 0; }));
}

}  // namespace
}  // namespace soma::kernels
