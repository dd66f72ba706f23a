// romo, dms and flipflop: delays, pairs, pulses, best observers.

#include <gtest/gtest.h>

#include <set>

#include "neuro/task_check.h"
#include "soma/core/error.h"
#include "soma/neuro/tasks/dms.h"
#include "soma/neuro/tasks/flipflop.h"
#include "soma/neuro/tasks/romo.h"

namespace soma::neuro {
namespace {

using test::Histogram;
using test::Written;

// ---- romo ----

TEST(TaskRomo, PassesTheChecksOfAllTasks) {
    const auto task = make_romo({.catch_fraction = 0.2});
    test::check_task(*task);
    test::check_score(*task);
}

TEST(TaskRomo, ShowsTheFrequenciesAndJudgesTheirDifference) {
    const auto task = make_romo({.noise = 0});
    ASSERT_EQ(task->max_steps(), 70);
    for (std::uint32_t k = 0; k < 30; ++k) {
        const Written w(*task, TrialSource(2), k);
        const double f1 = w.label(*task, "f1"), f2 = w.label(*task, "f2");
        const Index delay = w.trial.epoch("delay").steps(), second = 10 + delay;
        ASSERT_EQ(w.trial.length, 20 + delay);
        for (Index t = 0; t < w.trial.length; ++t) {
            const bool decision = t >= second + 5;
            const double u = t >= 5 && t < 10                ? (f1 - 22) / 24
                             : t >= second && t < second + 5 ? (f2 - 22) / 24
                                                             : 0;
            EXPECT_EQ(w.at_u(t), static_cast<float>(u));
            EXPECT_EQ(w.at_y(t), decision ? static_cast<float>((f1 - f2) / 24) : 0);
            EXPECT_EQ(w.at_mask(t), decision ? 1 : 0);
        }
    }
}

TEST(TaskRomo, DrawsThe54PairsAndTheDelayUniformly) {
    const auto task = make_romo();
    Histogram<std::array<float, 2>> pairs;
    Histogram<Index> delays;
    for (std::uint32_t k = 0; k < 30000; ++k) {
        const Trial trial = task->plan(TrialSource(3), k);
        ++pairs[{trial.labels[0], trial.labels[1]}];
        ++delays[trial.epoch("delay").steps()];
    }
    test::expect_uniform(pairs, 54);
    test::expect_uniform(delays, 26);
    EXPECT_EQ(delays.begin()->first, 25);
    EXPECT_EQ(delays.rbegin()->first, 50);
}

TEST(TaskRomo, TablesHoldEveryPairOnceWithTheLongestDelay) {
    const auto task = make_romo();
    ASSERT_EQ(task->cells(Mode::grid), 54);
    ASSERT_EQ(task->cells(Mode::psychometric), 13 * 13);
    for (const Mode mode : {Mode::grid, Mode::psychometric}) {
        std::set<std::array<float, 2>> pairs;
        for (std::uint32_t k = 0; k < task->cells(mode); ++k) {
            const Trial trial = task->plan(TrialSource(3, Stream::analysis, mode), k);
            EXPECT_EQ(trial.length, 70);
            EXPECT_NE(trial.labels[2], 0);
            pairs.insert({trial.labels[0], trial.labels[1]});
        }
        EXPECT_EQ(static_cast<Index>(pairs.size()), task->cells(mode));
    }
}

TEST(TaskRomo, IdealScoreIsOneAndASimulatedObserverReachesItWhereItIsNot) {
    const auto easy = make_romo(), hard = make_romo({.noise = 0.5});
    EXPECT_EQ(*easy->ideal_score(easy->plan(TrialSource(1), 0)), 1);
    test::check_ideal_choice(
        *hard, TrialSource(5, Stream::evaluation), 100000, [](const Written& w) {
            return w.mean_u(w.trial.epoch("f1")) - w.mean_u(w.trial.epoch("f2"));
        });
}

TEST(TaskRomo, RejectsImpossibleOptions) {
    EXPECT_THROW(make_romo({.delay_min = 600, .delay_max = 500}), Error);
    EXPECT_THROW(make_romo({.delay_min = -20}), Error);
    EXPECT_THROW(make_romo({.decision = 5}), Error);
    EXPECT_THROW(make_romo({.differences = {}}), Error);
    EXPECT_THROW(make_romo({.low = 34, .high = 10}), Error);
    EXPECT_THROW(make_romo({.low = -1}), Error);
    EXPECT_THROW(make_romo({.high = 1 << 30}), Error);
    EXPECT_THROW(make_romo({.differences = {25}}), Error);
}

// ---- dms ----

TEST(TaskDms, PassesTheChecksOfAllTasks) {
    const auto task = make_dms({.catch_fraction = 0.2});
    test::check_task(*task);
    test::check_score(*task);
}

TEST(TaskDms, ShowsSampleAndTestAndJudgesTheMatch) {
    const auto task = make_dms({.noise = 0});
    ASSERT_EQ(task->max_steps(), 255);
    for (std::uint32_t k = 0; k < 30; ++k) {
        const Written w(*task, TrialSource(2), k);
        const Index sample = static_cast<Index>(w.label(*task, "sample")) - 1;
        const Index test = static_cast<Index>(w.label(*task, "test")) - 1;
        const Index second = 30 + w.trial.epoch("delay").steps();
        ASSERT_EQ(w.trial.length, second + 75);
        for (Index t = 0; t < w.trial.length; ++t) {
            const bool in_sample = t >= 5 && t < 30, in_test = t >= second && t < second + 25;
            for (Index i = 0; i < 2; ++i) {
                EXPECT_EQ(w.at_u(t, i), (in_sample && i == sample) || (in_test && i == test));
            }
            const bool decision = t >= second + 25;
            EXPECT_EQ(w.at_y(t), decision ? (sample == test ? 1 : -1) : 0);
            EXPECT_EQ(w.at_mask(t), decision ? 1 : 0);
        }
    }
}

// A delay uniform in [500, 3000) ms has 125 whole numbers of steps, all as likely.
TEST(TaskDms, DrawsPairsAndDelaysUniformly) {
    const auto task = make_dms();
    Histogram<std::array<float, 2>> pairs;
    Histogram<Index> delays;
    for (std::uint32_t k = 0; k < 30000; ++k) {
        const Trial trial = task->plan(TrialSource(3), k);
        ++pairs[{trial.labels[0], trial.labels[1]}];
        ++delays[trial.epoch("delay").steps()];
    }
    test::expect_uniform(pairs, 4);
    test::expect_uniform(delays, 125);
    EXPECT_EQ(delays.begin()->first, 25);
    EXPECT_EQ(delays.rbegin()->first, 149);
}

TEST(TaskDms, TheGridHasTheLongestDelay) {
    const auto task = make_dms();
    std::set<std::array<float, 2>> pairs;
    for (std::uint32_t k = 0; k < 4; ++k) {
        const Trial trial = task->plan(TrialSource(3, Stream::analysis, Mode::grid), k);
        EXPECT_EQ(trial.length, 255);
        pairs.insert({trial.labels[0], trial.labels[1]});
    }
    EXPECT_EQ(pairs.size(), 4u);
}

TEST(TaskDms, ASimulatedBestObserverReachesTheIdealScore) {
    const auto task = make_dms({.delay_max = 600, .noise = 4});
    test::check_ideal_choice(
        *task, TrialSource(5, Stream::evaluation), 50000, [](const Written& w) {
            const Epoch sample = w.trial.epoch("sample"), test = w.trial.epoch("test");
            return (w.mean_u(sample, 0) - w.mean_u(sample, 1)) *
                   (w.mean_u(test, 0) - w.mean_u(test, 1));
        });
}

TEST(TaskDms, RejectsImpossibleOptions) {
    EXPECT_THROW(make_dms({.dt = -20}), Error);
    EXPECT_THROW(make_dms({.delay_min = 4000}), Error);
    EXPECT_THROW(make_dms({.delay_min = NAN}), Error);
    EXPECT_THROW(make_dms({.test = 19}), Error);
    EXPECT_THROW(make_dms({.catch_fraction = NAN}), Error);
}

// ---- flipflop ----

TEST(TaskFlipflop, PassesTheChecksOfAllTasks) {
    const auto dense = make_flipflop();
    const auto sparse = make_flipflop({.bits = 5,
                                       .steps = 300,
                                       .pulse_probability = 0.02,
                                       .width_min = 1,
                                       .width_max = 5,
                                       .noise = 0.1});
    test::check_task(*dense);
    test::check_task(*sparse);
    test::check_score(*dense);
    test::check_score(*sparse);
}

TEST(TaskFlipflop, RemembersTheLastPulse) {
    const auto task = make_flipflop({.bits = 4});
    ASSERT_EQ(task->max_steps(), 64);
    const Written w(*task, TrialSource(2), 7);
    for (Index i = 0; i < 4; ++i) {
        float last = 0;
        for (Index t = 0; t < 64; ++t) {
            const float pulse = w.at_u(t, i);
            EXPECT_TRUE(pulse == 0 || pulse == 1 || pulse == -1);
            EXPECT_TRUE(t > 0 || pulse != 0);
            if (pulse != 0) last = pulse;
            EXPECT_EQ(w.at_y(t, i), last);
            EXPECT_EQ(w.at_mask(t, i), 1);
        }
    }
}

// Words are drawn in blocks of 512, 128 steps of 4 bits: no block repeats another.
TEST(TaskFlipflop, PulsesOfALongTrialDoNotRepeat) {
    const auto task = make_flipflop({.bits = 4, .steps = 512});
    const Written w(*task, TrialSource(2), 7);
    const auto block = [&](std::ptrdiff_t k) {  // without the first step, which always has pulses
        return std::vector<float>(w.u.begin() + 512 * k + 4, w.u.begin() + 512 * (k + 1));
    };
    for (std::ptrdiff_t k = 0; k < 4; ++k) {
        for (std::ptrdiff_t other = 0; other < k; ++other) EXPECT_NE(block(k), block(other));
    }
}

// Steps 1 ... 63 of 200 trials of 3 bits.
TEST(TaskFlipflop, PulsesComeAtTheirRateWithEitherSign) {
    const auto task = make_flipflop({.pulse_probability = 0.3});
    constexpr Index kSteps = 200 * 63 * 3;
    Index pulses = 0, positive = 0;
    for (std::uint32_t k = 0; k < 200; ++k) {
        const Written w(*task, TrialSource(2), k);
        for (std::size_t at = 3; at < w.u.size(); ++at) {
            if (w.u[at] != 0) ++pulses;
            if (w.u[at] > 0) ++positive;
        }
    }
    test::expect_fraction(double(pulses) / kSteps, 0.3, kSteps);
    test::expect_fraction(double(positive) / double(pulses), 0.5, pulses);
}

// Only the pulse of step 0 where the probability is 0.
TEST(TaskFlipflop, WidthsAreUniform) {
    const auto task = make_flipflop({.pulse_probability = 0, .width_min = 2, .width_max = 6});
    Histogram<Index> widths;
    for (std::uint32_t k = 0; k < 2000; ++k) {
        const Written w(*task, TrialSource(2), k);
        for (Index i = 0; i < 3; ++i) {
            Index width = 0;
            while (w.at_u(width, i) != 0) ++width;
            ++widths[width];
        }
    }
    test::expect_uniform(widths, 5);
    EXPECT_EQ(widths.begin()->first, 2);
}

TEST(TaskFlipflop, ScoreIsTheFractionOfBitsThatAreRight) {
    const auto task = make_flipflop();
    const Written w(*task, TrialSource(2), 1);
    std::vector<float> z = w.y;
    for (std::size_t at = 0; at < 48; ++at) z[at] = -0.1f * z[at];  // a quarter of 192
    EXPECT_EQ(*task->score(w.trial, w.answer(z)), 0.75);
}

TEST(TaskFlipflop, RejectsImpossibleOptions) {
    EXPECT_THROW(make_flipflop({.bits = 0}), Error);
    EXPECT_THROW(make_flipflop({.bits = 257}), Error);
    EXPECT_THROW(make_flipflop({.steps = 0}), Error);
    EXPECT_THROW(make_flipflop({.pulse_probability = 1.1}), Error);
    EXPECT_THROW(make_flipflop({.width_min = 0}), Error);
    EXPECT_THROW(make_flipflop({.width_min = 3, .width_max = 2}), Error);
}

}  // namespace
}  // namespace soma::neuro
