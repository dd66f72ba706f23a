// Accuracy and special values of vector math (vmath.h), on every ISA, with the same bits.
//
// f32: 2^18 inputs spread over all bit patterns and 2^16 over [-20, 20); f64: 2^16 each. The full
// 2^32 sweep is tools/ulp_sweep.

#include "soma/kernels/vmath.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/ref/elementwise.h"
#include "soma/kernels/elementwise.h"
#include "support/every_isa.h"

namespace soma::kernels {
namespace {

using test::on_every_isa;

// One function of one variable, as an array kernel and as its reference.
struct Function {
    const char* name;
    double f32_bound, f64_bound;  // ULP, vmath.h
    bool is_unary;
    Unary unary;
    Activation activation;

    template <class T>
    void run(const std::vector<T>& x, std::vector<T>& y) const {
        const Index n = static_cast<Index>(x.size());
        y.resize(x.size());
        if (is_unary) {
            kernels::unary(unary, n, x.data(), y.data());
        } else {
            kernels::activation(activation, T{0}, n, x.data(), y.data());
        }
    }
    ref::Wide exact(ref::Wide x) const {
        return is_unary ? ref::unary(unary, x) : ref::activation(activation, 0, x);
    }
    bool periodic() const { return is_unary && (unary == Unary::sin || unary == Unary::cos); }
};

Function of(const char* name, Unary f, double f32, double f64) {
    return {name, f32, f64, true, f, Activation::none};
}
Function of(const char* name, Activation f, double f32, double f64) {
    return {name, f32, f64, false, Unary::neg, f};
}

const std::vector<Function>& functions() {
    static const std::vector<Function> list{
        of("exp", Unary::exp, 1, 1),
        of("log", Unary::log, 1, 1),
        of("sin", Unary::sin, 2, 2),
        of("cos", Unary::cos, 2, 2),
        of("erf", Unary::erf, 2, 2),
        of("tanh", Activation::tanh, 2, 2),
        of("sigmoid", Activation::sigmoid, 2, 2),
        of("gelu", Activation::gelu, 3, 4),
        of("gelu_tanh", Activation::gelu_tanh, 2, 2),
        of("silu", Activation::silu, 2, 2),
        of("softplus", Activation::softplus, 2, 2),
    };
    return list;
}

// Bit patterns in steps that are prime to every power of two, then a dense stretch around 0.
std::vector<float> samples(float) {
    std::vector<float> x;
    for (std::uint64_t i = 0; i < (1u << 18); ++i) {
        x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(i * 16411)));
    }
    for (int i = 0; i < (1 << 16); ++i) x.push_back(static_cast<float>(i) * 0x1.4p-11f - 20);
    return x;
}
std::vector<double> samples(double) {
    std::vector<double> x;
    for (std::uint64_t i = 0; i < (1u << 16); ++i) {
        x.push_back(
            std::bit_cast<double>(i * 0x0001000100010001u + (i * 0x9E3779B97F4A7C15u >> 20)));
        x.push_back(static_cast<double>(i) * 0x1.4000001p-11 - 20);
    }
    return x;
}

template <class T>
class Vmath : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Vmath, Types);

TYPED_TEST(Vmath, ErrorsStayWithinTheDocumentedUlp) {
    using T = TypeParam;
    const std::vector<T> x = samples(T{});
    for (const Function& f : functions()) {
        std::vector<T> y;
        f.run(x, y);

        double worst = 0;
        T where = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            if (f.periodic() && !(std::abs(x[i]) <= T(0x1p20))) continue;
            const double error = ref::ulp_error(y[i], f.exact(x[i]));
            if (error > worst) {
                worst = error;
                where = x[i];
            }
        }
        EXPECT_LE(worst, sizeof(T) == 4 ? f.f32_bound : f.f64_bound) << f.name << " at " << where;
    }
}

TYPED_TEST(Vmath, SameBitsOnEveryIsa) {
    using T = TypeParam;
    std::vector<T> x = samples(T{});
    x.resize(20001);
    for (const Function& f : functions()) {
        std::vector<T> expected;
        f.run(x, expected);
        on_every_isa([&] {
            std::vector<T> y;
            f.run(x, y);
            for (std::size_t i = 0; i < x.size(); ++i) {
                const bool same = std::memcmp(&y[i], &expected[i], sizeof(T)) == 0;
                ASSERT_TRUE(same || (std::isnan(y[i]) && std::isnan(expected[i])))
                    << f.name << "(" << x[i] << ") = " << y[i] << ", not " << expected[i];
            }
        });
    }
}

TYPED_TEST(Vmath, SpecialValues) {
    using T = TypeParam;
    const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    const T tiny = std::numeric_limits<T>::denorm_min();
    on_every_isa([=] {
        for (const Function& f : functions()) {
            std::vector<T> y;
            f.run<T>({nan}, y);
            EXPECT_TRUE(std::isnan(y[0])) << f.name;
        }
        EXPECT_EQ(vmath::exp(-inf), T{0});
        EXPECT_EQ(vmath::exp(inf), inf);
        EXPECT_EQ(vmath::exp(T{0}), T{1});
        EXPECT_EQ(vmath::exp(T(1000)), inf);
        EXPECT_EQ(vmath::log(T{0}), -inf);
        EXPECT_EQ(vmath::log(T{1}), T{0});
        EXPECT_EQ(vmath::log(inf), inf);
        EXPECT_TRUE(std::isnan(vmath::log(T{-1})));
        EXPECT_EQ(vmath::tanh(inf), T{1});
        EXPECT_EQ(vmath::tanh(-inf), T{-1});
        EXPECT_EQ(vmath::erf(-inf), T{-1});
        EXPECT_EQ(vmath::sigmoid(-inf), T{0});
        EXPECT_EQ(vmath::sigmoid(inf), T{1});
        EXPECT_EQ(vmath::softplus(-inf), T{0});
        EXPECT_EQ(vmath::softplus(inf), inf);
        EXPECT_TRUE(std::isnan(vmath::sin(inf)));
        for (const T zero : {T{0}, T(-0.0)}) {
            EXPECT_EQ(std::signbit(vmath::tanh(zero)), std::signbit(zero));
            EXPECT_EQ(std::signbit(vmath::erf(zero)), std::signbit(zero));
            EXPECT_EQ(std::signbit(vmath::sin(zero)), std::signbit(zero));
        }
        EXPECT_EQ(vmath::tanh(tiny), tiny);
        EXPECT_EQ(vmath::sin(-tiny), -tiny);
    });
}

TYPED_TEST(Vmath, ExpUnderflowsGradually) {
    using T = TypeParam;
    const T first = std::log(std::numeric_limits<T>::min());
    const T last = std::log(std::numeric_limits<T>::denorm_min());
    for (int i = 0; i <= 1000; ++i) {
        const T x = first + (last - first) * static_cast<T>(i) / 1000;
        EXPECT_LE(ref::ulp_error(vmath::exp(x), std::exp(static_cast<ref::Wide>(x))), 1.0) << x;
    }
}

// (2 + |p log x|) u relative, as documented.
TEST(VmathPow, MatchesThePower) {
    for (const double x : {0.1, 0.9, 1.0, 3.0, 1e6}) {
        for (const double p : {-2.0, -0.5, 0.0, 1.0, 2.5}) {
            const double exact = std::pow(x, p), bound = (2 + std::abs(p * std::log(x))) * 0x1p-52;
            EXPECT_NEAR(vmath::pow(x, p), exact, bound * exact) << x << " " << p;
        }
    }
}

}  // namespace
}  // namespace soma::kernels
