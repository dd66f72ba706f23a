// What holds for every trial of every task: the same bits wherever it is made, padding, errors.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "neuro/task_check.h"
#include "soma/core/error.h"
#include "soma/neuro/tasks/batch.h"
#include "soma/neuro/tasks/rdm.h"
#include "soma/neuro/tasks/registry.h"

namespace soma::neuro {
namespace {

using test::Written;

TEST(TaskSource, StreamsAndSeedsAreIndependent) {
    const auto task = make_rdm();
    const auto u = [&](const TrialSource& source) { return Written(*task, source, 5).u; };
    EXPECT_NE(u(TrialSource(1)), u(TrialSource(2)));
    EXPECT_NE(u(TrialSource(1)), u(TrialSource(1, Stream::evaluation)));
    EXPECT_EQ(u(TrialSource(1)), u(TrialSource(1)));
}

TEST(TaskBatch, MeanScoreLeavesOutCatchTrials) {
    const std::vector<std::optional<double>> scores = {1.0, std::nullopt, 0.0, 1.0, 1.0};
    const MeanScore mean = mean_score(scores);
    EXPECT_EQ(mean.score, 0.75);
    EXPECT_EQ(mean.trials, 4);
    EXPECT_EQ(mean_score({}).trials, 0);
}

TEST(TaskBatch, PutsTheLongestFirstAndEqualOnesAsGiven) {
    const auto task = find_task("romo").make();
    const TrialSource source(4);
    const std::vector<std::uint32_t> indices{9, 3, 7, 1, 5, 2, 8, 6};
    TaskBatch given(*task, 8), sorted(*task, 8);
    given.fill(source, indices);
    sorted.fill(source, indices, TaskBatch::Sequence::longest_first);

    std::vector<Trial> expected(given.trials().begin(), given.trials().end());
    std::stable_sort(expected.begin(), expected.end(),
                     [](const Trial& a, const Trial& b) { return a.length > b.length; });
    ASSERT_NE(expected.front().length, expected.back().length);
    for (std::size_t b = 0; b < expected.size(); ++b) {
        EXPECT_EQ(sorted.trials()[b].index, expected[b].index);
        EXPECT_EQ(sorted.lengths()[b], expected[b].length);
    }
}

TEST(TaskBatch, RejectsBadArguments) {
    const auto task = make_rdm();
    EXPECT_THROW(TaskBatch(*task, 0), Error);
    TaskBatch batch(*task, 3);
    const std::vector<std::uint32_t> two = {4, 5};
    EXPECT_THROW(batch.fill(TrialSource(1), two), Error);
    batch.fill(TrialSource(1), 0);
    EXPECT_THROW(batch.scores(Tensor({51, 2, 1}, DType::f32)), Error);
    EXPECT_THROW(batch.scores(Tensor({51, 3, 1}, DType::f64)), Error);
}

TEST(TaskRegistry, EveryTaskHasItsOwnNameAndPassesTheChecks) {
    std::set<std::string> names;
    for (const TaskEntry& entry : tasks()) {
        const auto task = entry.make();
        EXPECT_EQ(task->name(), entry.name);
        EXPECT_TRUE(names.insert(entry.name).second);
        test::check_task(*task);
        test::check_score(*task);
    }
}

TEST(TaskRegistry, FindsTasksAndNamesTheNearest) {
    EXPECT_EQ(&find_task("mante"), &tasks()[1]);
    EXPECT_EQ(find_task("sum-of-sines").name, "sum_of_sines");
    try {
        find_task("mantle");
        FAIL();
    } catch (const Error& e) {
        EXPECT_STREQ(e.what(), "unknown task 'mantle'; did you mean mante?");
    }
}

TEST(Task, UnknownLabelNamesTheNearest) {
    const auto task = make_rdm();
    EXPECT_EQ(task->label("choice"), 1);
    try {
        task->label("coherense");
        FAIL();
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("did you mean coherence?"), std::string::npos);
    }
}

}  // namespace
}  // namespace soma::neuro
