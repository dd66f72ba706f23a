// mante and raposo: timing, contexts, drawn conditions, tables, best observers.

#include <gtest/gtest.h>

#include <set>

#include "neuro/task_check.h"
#include "soma/core/error.h"
#include "soma/neuro/tasks/mante.h"
#include "soma/neuro/tasks/raposo.h"

namespace soma::neuro {
namespace {

using test::Histogram;
using test::Written;

// ---- mante ----

TEST(TaskMante, PassesTheChecksOfAllTasks) {
    const auto task = make_mante({.catch_fraction = 0.2});
    test::check_task(*task);
    test::check_score(*task);
}

TEST(TaskMante, ContextIsOnFromFixationToDecisionAndChoosesTheSense) {
    const auto task = make_mante({.amplitude = 0.5, .noise = 0});
    ASSERT_EQ(task->max_steps(), 68);
    for (std::uint32_t k = 0; k < 30; ++k) {
        const Written w(*task, TrialSource(2), k);
        const float c1 = w.label(*task, "coherence_1"), c2 = w.label(*task, "coherence_2");
        const bool first = w.label(*task, "context") == 1;
        for (Index t = 0; t < 68; ++t) {
            const bool stimulus = t >= 22 && t < 62, context = t >= 5 && t < 67;
            EXPECT_EQ(w.at_u(t, 0), stimulus ? static_cast<float>(0.1 * c1) : 0);
            EXPECT_EQ(w.at_u(t, 1), stimulus ? static_cast<float>(0.1 * c2) : 0);
            EXPECT_EQ(w.at_u(t, 2), context && first ? 0.5f : 0);
            EXPECT_EQ(w.at_u(t, 3), context && !first ? 0.5f : 0);
            EXPECT_EQ(w.at_mask(t), t == 67 ? 1 : 0);
            EXPECT_EQ(w.at_y(t), t == 67 ? ((first ? c1 : c2) > 0 ? 1 : -1) : 0);
        }
    }
}

TEST(TaskMante, DrawsCoherencesAndContextIndependently) {
    const auto task = make_mante();
    Histogram<std::array<float, 3>> conditions;
    for (std::uint32_t k = 0; k < 30000; ++k) {
        const auto& l = task->plan(TrialSource(3), k).labels;
        ++conditions[{l[0], l[1], l[2]}];
    }
    test::expect_uniform(conditions, 72);
}

TEST(TaskMante, TablesHoldEveryConditionOnce) {
    const auto task = make_mante();
    ASSERT_EQ(task->cells(Mode::grid), 72);
    ASSERT_EQ(task->cells(Mode::psychometric), 242);
    for (const Mode mode : {Mode::grid, Mode::psychometric}) {
        std::set<std::array<float, 3>> conditions;
        const auto cells = static_cast<std::uint32_t>(task->cells(mode));
        for (std::uint32_t k = cells; k < 2 * cells; ++k) {
            const auto& l = task->plan(TrialSource(3, Stream::analysis, mode), k).labels;
            conditions.insert({l[0], l[1], l[2]});
        }
        EXPECT_EQ(conditions.size(), cells);
    }
}

TEST(TaskMante, ASimulatedBestObserverReachesTheIdealScore) {
    const auto task = make_mante({.coherences = {0.1, 0.2, 0.5}});
    test::check_ideal_choice(*task, TrialSource(5, Stream::evaluation), 100000,
                             [&](const Written& w) {
                                 const Index attended = w.label(*task, "context") == 1 ? 0 : 1;
                                 return w.mean_u(w.trial.epoch("stimulus"), attended);
                             });
}

TEST(TaskMante, CatchTrialsHaveNoContext) {
    const auto task = make_mante({.noise = 0, .catch_fraction = 1});
    const Written w(*task, TrialSource(1), 4);
    EXPECT_EQ(w.u, std::vector<float>(68 * 4, 0.0f));
    EXPECT_EQ(w.at_mask(67), 1);
    EXPECT_FALSE(task->score(w.trial, w.answer(w.y)).has_value());
}

TEST(TaskMante, RejectsImpossibleOptions) {
    EXPECT_THROW(make_mante({.dt = 101}), Error);
    EXPECT_THROW(make_mante({.context = -1}), Error);
    EXPECT_THROW(make_mante({.decision = 0}), Error);
    EXPECT_THROW(make_mante({.catch_fraction = -0.1}), Error);
}

// ---- raposo ----

TEST(TaskRaposo, PassesTheChecksOfAllTasks) {
    const auto task = make_raposo({.catch_fraction = 0.2});
    test::check_task(*task);
    test::check_score(*task);
}

TEST(TaskRaposo, ContextsOfTheModalityAreOnUntilTheStimulusEnds) {
    const auto task = make_raposo({.noise = 0});
    ASSERT_EQ(task->max_steps(), 68);
    for (std::uint32_t k = 0; k < 30; ++k) {
        const Written w(*task, TrialSource(2), k);
        const float visual = w.label(*task, "coherence_visual");
        const float auditory = w.label(*task, "coherence_auditory");
        const float modality = w.label(*task, "modality");
        EXPECT_EQ(visual == 0, modality == 2);
        EXPECT_EQ(auditory == 0, modality == 1);
        EXPECT_GE(visual * auditory, 0);
        for (Index t = 0; t < 68; ++t) {
            const bool stimulus = t >= 22 && t < 62, context = t >= 5 && t < 62;
            EXPECT_EQ(w.at_u(t, 0), stimulus ? static_cast<float>(0.1 * visual) : 0);
            EXPECT_EQ(w.at_u(t, 1), stimulus ? static_cast<float>(0.1 * auditory) : 0);
            EXPECT_EQ(w.at_u(t, 2), context && modality != 2 ? 0.1f : 0);
            EXPECT_EQ(w.at_u(t, 3), context && modality != 1 ? 0.1f : 0);
            EXPECT_EQ(w.at_y(t), t == 67 ? (visual + auditory > 0 ? 1 : -1) : 0);
        }
    }
}

TEST(TaskRaposo, DrawsModalitySignAndMagnitudesUniformly) {
    const auto task = make_raposo();
    Histogram<float> modalities, visual;
    Histogram<std::array<float, 2>> both;
    for (std::uint32_t k = 0; k < 30000; ++k) {
        const auto& l = task->plan(TrialSource(3), k).labels;
        ++modalities[l[2]];
        if (l[2] == 1) ++visual[l[0]];
        if (l[2] == 0) ++both[{l[0], l[1]}];
    }
    test::expect_uniform(modalities, 3);
    test::expect_uniform(visual, 6);
    test::expect_uniform(both, 18);
}

TEST(TaskRaposo, TablesHoldEveryConditionOnce) {
    const auto task = make_raposo();
    ASSERT_EQ(task->cells(Mode::grid), 30);
    ASSERT_EQ(task->cells(Mode::psychometric), 33);
    for (const Mode mode : {Mode::grid, Mode::psychometric}) {
        std::set<std::array<float, 3>> conditions;
        for (std::uint32_t k = 0; k < task->cells(mode); ++k) {
            const auto& l = task->plan(TrialSource(3, Stream::analysis, mode), k).labels;
            EXPECT_GE(l[0] * l[1], 0);
            conditions.insert({l[0], l[1], l[2]});
        }
        EXPECT_EQ(static_cast<Index>(conditions.size()), task->cells(mode));
    }
}

// 12 cells of one sense, then both: sign, magnitude of visual, magnitude of auditory.
TEST(TaskRaposo, TheGridIsInOrder) {
    const auto task = make_raposo();
    const auto coherences = [&](std::uint32_t cell) {
        const auto& l = task->plan(TrialSource(3, Stream::analysis, Mode::grid), cell).labels;
        return std::pair(l[0], l[1]);
    };
    EXPECT_EQ(coherences(0), std::pair(-4.0f, 0.0f));
    EXPECT_EQ(coherences(11), std::pair(0.0f, 4.0f));
    EXPECT_EQ(coherences(12), std::pair(-1.0f, -1.0f));
    EXPECT_EQ(coherences(13), std::pair(-1.0f, -2.0f));
    EXPECT_EQ(coherences(20), std::pair(-4.0f, -4.0f));
    EXPECT_EQ(coherences(21), std::pair(1.0f, 1.0f));
    EXPECT_EQ(coherences(24), std::pair(2.0f, 1.0f));
}

// The weights of the best observer are the coherences themselves.
TEST(TaskRaposo, ASimulatedBestObserverReachesTheIdealScore) {
    const auto task = make_raposo({.coherences = {0.1, 0.2, 0.5}});
    test::check_ideal_choice(
        *task, TrialSource(5, Stream::evaluation), 100000, [](const Written& w) {
            const Epoch stimulus = w.trial.epoch("stimulus");
            const auto& l = w.trial.labels;
            return std::abs(l[0]) * w.mean_u(stimulus, 0) + std::abs(l[1]) * w.mean_u(stimulus, 1);
        });
}

}  // namespace
}  // namespace soma::neuro
