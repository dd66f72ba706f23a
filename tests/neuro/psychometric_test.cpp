// Fits with closed forms, and planted observers.

#include "soma/neuro/psychometric.h"

#include <cmath>

#include "neuro/needs_lapack.h"
#include "soma/core/error.h"
#include "soma/core/rng.h"

namespace soma::neuro {
namespace {

using linalg::Matrix;

class Psychometric : public NeedsLapack {};

double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * M_PI); }

struct Trials {
    Matrix x;
    std::vector<int> choices;
};

// Observers with a known curve over a grid of two variables.
Trials simulate(const PsychometricFit& truth, Index repeats) {
    RandomSequence random(make_key(7, Purpose::surrogate_data));
    const double levels[] = {-1, -0.5, -0.25, -0.1, 0, 0.1, 0.25, 0.5, 1};
    Trials t;
    t.x.cols = 2;
    for (Index r = 0; r < repeats; ++r) {
        for (const double a : levels) {
            for (const double b : levels) {
                t.x.values.insert(t.x.values.end(), {a, b});
                ++t.x.rows;
                const double at[] = {a, b};
                t.choices.push_back(
                    static_cast<double>(random.uniform()) < choice_probability(truth, at) ? 1 : -1);
            }
        }
    }
    return t;
}

// With as many parameters as levels the fit passes through the observed shares: p at x = 0 and q
// at x = 1 give bias = z(p), weight = z(q) - z(p), and var(bias) = p (1 - p) / (n phi(z(p))^2).
TEST_F(Psychometric, TwoLevelsHaveAClosedForm) {
    constexpr int kTrials = 1000;
    constexpr double kZ30 = -0.5244005127080407, kZ80 = 0.8416212335729143;
    Matrix x(2 * kTrials, 1);
    std::vector<int> choices;
    for (int k = 0; k < kTrials; ++k) choices.push_back(k < 300 ? 1 : -1);
    for (int k = 0; k < kTrials; ++k) {
        x(kTrials + k, 0) = 1;
        choices.push_back(k < 800 ? 1 : -1);
    }

    const PsychometricFit fit = fit_psychometric(x, choices, {.lapse = false});

    EXPECT_TRUE(fit.converged);
    EXPECT_NEAR(fit.bias, kZ30, 1e-9);
    EXPECT_NEAR(fit.weights[0], kZ80 - kZ30, 1e-9);
    const double var30 = 0.21 / (kTrials * density(kZ30) * density(kZ30));
    const double var80 = 0.16 / (kTrials * density(kZ80) * density(kZ80));
    EXPECT_NEAR(fit.bias_error, std::sqrt(var30), 1e-9);
    EXPECT_NEAR(fit.weight_errors[0], std::sqrt(var30 + var80), 1e-9);
    EXPECT_TRUE(std::isnan(fit.lapse_error));
}

// Four standard errors each: one test in 4,000 fits would fail by chance; the seed is fixed.
TEST_F(Psychometric, RecoversAPlantedObserver) {
    const PsychometricFit truth{.bias = 0.2, .weights = {4.5, -0.3}, .lapse = 0.06};
    const Trials t = simulate(truth, 300);

    const PsychometricFit fit = fit_psychometric(t.x, t.choices);

    EXPECT_TRUE(fit.converged);
    EXPECT_NEAR(fit.bias, truth.bias, 4 * fit.bias_error);
    EXPECT_NEAR(fit.weights[0], truth.weights[0], 4 * fit.weight_errors[0]);
    EXPECT_NEAR(fit.weights[1], truth.weights[1], 4 * fit.weight_errors[1]);
    EXPECT_NEAR(fit.lapse, truth.lapse, 4 * fit.lapse_error);
    EXPECT_LT(fit.weight_errors[0], 0.2);  // so that the lines above mean something
    EXPECT_LT(fit.lapse_error, 0.01);
}

TEST_F(Psychometric, AnObserverWithoutLapsesHasNone) {
    const PsychometricFit truth{.bias = 0, .weights = {3, 0}, .lapse = 0};
    const Trials t = simulate(truth, 100);

    const PsychometricFit fit = fit_psychometric(t.x, t.choices);

    EXPECT_TRUE(fit.converged);
    EXPECT_NEAR(fit.lapse, 0, 4 * fit.lapse_error);
    EXPECT_GE(fit.lapse, 0);
    EXPECT_NEAR(fit.weights[0], 3, 4 * fit.weight_errors[0]);
}

TEST_F(Psychometric, ChoicesThatSeparateDoNotConverge) {
    const Matrix x(6, 1, {-3, -2, -1, 1, 2, 3});
    const std::vector<int> choices{-1, -1, -1, 1, 1, 1};
    EXPECT_FALSE(fit_psychometric(x, choices).converged);
}

TEST_F(Psychometric, RejectsWrongSizesAndChoices) {
    const Matrix x(4, 1, {0, 1, 2, 3});
    const std::vector<int> three{1, -1, 1}, zero{1, 0, 1, -1}, good{1, -1, 1, -1};
    EXPECT_THROW(fit_psychometric(x, three), Error);
    EXPECT_THROW(fit_psychometric(x, zero), Error);
    EXPECT_THROW(fit_psychometric(Matrix(4, 3), good), Error);
    EXPECT_THROW(fit_psychometric(Matrix(4, 1, {0, 1, NAN, 3}), good), Error);
}

}  // namespace
}  // namespace soma::neuro
