// Tasks whose target is a curve: integrators, waves, synthetic sentiment.

#include <gtest/gtest.h>

#include "neuro/task_check.h"
#include "soma/core/error.h"
#include "soma/neuro/tasks/integrator.h"
#include "soma/neuro/tasks/synthetic_sentiment.h"
#include "soma/neuro/tasks/waves.h"

namespace soma::neuro {
namespace {

using test::Histogram;
using test::Written;

// ---- integrators ----

TEST(TaskIntegrator, PassesTheChecksOfAllTasks) {
    for (const auto& task : {make_integrator(), make_contextual_integrator()}) {
        test::check_task(*task);
        test::check_score(*task);
    }
}

TEST(TaskIntegrator, TargetIsTheRunningSumOfTheInput) {
    const auto task = make_integrator();
    ASSERT_EQ(task->max_steps(), 25);
    const Written w(*task, TrialSource(4), 3);
    double sum = 0;
    for (Index t = 0; t < 25; ++t) {
        sum += double(w.at_u(t));
        EXPECT_EQ(w.at_y(t), static_cast<float>(sum));
        EXPECT_EQ(w.at_mask(t), 1);
    }
}

// sd per step 0.025 / sqrt(0.04) = 0.125; a bias is uniform in [-b, b), variance b^2 / 3.
TEST(TaskIntegrator, NoiseScalesWithTheStepAndTheBiasIsSymmetric) {
    const auto task = make_integrator({.bias = 0.5});
    constexpr Index kTrials = 2000, kSteps = kTrials * 25;
    double biases = 0, squares = 0;
    for (std::uint32_t k = 0; k < kTrials; ++k) {
        const Written w(*task, TrialSource(4), k);
        const float bias = w.label(*task, "bias");
        ASSERT_LE(std::abs(bias), 0.5f);
        biases += double(bias);
        for (Index t = 0; t < 25; ++t) {
            const double noise = double(w.at_u(t)) - double(bias);
            squares += noise * noise;
        }
    }
    EXPECT_NEAR(biases / kTrials, 0, 4 * 0.5 / std::sqrt(3.0 * kTrials));
    const double variance = 0.125 * 0.125;
    EXPECT_NEAR(squares / kSteps, variance, 4 * variance * std::sqrt(2.0 / kSteps));
}

// 2 b (xi - 1/2) has mean -b and standard deviation 2 b.
TEST(TaskIntegrator, TheOriginalBiasHasMeanMinusB) {
    const auto task = make_contextual_integrator({.bias = 0.5, .original_bias = true});
    constexpr Index kTrials = 20000;
    double sum = 0, product = 0;
    for (std::uint32_t k = 0; k < kTrials; ++k) {
        const Trial trial = task->plan(TrialSource(4), k);
        sum += double(trial.labels[0]);
        product += (double(trial.labels[0]) + 0.5) * (double(trial.labels[1]) + 0.5);
    }
    EXPECT_NEAR(sum / kTrials, -0.5, 4 * 1 / std::sqrt(double(kTrials)));
    EXPECT_NEAR(product / kTrials, 0, 4 * 1 / std::sqrt(double(kTrials)));
}

TEST(TaskIntegrator, ContextSaysWhichSenseIsSummed) {
    const auto task = make_contextual_integrator();
    ASSERT_EQ(task->inputs(), 4);
    ASSERT_EQ(task->cells(Mode::grid), 2);
    Histogram<float> contexts;
    for (std::uint32_t k = 0; k < 500; ++k) {
        const Written w(*task, TrialSource(4), k);
        const Index attended = static_cast<Index>(w.label(*task, "context")) - 1;
        ++contexts[w.label(*task, "context")];
        double sum = 0;
        for (Index t = 0; t < 25; ++t) {
            sum += double(w.at_u(t, attended));
            EXPECT_EQ(w.at_y(t), static_cast<float>(sum));
            EXPECT_EQ(w.at_u(t, 2), attended == 0 ? 1 : 0);
            EXPECT_EQ(w.at_u(t, 3), attended == 1 ? 1 : 0);
        }
    }
    test::expect_uniform(contexts, 2);
}

// e is 1/10 of y everywhere: 1 - sum e^2 / sum y^2 = 0.99, to the rounding of floats.
TEST(TaskIntegrator, ScoreIsTheShareOfSquaresExplained) {
    const auto task = make_integrator();
    const Written w(*task, TrialSource(4), 3);
    std::vector<float> z = w.y;
    for (float& v : z) v *= 1.1f;
    EXPECT_NEAR(*task->score(w.trial, w.answer(z)), 0.99, 1e-6);
    for (float& v : z) v *= -1;
    EXPECT_EQ(*task->score(w.trial, w.answer(z)), 0);
}

TEST(TaskIntegrator, RejectsImpossibleOptions) {
    EXPECT_THROW(make_integrator({.dt = 0}), Error);
    EXPECT_THROW(make_integrator({.duration = 20}), Error);
    EXPECT_THROW(make_integrator({.noise = -1}), Error);
    EXPECT_THROW(make_contextual_integrator({.bias = -1}), Error);
}

// ---- waves ----

TEST(TaskSine, PassesTheChecksOfAllTasks) {
    const auto one = make_sine(), sum = make_sum_of_sines({.noise = 0.1});
    const auto many = make_sine({.period_min = 400, .period_max = 1600, .frequencies = 51});
    for (const Task* task : {one.get(), many.get(), sum.get()}) {
        test::check_task(*task);
        test::check_score(*task);
    }
}

// Two periods of 40 steps. Errors of sin are below 1e-15, of the float target 2^-25.
TEST(TaskSine, HasTwoPeriodsAndNoInput) {
    const auto task = make_sine();
    ASSERT_EQ(task->max_steps(), 80);
    const Written w(*task, TrialSource(1), 0);
    for (Index t = 0; t < 80; ++t) {
        EXPECT_NEAR(w.at_y(t), 0.9 * std::sin(2 * M_PI * double(t + 1) / 40), 0x1p-24);
        EXPECT_EQ(w.at_u(t), 0);
    }
}

TEST(TaskSine, TheCueSelectsTheFrequency) {
    const auto task = make_sine({.period_min = 400, .period_max = 1600, .frequencies = 4});
    ASSERT_EQ(task->cells(Mode::grid), 4);
    ASSERT_EQ(task->max_steps(), 160);
    const double cycles[] = {0.625, 1.25, 1.875, 2.5};  // per second
    for (std::uint32_t k = 0; k < 4; ++k) {
        const Written w(*task, TrialSource(1, Stream::analysis, Mode::grid), k);
        EXPECT_EQ(w.label(*task, "cycles"), static_cast<float>(cycles[k]));
        EXPECT_EQ(w.at_u(77), 0.25f + static_cast<float>(k) / 4);
        EXPECT_NEAR(w.at_y(9), 0.9 * std::sin(2 * M_PI * 0.2 * cycles[k]), 1e-6);
    }
    Histogram<float> drawn;
    for (std::uint32_t k = 0; k < 4000; ++k) ++drawn[task->plan(TrialSource(1), k).labels[1]];
    test::expect_uniform(drawn, 4);
}

TEST(TaskSine, SumOfSinesIsTheCurveOfRflo) {
    const auto task = make_sum_of_sines();
    ASSERT_EQ(task->max_steps(), 100);
    EXPECT_EQ(task->tau() / task->dt(), 10);
    const Written w(*task, TrialSource(1), 0);
    for (Index t = 0; t < 100; ++t) {
        const double a = 2 * M_PI * double(t + 1) / 100;
        EXPECT_NEAR(w.at_y(t), std::sin(a) + std::sin(2 * a) / 2 + std::sin(4 * a) / 4, 0x1p-23);
    }
}

TEST(TaskSine, RejectsImpossibleOptions) {
    EXPECT_THROW(make_sine({.frequencies = 2}), Error);
    EXPECT_THROW(make_sine({.period_min = 400}), Error);
    EXPECT_THROW(make_sine({.period_min = 40, .period_max = 40}), Error);
    EXPECT_THROW(make_sine({.periods = 0}), Error);
    EXPECT_THROW(make_sum_of_sines({.steps = 0}), Error);
    EXPECT_THROW(make_sum_of_sines({.dt = 11}), Error);
}

// ---- synthetic sentiment ----

TEST(TaskSyntheticSentiment, PassesTheChecksOfAllTasks) {
    const auto task = make_synthetic_sentiment();
    test::check_task(*task);
    test::check_score(*task);
}

// The grammar, read from the words.
TEST(TaskSyntheticSentiment, TargetIsTheRunningSumOfModifiedValences) {
    const auto task = make_synthetic_sentiment({.negator = 0.2, .intensifier = 0.2});
    for (std::uint32_t k = 0; k < 50; ++k) {
        const Written w(*task, TrialSource(6), k);
        double sum = 0, factor = 1;
        for (Index t = 0; t < 50; ++t) {
            ASSERT_LE((w.at_u(t, 0) != 0) + w.at_u(t, 1) + w.at_u(t, 2), 1);
            if (w.at_u(t, 1) == 1) factor *= -1;
            if (w.at_u(t, 2) == 1) factor *= 2;
            sum += factor * double(w.at_u(t, 0));
            if (w.at_u(t, 0) != 0) factor = 1;
            EXPECT_EQ(w.at_y(t), static_cast<float>(sum));
        }
        EXPECT_EQ(w.label(*task, "sentiment"), static_cast<float>(sum));
    }
}

TEST(TaskSyntheticSentiment, WordsComeAtTheirRates) {
    const auto task = make_synthetic_sentiment();
    constexpr Index kWords = 400 * 50;
    Index negators = 0, intensifiers = 0, valences = 0;
    Histogram<float> values;
    for (std::uint32_t k = 0; k < 400; ++k) {
        const Written w(*task, TrialSource(6), k);
        for (Index t = 0; t < 50; ++t) {
            if (w.at_u(t, 0) != 0) ++values[w.at_u(t, 0)];
            negators += w.at_u(t, 1) == 1;
            intensifiers += w.at_u(t, 2) == 1;
        }
        valences += static_cast<Index>(w.label(*task, "valences"));
    }
    test::expect_fraction(double(valences) / kWords, 0.4, kWords);
    test::expect_fraction(double(negators) / kWords, 0.1, kWords);
    test::expect_fraction(double(intensifiers) / kWords, 0.1, kWords);
    test::expect_uniform(values, 4);
}

TEST(TaskSyntheticSentiment, RejectsImpossibleOptions) {
    EXPECT_THROW(make_synthetic_sentiment({.words = 0}), Error);
    EXPECT_THROW(make_synthetic_sentiment({.valence = 0.9}), Error);
    EXPECT_THROW(make_synthetic_sentiment({.negator = -0.1}), Error);
}

}  // namespace
}  // namespace soma::neuro
