// Layer lists from the papers' geometry: parameters and forward operations are computed, not
// quoted.

#include <bit>
#include <numeric>

#include "bench/step.h"
#include "soma/core/error.h"
#include "soma/core/text.h"

namespace soma::bench {
namespace {

// `out` channels of k x k over in / groups channels, on side x side pixels of output.
StepLayer conv(const std::string& name, Index out, Index in, Index k, Index side, Index groups = 1,
               bool bias = true) {
    const Index weights = out * (in / groups) * k * k;
    return {name, weights + (bias ? out : 0),
            2 * static_cast<double>(weights) * static_cast<double>(side * side)};
}

StepLayer linear(const std::string& name, Index out, Index in) {
    return {name, out * in + out, 2 * static_cast<double>(out * in)};
}

StepModel alexnet() {
    return {"alexnet",
            "Krizhevsky et al. 2012, two groups, 224 x 224 images",
            {conv("conv1", 96, 3, 11, 55), conv("conv2", 256, 96, 5, 27, 2),
             conv("conv3", 384, 256, 3, 13), conv("conv4", 384, 384, 3, 13, 2),
             conv("conv5", 256, 384, 3, 13, 2), linear("fc6", 4096, 9216),
             linear("fc7", 4096, 4096), linear("fc8", 1000, 4096)},
            8};
}

// He et al. 2015, table 1: 3, 4, 6, 3 bottlenecks; each convolution has a batch norm (scale,
// shift).
StepModel resnet50() {
    StepModel model{"resnet50", "He et al. 2015, 224 x 224 images", {}, 2};
    const auto add = [&](const std::string& name, Index out, Index in, Index k, Index side) {
        StepLayer layer = conv(name, out, in, k, side, 1, false);
        layer.parameters += 2 * out;
        model.layers.push_back(layer);
    };
    add("conv1", 64, 3, 7, 112);
    Index in = 64, side = 56, width = 64;
    for (const int blocks : {3, 4, 6, 3}) {
        for (int b = 0; b < blocks; ++b) {
            const std::string name =
                concat("conv", 2 + std::countr_zero(static_cast<unsigned>(width / 64)), "_", b + 1);
            add(name + "a", width, in, 1, side);
            add(name + "b", width, width, 3, side);
            if (b == 0) add(name + "s", 4 * width, in, 1, side);
            add(name + "c", 4 * width, width, 1, side);
            in = 4 * width;
        }
        width *= 2;
        side /= 2;
    }
    model.layers.push_back(linear("fc", 1000, 2048));
    return model;
}

StepModel mlp() {
    return {"mlp",
            "784 - 2048 - 2048 - 2048 - 10",
            {linear("fc1", 2048, 784), linear("fc2", 2048, 2048), linear("fc3", 2048, 2048),
             linear("fc4", 10, 2048)},
            256};
}

// Parameters and connections of LeCun et al. 1989, figure 3.
StepModel lecun1989() {
    return {"lecun1989",
            "LeCun et al. 1989, 16 x 16 digits",
            {{"H1", 1068, 2 * 19968.0},
             {"H2", 2592, 2 * 38592.0},
             {"H3", 5790, 2 * 5790.0},
             {"output", 310, 2 * 310.0}},
            64};
}

}  // namespace

Index StepModel::parameters() const {
    return std::accumulate(layers.begin(), layers.end(), Index{0},
                           [](Index n, const StepLayer& l) { return n + l.parameters; });
}

double StepModel::flop() const {
    return 3 * std::accumulate(layers.begin(), layers.end(), 0.0,
                               [](double n, const StepLayer& l) { return n + l.flop; });
}

const std::vector<StepModel>& step_models() {
    static const std::vector<StepModel> models = {alexnet(), resnet50(), mlp(), lecun1989()};
    return models;
}

const StepModel& step_model(const std::string& name) {
    return named(step_models(), "bench step: unknown model", name);
}

}  // namespace soma::bench
