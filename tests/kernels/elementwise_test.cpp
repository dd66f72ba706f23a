// Elementwise kernels against std::fma and friends, element by element: one correctly rounded
// operation each, so the bits must be equal. Functions with polynomials: vmath_test.cpp.

#include "soma/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/ref/elementwise.h"
#include "support/every_isa.h"

namespace soma::kernels {
namespace {

using test::on_every_isa;
using test::uniform;

constexpr Index kSizes[] = {0, 1, 3, 7, 8, 15, 16, 17, 33, 100};

template <class T>
class Elementwise : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Elementwise, Types);

// run(n, x, y, z) on arrays with a canary behind z; exact(x, y, z) says what z must become.
template <class T, class Run, class Exact>
void expect_elements(Run&& run, Exact&& exact) {
    on_every_isa([&] {
        for (const Index n : kSizes) {
            const std::vector<T> x = uniform<T>(n, 1), y = uniform<T>(n, 2);
            std::vector<T> z = uniform<T>(n, 3);
            const std::vector<T> before = z;
            z.push_back(T{77});

            run(n, x.data(), y.data(), z.data());

            for (std::size_t i = 0; i < x.size(); ++i) {
                ASSERT_EQ(z[i], exact(x[i], y[i], before[i])) << "element " << i << " of " << n;
            }
            ASSERT_EQ(z.back(), T{77}) << "wrote past the end, n = " << n;
        }
    });
}

TYPED_TEST(Elementwise, ScalarsEnterWithOneRounding) {
    using T = TypeParam;
    const T a = T(0.7), b = T(-1.3);
    expect_elements<T>([=](Index n, const T* x, const T*, T* z) { scale(n, a, x, z); },
                       [=](T x, T, T) { return a * x; });
    expect_elements<T>([=](Index n, const T* x, const T*, T* z) { shift(n, b, x, z); },
                       [=](T x, T, T) { return x + b; });
    expect_elements<T>([=](Index n, const T* x, const T*, T* z) { axpy(n, a, x, z); },
                       [=](T x, T, T z) { return std::fma(a, x, z); });
    expect_elements<T>([=](Index n, const T* x, const T*, T* z) { axpby(n, a, x, b, z); },
                       [=](T x, T, T z) { return std::fma(a, x, b * z); });
    expect_elements<T>([=](Index n, const T* x, const T* y, T* z) { fma(n, x, y, z, z); },
                       [=](T x, T y, T z) { return std::fma(x, y, z); });
    expect_elements<T>([=](Index n, const T*, const T*, T* z) { fill(n, a, z); },
                       [=](T, T, T) { return a; });
}

TYPED_TEST(Elementwise, ClipAndWhereSelect) {
    using T = TypeParam;
    expect_elements<T>([](Index n, const T* x, const T*, T* z) { clip(n, T(-0.5), T(0.25), x, z); },
                       [](T x, T, T) { return x < T(-0.5)   ? T(-0.5)
                                              : x > T(0.25) ? T(0.25)
                                                            : x; });
    expect_elements<T>([](Index n, const T* x, const T* y,
                          T* z) { clip_backward(n, T(-0.5), T(0.25), x, y, true, z); },
                       [](T x, T y, T z) { return z + (x >= T(-0.5) && x <= T(0.25) ? y : 0); });
    expect_elements<T>(
        [](Index n, const T* x, const T* y, T* z) {
            std::vector<T> mask(static_cast<std::size_t>(n));
            for (Index i = 0; i < n; ++i) mask[static_cast<std::size_t>(i)] = T(x[i] > 0);
            where(n, mask.data(), x, y, z);
        },
        [](T x, T y, T) { return x > 0 ? x : y; });
}

TYPED_TEST(Elementwise, BinaryAndItsBackwards) {
    using T = TypeParam;
    struct Rule {
        Binary f;
        T (*value)(T, T);
        T (*left)(T, T, T);
        T (*right)(T, T, T);
    };
    const Rule rules[] = {
        {Binary::add, [](T a, T b) { return a + b; }, [](T, T, T g) { return g; },
         [](T, T, T g) { return g; }},
        {Binary::sub, [](T a, T b) { return a - b; }, [](T, T, T g) { return g; },
         [](T, T, T g) { return -g; }},
        {Binary::mul, [](T a, T b) { return a * b; }, [](T, T b, T g) { return g * b; },
         [](T a, T, T g) { return g * a; }},
        {Binary::div, [](T a, T b) { return a / b; }, [](T, T b, T g) { return g / b; },
         [](T a, T b, T g) { return -(g * (a / b)) / b; }},
        {Binary::max, [](T a, T b) { return a > b ? a : b; },
         [](T a, T b, T g) { return a > b ? g : 0; }, [](T a, T b, T g) { return a > b ? 0 : g; }},
        {Binary::min, [](T a, T b) { return a < b ? a : b; },
         [](T a, T b, T g) { return a < b ? g : 0; }, [](T a, T b, T g) { return a < b ? 0 : g; }},
    };
    for (const Rule& r : rules) {
        expect_elements<T>(
            [&](Index n, const T* x, const T* y, T* z) { binary(r.f, Broadcast(n), x, y, z); },
            [&](T x, T y, T) { return r.value(x, y); });
        for (const int side : {0, 1}) {
            expect_elements<T>(
                [&](Index n, const T* x, const T* y, T* z) {  // dy = x: any third array will do
                    binary_backward(r.f, side, Broadcast(n), x, x, y, true, z);
                },
                [&](T x, T y, T z) { return z + (side == 0 ? r.left : r.right)(x, y, x); });
        }
    }
}

TYPED_TEST(Elementwise, ReluKeepsNaNAndTheRestOfTheLineIsUntouched) {
    using T = TypeParam;
    const T nan = std::numeric_limits<T>::quiet_NaN();
    on_every_isa([nan] {
        const std::vector<T> x{nan, -1, 0, 2};
        std::vector<T> y(5, T{9});

        activation(Activation::relu, T{0}, 4, x.data(), y.data());

        EXPECT_TRUE(std::isnan(y[0]));
        EXPECT_EQ(y[1], 0);
        EXPECT_EQ(y[2], 0);
        EXPECT_EQ(y[3], 2);
        EXPECT_EQ(y[4], 9);
    });
}

// dy f'(x) against a central difference of the long double reference: its step h = 2^-20 leaves
// h^2 |f'''| / 6 < 2^-40 and 2^-64 / h of rounding, both far below the 16 u allowed to the kernel.
TYPED_TEST(Elementwise, ActivationSlopesAreTheDerivatives) {
    using T = TypeParam;
    const double allowed = std::max<double>(16 * std::numeric_limits<T>::epsilon(), 0x1p-38);
    for (const Activation f :
         {Activation::none, Activation::relu, Activation::leaky_relu, Activation::tanh,
          Activation::scaled_tanh, Activation::sigmoid, Activation::gelu, Activation::gelu_tanh,
          Activation::silu, Activation::softplus}) {
        const std::vector<T> x = uniform<T>(200, 4, -6, 6), ones(200, T{1});
        std::vector<T> y(200), slope(200), square(200, T{1});
        const T leak = T(0.125);
        const T* saved = needs_pre_activation(f) ? x.data() : y.data();

        activation(f, leak, 200, x.data(), y.data());
        activation_backward(f, leak, 200, saved, ones.data(), false, slope.data());
        activation_curvature(f, leak, 200, saved, ones.data(), true, square.data());

        for (std::size_t i = 0; i < x.size(); ++i) {
            const ref::Wide h = 0x1p-20L, at = x[i];
            const ref::Wide exact =
                (ref::activation(f, leak, at + h) - ref::activation(f, leak, at - h)) / (2 * h);
            ASSERT_NEAR(slope[i], static_cast<double>(exact), allowed) << int(f) << " " << x[i];
            ASSERT_EQ(square[i], T{1} + slope[i] * slope[i]) << int(f);
        }
    }
}

TEST(Broadcast, MergesAxesThatRepeatTheSameOperand) {
    const Index image[] = {8, 4, 3}, row[] = {4, 3}, column[] = {8, 1, 1};

    const Broadcast by_row(image, row), by_column(image, column), equal(image, image);

    EXPECT_EQ(by_row.loop_count, 2);
    EXPECT_EQ(by_row.loops[1].size, 12);
    EXPECT_EQ(by_row.loops[0].b_stride, 0);
    EXPECT_EQ(by_column.loop_count, 2);
    EXPECT_EQ(by_column.loops[1].b_stride, 0);
    EXPECT_EQ(equal.loop_count, 1);
    EXPECT_EQ(equal.count, 96);
    EXPECT_TRUE(by_row.repeats(1));
    EXPECT_FALSE(by_row.repeats(0));
}

TEST(Broadcast, EmptyOperandsGiveZeroSums) {
    const Index a[] = {0, 3}, b[] = {3};
    const Broadcast loops(a, b);
    float gradient[3] = {1, 2, 3};

    binary_backward<float>(Binary::add, 1, loops, nullptr, nullptr, gradient, false, gradient);

    for (const float g : gradient) EXPECT_EQ(g, 0);
}

TEST(Pow, HandlesSignsAndZeros) {
    const double x[] = {-2, 0, 2, 3};
    double y[4];

    pow(4, 3.0, x, y);
    EXPECT_NEAR(y[0], -8, 16 * 0x1p-52);
    EXPECT_EQ(y[1], 0);
    pow(4, 0.0, x, y);
    for (const double v : y) EXPECT_EQ(v, 1);
    pow(4, -1.0, x, y);
    EXPECT_EQ(y[1], std::numeric_limits<double>::infinity());
    pow(4, 0.5, x, y);
    EXPECT_TRUE(std::isnan(y[0]));
}

TEST(Pow, OfOneAndTwoIsExact) {
    const double x[] = {-0.0, 1.1, -1e-300, 3e100, -std::numeric_limits<double>::infinity()};
    double y[5];

    pow(5, 1.0, x, y);
    EXPECT_EQ(std::memcmp(x, y, sizeof x), 0);
    pow(5, 2.0, x, y);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(y[i], x[i] * x[i]) << x[i];
}

TEST(Pow, OddPowersKeepTheSignOfZero) {
    const double x[] = {-0.0, 0.0};
    double y[2];

    pow(2, 3.0, x, y);
    EXPECT_TRUE(std::signbit(y[0]));
    EXPECT_FALSE(std::signbit(y[1]));
    pow(2, -1.0, x, y);
    EXPECT_EQ(y[0], -std::numeric_limits<double>::infinity());
    pow(2, 4.0, x, y);
    EXPECT_FALSE(std::signbit(y[0]));
}

}  // namespace
}  // namespace soma::kernels
