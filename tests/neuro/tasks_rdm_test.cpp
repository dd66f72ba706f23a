// rdm: timing, drawn coherences, masks, and the best observer.

#include "soma/neuro/tasks/rdm.h"

#include <gtest/gtest.h>

#include "neuro/task_check.h"
#include "soma/core/error.h"
#include "soma/kernels/random.h"

namespace soma::neuro {
namespace {

using test::Histogram;
using test::Written;

TEST(TaskRdm, PassesTheChecksOfAllTasks) {
    const auto task = make_rdm({.catch_fraction = 0.3});
    test::check_task(*task);
    test::check_score(*task);
}

TEST(TaskRdm, HasTheStepsOfThePaper) {
    const auto task = make_rdm();
    EXPECT_EQ(task->max_steps(), 51);
    const Written w(*task, TrialSource(1), 0);
    EXPECT_EQ(w.trial.length, 51);
    EXPECT_EQ(w.trial.epoch("stimulus").begin, 5);
    EXPECT_EQ(w.trial.epoch("stimulus").end, 45);
    EXPECT_EQ(w.trial.epoch("decision").begin, 50);
    EXPECT_EQ(w.trial.epoch("lunch").steps(), 0);
}

TEST(TaskRdm, InputIsTheCoherenceInTheStimulusAndTheDecisionAloneIsJudged) {
    const auto task = make_rdm({.noise = 0, .easy = 2});
    for (std::uint32_t k = 0; k < 20; ++k) {
        const Written w(*task, TrialSource(1), k);
        const float c = w.label(*task, "coherence");
        for (Index t = 0; t < 51; ++t) {
            EXPECT_EQ(w.at_u(t), t >= 5 && t < 45 ? static_cast<float>(0.2 * c) : 0);
            EXPECT_EQ(w.at_mask(t), t == 50 ? 1 : 0);
            EXPECT_EQ(w.at_y(t), t == 50 ? (c > 0 ? 1 : -1) : 0);
        }
    }
}

TEST(TaskRdm, DrawsCoherencesUniformlyAndCatchTrialsAtTheirRate) {
    const auto task = make_rdm({.catch_fraction = 0.25});
    Histogram<float> coherences;
    Index caught = 0;
    constexpr Index kTrials = 20000;
    for (std::uint32_t k = 0; k < kTrials; ++k) {
        const Trial trial = task->plan(TrialSource(3), k);
        if (trial.labels[1] == 0) {
            ++caught;
        } else {
            ++coherences[trial.labels[0]];
        }
    }
    test::expect_uniform(coherences, 6);
    test::expect_fraction(double(caught) / kTrials, 0.25, kTrials);
}

TEST(TaskRdm, CatchTrialsHaveNoStimulusTargetZeroAndNoScore) {
    const auto task = make_rdm({.noise = 0, .catch_fraction = 1});
    const Written w(*task, TrialSource(1), 4);
    EXPECT_EQ(w.u, std::vector<float>(51, 0.0f));
    EXPECT_EQ(w.y, std::vector<float>(51, 0.0f));
    EXPECT_EQ(w.at_mask(50), 1);
    EXPECT_FALSE(task->score(w.trial, w.answer(w.y)).has_value());
    EXPECT_FALSE(task->ideal_score(w.trial).has_value());
}

TEST(TaskRdm, ScoreIsTheSignOfTheMeanOutputInTheDecision) {
    const auto task = make_rdm({.decision = 60});
    const Written w(*task, TrialSource(1, Stream::analysis, Mode::grid), 5);  // coherence 4
    const auto score = [&](float first, float second, float third) {
        std::vector<float> z(53, -9.0f);
        z[50] = first;
        z[51] = second;
        z[52] = third;
        return *task->score(w.trial, w.answer(z));
    };
    EXPECT_EQ(score(0.1f, 0.1f, -0.1f), 1);
    EXPECT_EQ(score(0.1f, 0.1f, -0.3f), 0);
    EXPECT_EQ(score(0, 0, 0), 0);
}

TEST(TaskRdm, GridsRunThroughTheirCells) {
    const auto task = make_rdm({.catch_fraction = 1});
    const std::vector<float> grid = {-4, -2, -1, 1, 2, 4};
    const std::vector<float> psychometric = {-4, -2, -1, -0.5, -0.2f, 0, 0.2f, 0.5, 1, 2, 4};
    ASSERT_EQ(task->cells(Mode::grid), 6);
    ASSERT_EQ(task->cells(Mode::psychometric), 11);
    for (std::uint32_t k = 0; k < 22; ++k) {
        const Trial a = task->plan(TrialSource(1, Stream::training, Mode::grid), k);
        const Trial b = task->plan(TrialSource(1, Stream::training, Mode::psychometric), k);
        EXPECT_EQ(a.labels[0], grid[k % 6]);
        EXPECT_EQ(b.labels[0], psychometric[k % 11]);
        EXPECT_NE(b.labels[1], 0);
    }
}

// 1600 noise samples: the standard error of the mean is sd / 40, of the variance sd^2 sqrt(2/1600).
TEST(TaskRdm, NoiseHasItsMeanAndVariance) {
    const auto task = make_rdm({.fixation = 32000, .noise = 0.3});
    const Written w(*task, TrialSource(9), 2);
    double sum = 0, squares = 0;
    for (Index t = 0; t < 1600; ++t) {
        sum += double(w.at_u(t));
        squares += double(w.at_u(t)) * double(w.at_u(t));
    }
    EXPECT_NEAR(sum / 1600, 0, 4 * 0.3 / 40);
    EXPECT_NEAR(squares / 1600, 0.09, 4 * 0.09 * std::sqrt(2.0 / 1600));
}

// The noise of a step does not depend on how long the trial is.
TEST(TaskRdm, NoiseIsAFunctionOfTheStep) {
    const auto brief = make_rdm({.stimulus = 1000}), extended = make_rdm({.stimulus = 40000});
    const TrialSource source(4);
    const Written a(*brief, source, 8), b(*extended, source, 8);
    for (Index t = 0; t < 55; ++t) EXPECT_EQ(a.at_u(t), b.at_u(t));
}

// Number k of a trial's normals is unit k % 1024 of step k / 1024.
TEST(TaskRdm, NoiseIsTheNumberOfItsStep) {
    const auto task = make_rdm({.fixation = 60000, .noise = 0.5});
    const TrialSource source(9);
    const Written w(*task, source, 2);
    std::vector<float> normals(1024);
    for (std::uint32_t block = 0; block < 2; ++block) {
        kernels::random_normal(source.noise_key(), {.step = block, .trial = 2}, 1024, 0.0f, 0.5f,
                               normals.data());
        for (Index i = 0; i < 1024; ++i) {
            EXPECT_EQ(w.at_u(1024 * block + i), normals[static_cast<std::size_t>(i)]);
        }
    }
}

TEST(TaskRdm, IdealScoresAreThoseOfTheTable) {
    const auto task = make_rdm();
    const auto ideal = [&](float c) {
        Trial trial;
        trial.labels = {c, c < 0 ? -1.0f : 1.0f};
        return *task->ideal_score(trial);
    };
    EXPECT_NEAR(ideal(0.1f), 0.736, 5e-4);  // printed with three digits
    EXPECT_NEAR(ideal(-0.2f), 0.897, 5e-4);
    EXPECT_NEAR(ideal(0.5f), 0.9992, 5e-5);
    EXPECT_NEAR(ideal(1), 1 - 1.27e-10, 1e-12);  // Phi(sqrt(40)), erfc tables
    EXPECT_EQ(ideal(0), 0.5);
}

TEST(TaskRdm, ASimulatedBestObserverReachesTheIdealScore) {
    const auto task = make_rdm({.psychometric = {0, 0.1, 0.2, 0.5}});
    const TrialSource source(17, Stream::evaluation, Mode::psychometric);
    test::check_ideal_choice(*task, source, 100000,
                             [](const Written& w) { return w.mean_u(w.trial.epoch("stimulus")); });
}

TEST(TaskRdm, RejectsImpossibleOptions) {
    EXPECT_THROW(make_rdm({.dt = 0}), Error);
    EXPECT_THROW(make_rdm({.dt = 120}), Error);
    EXPECT_THROW(make_rdm({.dt = NAN}), Error);
    EXPECT_THROW(make_rdm({.fixation = -20}), Error);
    EXPECT_THROW(make_rdm({.delay = NAN}), Error);
    EXPECT_THROW(make_rdm({.stimulus = 1e300}), Error);
    EXPECT_THROW(make_rdm({.decision = 19}), Error);
    EXPECT_THROW(make_rdm({.noise = -1}), Error);
    EXPECT_THROW(make_rdm({.coherences = {}}), Error);
    EXPECT_THROW(make_rdm({.coherences = {0}}), Error);
    EXPECT_THROW(make_rdm({.psychometric = {-1}}), Error);
    EXPECT_THROW(make_rdm({.catch_fraction = 1.5}), Error);
    try {
        make_rdm({.decision = 10});
        FAIL();
    } catch (const Error& e) {
        EXPECT_STREQ(e.what(), "rdm: decision is 10 ms, no whole step of 20 ms; need at least one");
    }
}

}  // namespace
}  // namespace soma::neuro
