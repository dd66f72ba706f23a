#include "soma/kernels/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/every_isa.h"

namespace soma::kernels {
namespace {

using test::on_every_isa;

const PhiloxKey kKey = make_key(7, Purpose::recurrent_noise);

TEST(Random, WordsAreThoseOfTheScalarPhilox) {
    const RandomIndex at{.step = 3, .trial = 5, .visit = 2};
    on_every_isa([&] {
        for (const Index n : {1, 3, 15, 16, 17, 63, 64, 100, 128, 192, 1000}) {
            std::vector<std::uint32_t> y(static_cast<std::size_t>(n) + 1, 77);

            random_words(kKey, at, n, y.data());

            for (Index i = 0; i < n; ++i) {
                ASSERT_EQ(y[static_cast<std::size_t>(i)],
                          random_word(kKey, static_cast<std::uint32_t>(i), at));
            }
            EXPECT_EQ(y.back(), 77u) << "wrote past the end";
        }
    });
}

TEST(Random, KnownAnswer) {
    std::uint32_t y[16];

    random_words({0, 0}, {}, 16, y);

    EXPECT_EQ(y[0], 0x6627e8d5u);  // word w of counter block 0 is unit 4 w
    EXPECT_EQ(y[4], 0xe169c58du);
    EXPECT_EQ(y[8], 0xbc57ac4cu);
    EXPECT_EQ(y[12], 0x9b00dbd8u);
}

TEST(Random, UniformAndMaskFollowTheWords) {
    const Index n = 333;
    on_every_isa([&] {
        std::vector<float> u(n), mask(n);
        std::vector<double> wide(n);

        random_uniform(kKey, {}, n, 0.0f, 1.0f, u.data());
        random_uniform(kKey, {}, n, -1.0, 3.0, wide.data());
        random_mask(kKey, {}, n, 0.25, 4.0f, mask.data());

        for (std::size_t i = 0; i < u.size(); ++i) {
            const float expected = uniform01(random_word(kKey, static_cast<std::uint32_t>(i)));
            ASSERT_EQ(u[i], expected);
            ASSERT_EQ(wide[i], std::fma(4.0, static_cast<double>(expected), -1.0));
            ASSERT_EQ(mask[i], expected < 0.25f ? 4.0f : 0.0f);
        }
    });
}

TEST(Random, RowsDependOnTheirTrialOnly) {
    const std::vector<std::uint32_t> trials{9, 4, 4, 100, 0};
    on_every_isa([&] {
        for (const Index cols : {1, 10, 16, 40, 64, 65, 128, 209}) {
            const Index ld = cols + 2;
            std::vector<float> rows(trials.size() * static_cast<std::size_t>(ld), -7);

            random_normal_rows(kKey, {.step = 1}, trials, cols, 1.0f, 0.5f, rows.data(), ld);

            for (std::size_t r = 0; r < trials.size(); ++r) {
                std::vector<float> alone(static_cast<std::size_t>(cols));
                random_normal(kKey, {.step = 1, .trial = trials[r]}, cols, 1.0f, 0.5f,
                              alone.data());
                const float* row = rows.data() + r * static_cast<std::size_t>(ld);
                EXPECT_TRUE(std::equal(alone.begin(), alone.end(), row)) << cols << " " << r;
                EXPECT_EQ(row[cols], -7) << "wrote into the gap";
            }
        }
    });
}

TEST(Random, NormalsHaveTheSameBitsOnEveryIsaAndThreadCount) {
    const Index n = 50001;
    std::vector<float> expected(n);
    random_normal(kKey, {}, n, 0.0f, 1.0f, expected.data());
    on_every_isa([&] {
        std::vector<float> y(n);
        random_normal(kKey, {}, n, 0.0f, 1.0f, y.data());
        EXPECT_EQ(y, expected);
    });
}

TEST(Random, WideNormalsAreTheNarrowOnes) {
    const Index n = 100;
    std::vector<float> narrow(n);
    std::vector<double> wide(n);

    random_normal(kKey, {}, n, 0.0f, 1.0f, narrow.data());
    random_normal(kKey, {}, n, 0.0, 1.0, wide.data());

    for (std::size_t i = 0; i < narrow.size(); ++i) EXPECT_EQ(wide[i], narrow[i]);
}

// Moments of n draws lie within 4 standard errors: sqrt(1/n), sqrt(2/n), sqrt(96/n), and the
// covariance of neighbours within 4 sqrt(1/n).
TEST(Random, NormalMomentsWithinFourStandardErrors) {
    const Index n = 1 << 20;
    std::vector<double> z(n);

    random_normal(kKey, {}, n, 0.0, 1.0, z.data());

    double m1 = 0, m2 = 0, m4 = 0, lag1 = 0, largest = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
        m1 += z[i];
        m2 += z[i] * z[i];
        m4 += z[i] * z[i] * z[i] * z[i];
        lag1 += i > 0 ? z[i] * z[i - 1] : 0;
        largest = std::max(largest, std::abs(z[i]));
    }
    const double error = 4 / std::sqrt(static_cast<double>(n));
    EXPECT_LT(std::abs(m1 / n), error);
    EXPECT_LT(std::abs(m2 / n - 1), error * std::sqrt(2.0));
    EXPECT_LT(std::abs(m4 / n - 3), error * std::sqrt(96.0));
    EXPECT_LT(std::abs(lag1 / n), error);
    EXPECT_LE(largest, 5.77);
}

// Kolmogorov-Smirnov against the normal distribution; 1.95 / sqrt(n) is passed by 99.9 % of sets.
TEST(Random, NormalsFollowTheNormalDistribution) {
    const Index n = 1 << 16;
    std::vector<double> z(n);
    random_normal(kKey, {.step = 9}, n, 0.0, 1.0, z.data());
    std::sort(z.begin(), z.end());

    double distance = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
        const double cdf = 0.5 * std::erfc(-z[i] * std::sqrt(0.5));
        const double below = static_cast<double>(i) / static_cast<double>(n);
        distance = std::max(
            {distance, std::abs(cdf - below), std::abs(cdf - below - 1 / static_cast<double>(n))});
    }

    EXPECT_LT(distance, 1.95 / std::sqrt(static_cast<double>(n)));
}

}  // namespace
}  // namespace soma::kernels
