// Speed of the task generators: a batch of one thread, and the normals in it alone.
//
// The target of neuro.md 4.7 is 50 us for 16 x 100 steps of rdm. Rows: that, every task of the
// registry with 64 trials, and the fills of as many normals as the 85 noisy inputs of yang20 take.
// Counters: time for a step of a trial, for a normal. SOMA_ISA selects the kernels.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "soma/core/parallel.h"
#include "soma/kernels/random.h"
#include "soma/neuro/tasks/batch.h"
#include "soma/neuro/tasks/rdm.h"
#include "soma/neuro/tasks/registry.h"

namespace {

using namespace soma;
using namespace soma::neuro;

const auto kTimePerUnit =
    benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert;

void fill(benchmark::State& state, const Task& task, Index size) {
    TaskBatch batch(task, size);
    const TrialSource source(1);
    batch.fill(source, 0);
    const auto steps = static_cast<double>(size * batch.steps());
    for (auto _ : state) batch.fill(source, 0);
    state.counters["step"] = benchmark::Counter(steps, kTimePerUnit);
    state.counters["T"] = static_cast<double>(batch.steps());
}

void normals(benchmark::State& state) {
    std::vector<float> y(1024);
    std::uint32_t step = 0;
    for (auto _ : state) {
        kernels::random_normal({1, 2}, {.step = ++step}, 1024, 0.0f, 1.0f, y.data());
    }
    state.counters["normal"] = benchmark::Counter(1024, kTimePerUnit);
}

}  // namespace

int main(int argc, char** argv) {
    set_num_threads(1);
    const auto rdm = make_rdm({.stimulus = 1780});
    benchmark::RegisterBenchmark("rdm/16x100", [&](auto& state) { fill(state, *rdm, 16); });
    std::vector<std::unique_ptr<Task>> all;
    for (const TaskEntry& entry : tasks()) all.push_back(entry.make());
    for (const auto& task : all) {
        benchmark::RegisterBenchmark((task->name() + "/64").c_str(),
                                     [&](auto& state) { fill(state, *task, 64); });
    }
    benchmark::RegisterBenchmark("normals/1024", normals);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
