// Winograd against direct convolution on the 3x3 layers of VGG-16, one thread.
//
// Each iteration runs both, one after the other, so that a change of the machine's pace meets both.
// A row's time is the median of Winograd (CPU time of the thread); its counters:
//     GF       direct flop / that time, in 10^9 per second: above the peak when the method pays
//     direct   the same for conv2d
//     ratio    median of direct time / Winograd time
// "kept": the weights were transformed before; otherwise every call transforms them.

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <string>
#include <vector>

#include "soma/core/parallel.h"
#include "soma/kernels/winograd.h"

namespace {

using soma::Index;
using soma::kernels::ConvGeometry;
using soma::kernels::WinogradPass;
using soma::kernels::WinogradTile;
using soma::kernels::WinogradWeights;

ConvGeometry layer(Index batch, Index size, Index c, Index oc) {
    return {.n = batch,
            .h = size,
            .w = size,
            .c = c,
            .kh = 3,
            .kw = 3,
            .oc = oc,
            .pad_top = 1,
            .pad_bottom = 1,
            .pad_left = 1,
            .pad_right = 1};
}

struct Row {
    const char* name;
    Index size, c, oc;
};
constexpr Row kRows[] = {{"conv1_2", 224, 64, 64},   {"conv2_1", 112, 64, 128},
                         {"conv2_2", 112, 128, 128}, {"conv3_1", 56, 128, 256},
                         {"conv3_2", 56, 256, 256},  {"conv4_1", 28, 256, 512},
                         {"conv4_2", 28, 512, 512},  {"conv5_1", 14, 512, 512}};

std::vector<float> ramp(Index n) {
    std::vector<float> v(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i % 17) / 16 - 0.5f;
    return v;
}

double thread_seconds() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double median(std::vector<double> v) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return v[v.size() / 2];
}

struct Case {
    ConvGeometry geometry;
    WinogradTile tile;
    WinogradPass pass;
    bool kept;
};

void run(benchmark::State& state, const Case& task) {
    soma::set_num_threads(1);
    const ConvGeometry& g = task.geometry;
    const bool forward = task.pass == WinogradPass::forward;
    const std::vector<float> x = ramp(g.x_count()), w = ramp(g.weight_count());
    const std::vector<float> dy = ramp(g.y_count());
    std::vector<float> y(dy.size()), dx(x.size());
    const WinogradWeights<float> kept(task.tile, task.pass, g.c, g.oc, w.data());
    std::vector<double> direct, winograd, ratio;
    for (auto _ : state) {
        const double start = thread_seconds();
        if (forward) {
            soma::kernels::conv2d<float>(g, x.data(), w.data(), {}, y.data());
        } else {
            soma::kernels::conv2d_backward_data(g, dy.data(), w.data(), false, dx.data());
        }
        const double middle = thread_seconds();
        if (forward && task.kept) {
            soma::kernels::conv2d_winograd<float>(g, x.data(), kept, {}, y.data());
        } else if (forward) {
            soma::kernels::conv2d_winograd<float>(g, task.tile, x.data(), w.data(), {}, y.data());
        } else if (task.kept) {
            soma::kernels::conv2d_winograd_backward_data(g, dy.data(), kept, false, dx.data());
        } else {
            soma::kernels::conv2d_winograd_backward_data(g, task.tile, dy.data(), w.data(), false,
                                                         dx.data());
        }
        benchmark::ClobberMemory();
        const double end = thread_seconds();
        direct.push_back(middle - start);
        winograd.push_back(end - middle);
        ratio.push_back((middle - start) / (end - middle));
        state.SetIterationTime(winograd.back());
    }
    state.counters["GF"] = g.flop() * 1e-9 / median(winograd);
    state.counters["direct"] = g.flop() * 1e-9 / median(direct);
    state.counters["ratio"] = median(ratio);
}

}  // namespace

int main(int argc, char** argv) {
    for (const Row& row : kRows) {
        for (const Index batch : {1, 8}) {
            for (const WinogradTile tile : {WinogradTile::f2x2, WinogradTile::f4x4}) {
                for (const WinogradPass pass :
                     {WinogradPass::forward, WinogradPass::backward_data}) {
                    for (const bool kept : {false, true}) {
                        const std::string name =
                            std::string(row.name) + "/batch" + std::to_string(batch) +
                            (tile == WinogradTile::f2x2 ? "/f2x2" : "/f4x4") +
                            (pass == WinogradPass::forward ? "/forward" : "/data") +
                            (kept ? "/kept" : "");
                        const Case task{layer(batch, row.size, row.c, row.oc), tile, pass, kept};
                        benchmark::RegisterBenchmark(name.c_str(), run, task)
                            ->Unit(benchmark::kMillisecond)
                            ->UseManualTime();
                    }
                }
            }
        }
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
