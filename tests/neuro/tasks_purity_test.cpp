// A trial costs no memory and has the same bits with every instruction set.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "neuro/task_check.h"
#include "soma/neuro/tasks/registry.h"
#include "support/every_isa.h"

namespace {
std::atomic<long> allocations{0};
}

[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(bytes);
}
[[gnu::noinline]] void* operator new(std::size_t bytes) {
    if (void* p = operator new(bytes, std::nothrow)) return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace soma::neuro {
namespace {

using test::Written;

TEST(TaskPurity, ATrialAllocatesNothing) {
    for (const TaskEntry& entry : tasks()) {
        const auto task = entry.make();
        Written w(*task, TrialSource(1), 0);  // arrays of the right size
        const TrialView view{.steps = task->max_steps(),
                             .u = w.u.data(),
                             .u_stride = task->inputs(),
                             .y = w.y.data(),
                             .mask = w.mask.data(),
                             .y_stride = task->outputs()};
        const long before = allocations;
        for (const Mode mode : {Mode::drawn, Mode::grid, Mode::psychometric}) {
            const TrialSource source(2, Stream::training, mode);
            for (std::uint32_t k = 0; k < 5; ++k) {
                const Trial trial = task->trial(source, k, view);
                task->score(trial, w.answer(w.y));
                task->ideal_score(trial);
            }
        }
        EXPECT_EQ(allocations - before, 0) << entry.name;
    }
}

TEST(TaskPurity, FillingABatchAllocatesNothing) {
    const auto task = find_task("yang20").make();
    TaskBatch batch(*task, 8);
    const int threads = num_threads();
    set_num_threads(1);
    batch.fill(TrialSource(1), 0);  // the first use chooses the kernels and grows the scratch
    const long before = allocations;
    for (std::uint32_t k = 1; k < 4; ++k) batch.fill(TrialSource(1), 8 * k);
    EXPECT_EQ(allocations - before, 0);
    set_num_threads(threads);
}

TEST(TaskPurity, EveryIsaGivesTheSameBits) {
    for (const TaskEntry& entry : tasks()) {
        SCOPED_TRACE(entry.name);
        const auto task = entry.make();
        const Written reference(*task, TrialSource(3), 5);
        test::on_every_isa([&] {
            const Written w(*task, TrialSource(3), 5);
            EXPECT_TRUE(w.u == reference.u);
            EXPECT_TRUE(w.y == reference.y);
            EXPECT_TRUE(w.trial.labels == reference.trial.labels);
        });
    }
}

}  // namespace
}  // namespace soma::neuro
