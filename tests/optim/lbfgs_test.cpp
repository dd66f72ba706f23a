// L-BFGS against functions whose minimum is known.

#include "soma/optim/lbfgs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "soma/core/error.h"

namespace soma::optim {
namespace {

// sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, minimum 0 at (1, ..., 1).
double rosenbrock(std::span<const double> x, std::span<double> g) {
    double f = 0;
    std::fill(g.begin(), g.end(), 0.0);
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
        const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
        f += 100 * a * a + b * b;
        g[i] += -400 * a * x[i] - 2 * b;
        g[i + 1] += 200 * a;
    }
    return f;
}

TEST(Lbfgs, FindsTheMinimumOfRosenbrock) {
    const LbfgsResult r = lbfgs(rosenbrock, {-1.2, 1});
    EXPECT_EQ(r.stop, LbfgsResult::Stop::gradient);
    // |H^-1|_inf at the minimum is about 6, so |x - 1| <= 6 |g| to first order.
    for (const double x : r.x) EXPECT_NEAR(x, 1, 10 * 1e-8);
    EXPECT_LE(r.iterations, 60);
}

TEST(Lbfgs, FindsTheMinimumOfRosenbrockIn100Dimensions) {
    std::vector<double> x(100);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 2 == 0 ? -1.2 : 1;
    const LbfgsResult r = lbfgs(rosenbrock, x);
    EXPECT_EQ(r.stop, LbfgsResult::Stop::gradient);
    EXPECT_LE(r.gradient_norm, 1e-8);
}

// f = 1/2 sum_i d_i (x_i - i)^2 with condition number 1e4.
TEST(Lbfgs, ConvergesSuperlinearlyOnAQuadratic) {
    const auto f = [](std::span<const double> x, std::span<double> g) {
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double d = std::pow(10.0, static_cast<double>(i)), e = x[i] - double(i);
            sum += 0.5 * d * e * e;
            g[i] = d * e;
        }
        return sum;
    };
    const LbfgsResult r = lbfgs(f, std::vector<double>(5, 10.0));
    EXPECT_EQ(r.stop, LbfgsResult::Stop::gradient);
    // Steepest descent would need about kappa ln(1e12) = 2.8e5 iterations.
    EXPECT_LE(r.iterations, 60);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(r.x[i], double(i), 1e-8);
}

TEST(Lbfgs, ReturnsTheStartWhereTheGradientVanishes) {
    const LbfgsResult r = lbfgs(rosenbrock, {1, 1});
    EXPECT_EQ(r.iterations, 0);
    EXPECT_EQ(r.evaluations, 1);
    EXPECT_EQ(r.stop, LbfgsResult::Stop::gradient);
}

// Minimum of x - ln x at 1; undefined for x <= 0, where doubling the step from 30 leads.
TEST(Lbfgs, StepsBackFromPointsWhereTheFunctionIsUndefined) {
    const auto f = [](std::span<const double> x, std::span<double> g) {
        g[0] = 1 - 1 / x[0];
        return x[0] > 0 ? x[0] - std::log(x[0]) : std::numeric_limits<double>::quiet_NaN();
    };
    const LbfgsResult r = lbfgs(f, {30.0});
    EXPECT_NEAR(r.x[0], 1, 2e-8);  // f'' = 1 at the minimum
}

TEST(Lbfgs, EveryStepSatisfiesTheStrongWolfeConditions) {
    std::vector<double> x = {-1.2, 1}, g(2), g_next(2);
    for (int k = 0; k < 10; ++k) {
        const LbfgsResult r = lbfgs(rosenbrock, x, {.max_iterations = 1});
        const double f = rosenbrock(x, g), f_next = rosenbrock(r.x, g_next);
        double slope = 0, slope_next = 0;
        for (std::size_t i = 0; i < 2; ++i) {
            slope += g[i] * (r.x[i] - x[i]);
            slope_next += g_next[i] * (r.x[i] - x[i]);
        }
        EXPECT_LE(f_next, f + 1e-4 * slope);
        EXPECT_LE(std::abs(slope_next), 0.9 * std::abs(slope));
        x = r.x;
    }
}

TEST(Lbfgs, StopsWhenTheDecreaseIsSmall) {
    const LbfgsResult r = lbfgs(rosenbrock, {-1.2, 1}, {.decrease_tolerance = 1e-3});
    EXPECT_EQ(r.stop, LbfgsResult::Stop::decrease);
    EXPECT_GT(r.gradient_norm, 1e-8);
}

// From 1 the first step meets the minimum of x^2 / 2: the value falls by 0.5, the scale is 1.
TEST(Lbfgs, CountsTheStepWhoseDecreaseIsBelowTheTolerance) {
    const auto f = [](std::span<const double> x, std::span<double> g) {
        g[0] = x[0];
        return 0.5 * x[0] * x[0];
    };
    const LbfgsResult below = lbfgs(f, {1.0}, {.decrease_tolerance = 0.75});
    EXPECT_EQ(below.stop, LbfgsResult::Stop::decrease);
    EXPECT_EQ(below.iterations, 1);
    const LbfgsResult equal = lbfgs(f, {1.0}, {.decrease_tolerance = 0.5});
    EXPECT_EQ(equal.stop, LbfgsResult::Stop::gradient);
    EXPECT_EQ(equal.iterations, 1);
}

TEST(Lbfgs, RejectsBadArguments) {
    const auto nan = [](std::span<const double>, std::span<double>) { return std::nan(""); };
    EXPECT_THROW(lbfgs(rosenbrock, {}), Error);
    EXPECT_THROW(lbfgs(nan, {1.0}), Error);
    EXPECT_THROW(lbfgs(rosenbrock, {0, 0}, {.history = 0}), Error);
    EXPECT_THROW(lbfgs(rosenbrock, {0, 0}, {.c1 = 0.95}), Error);
    EXPECT_THROW(lbfgs(rosenbrock, {0, 0}, {.max_search_evaluations = 0}), Error);
}

}  // namespace
}  // namespace soma::optim
