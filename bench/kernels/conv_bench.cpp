// Speed of the convolution kernels: forward, backward-data and backward-weights of one thread.
//
// Each row reports GF = 10^9 flop per second (an FMA counts 2) and the time of a call; divide by
// the peak that bench_gemm prints for the same ISA. SOMA_ISA selects the kernels.
// Rows: the two layers of the 1989 digit network at batch 1 (latency), fashion_cnn, and layers of
// VGG, ResNet and AlexNet.

#include <benchmark/benchmark.h>

#include <vector>

#include "soma/core/parallel.h"
#include "soma/kernels/conv.h"

namespace {

using soma::Index;
using soma::kernels::ConvGeometry;

ConvGeometry square(Index n, Index size, Index c, Index k, Index oc, Index stride, Index pad) {
    return {.n = n,
            .h = size,
            .w = size,
            .c = c,
            .kh = k,
            .kw = k,
            .oc = oc,
            .stride_h = stride,
            .stride_w = stride,
            .pad_top = pad,
            .pad_bottom = pad,
            .pad_left = pad,
            .pad_right = pad};
}

struct Row {
    const char* name;
    ConvGeometry geometry;
};

std::vector<Row> rows() {
    std::vector<Row> list = {
        {"zip_h1_batch1", square(1, 16, 1, 5, 12, 2, 2)},
        {"zip_h2_batch1", square(1, 8, 12, 5, 12, 2, 2)},
        {"zip_h2_batch32", square(32, 8, 12, 5, 12, 2, 2)},
        {"fashion_conv1_batch64", square(64, 28, 1, 3, 32, 1, 1)},
        {"fashion_conv2_batch64", square(64, 14, 32, 3, 64, 1, 1)},
        {"vgg_56x128_256", square(1, 56, 128, 3, 256, 1, 1)},
        {"resnet_14x256_256", square(4, 14, 256, 3, 256, 1, 1)},
        {"resnet_7x512_512", square(8, 7, 512, 3, 512, 1, 1)},
        {"resnet_1x1_56x64_256", square(1, 56, 64, 1, 256, 1, 0)},
        {"alexnet_conv1", square(1, 227, 3, 11, 96, 4, 0)},
        {"dcgan_16x64_128_stride2", square(16, 16, 64, 4, 128, 2, 1)},
    };
    ConvGeometry depthwise = square(1, 56, 128, 3, 128, 1, 1);
    depthwise.groups = 128;
    list.push_back({"depthwise_56x128", depthwise});
    return list;
}

std::vector<float> ramp(Index n) {
    std::vector<float> v(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i % 17) / 16 - 0.5f;
    return v;
}

enum class Pass { forward, data, weights };

void run(benchmark::State& state, const ConvGeometry& g, Pass pass) {
    soma::set_num_threads(1);
    std::vector<float> x = ramp(g.x_count()), w = ramp(g.weight_count()), y = ramp(g.y_count());
    for (auto _ : state) {
        switch (pass) {
            case Pass::forward:
                soma::kernels::conv2d<float>(g, x.data(), w.data(), {}, y.data());
                break;
            case Pass::data:
                soma::kernels::conv2d_backward_data(g, y.data(), w.data(), false, x.data());
                break;
            case Pass::weights:
                soma::kernels::conv2d_backward_weights(g, x.data(), y.data(), false, w.data());
                break;
        }
        benchmark::ClobberMemory();
    }
    state.counters["GF"] =
        benchmark::Counter(g.flop() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

int main(int argc, char** argv) {
    for (const Row& row : rows()) {
        const std::string name = row.name;
        const std::pair<const char*, Pass> passes[] = {
            {"/forward", Pass::forward}, {"/data", Pass::data}, {"/weights", Pass::weights}};
        for (const auto& [suffix, pass] : passes) {
            benchmark::RegisterBenchmark((name + suffix).c_str(), run, row.geometry, pass)
                ->Unit(benchmark::kMicrosecond);
        }
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
