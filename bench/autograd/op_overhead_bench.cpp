// What a node costs: forward, backward and reset of tiny ops, in nanoseconds an op.
//
// Four elements make the kernels nearly free, so the figure is the tape's own: Node, arena,
// gradient buffers and two dispatches. The mark is 60 ns an op, forward and backward together.

#include <benchmark/benchmark.h>

#include "soma/autograd/ops/math.h"

namespace {

using namespace soma;

using Chain = Var (*)(Var x, Var w, int length);

Var mul_add_tanh(Var x, Var w, int length) {
    for (int i = 0; i < length; ++i) x = i % 3 == 0 ? x * w : i % 3 == 1 ? x + w : tanh(x);
    return x;
}
Var muls(Var x, Var w, int length) {
    for (int i = 0; i < length; ++i) x = x * w;
    return x;
}
Var tanhs(Var x, Var, int length) {
    for (int i = 0; i < length; ++i) x = tanh(x);
    return x;
}

// One step: leaves, `length` ops, a sweep, reset.
void run(benchmark::State& state, Chain chain, bool sweep) {
    constexpr int kLength = 100;
    const Tensor start = Tensor::full({4}, 0.5), seed = Tensor::full({4}, 1);
    float weight[4] = {0.9f, 0.8f, 0.7f, 0.6f}, gradient[4] = {};
    Tape tape;
    for (auto _ : state) {
        tape.reset();
        const Var x = tape.input(start);
        const Var w = tape.parameter({4}, DType::f32, weight, gradient);
        const Var y = chain(x, w, kLength);
        if (sweep) tape.backward(y, seed);
        benchmark::DoNotOptimize(tape.node(y).value);
    }
    state.counters["op"] = benchmark::Counter(
        kLength, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

BENCHMARK_CAPTURE(run, mul_add_tanh, mul_add_tanh, true);
BENCHMARK_CAPTURE(run, mul_add_tanh_forward, mul_add_tanh, false);
BENCHMARK_CAPTURE(run, mul, muls, true);
BENCHMARK_CAPTURE(run, tanh, tanhs, true);

}  // namespace

BENCHMARK_MAIN();
