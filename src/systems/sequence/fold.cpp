#include "systems/sequence/fold.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "soma/neuro/recurrent_gradients.h"
#include "systems/slope.h"

namespace soma::systems {

double fold_state(double w) { return std::sqrt(1 - 1 / w); }
double fold_bias(double w) { return std::atanh(fold_state(w)) - w * fold_state(w); }

EndState end_state(double w, double b, Index steps) {
    const neuro::CtrnnCell cell(1, 0);
    const std::vector<double> theta{w, b}, start{1};
    EndState end;
    const neuro::StepLoss loss = [&](Index t, neuro::Values x, neuro::MutableValues dx) {
        dx[0] = t == steps ? 1 : 0;
        if (t == steps) end.x = x[0];
        return t == steps ? x[0] : 0;
    };
    end.slope = neuro::bptt({cell, theta, start, {}, steps, loss}).theta[1];
    return end;
}

struct Peak {
    double distance = 0, slope = 0;  // |b - b_f| and |dx_T/db| there
};

GradientPeak find_peak(double w, Index steps) {
    constexpr Index kCells = 2000;
    const double t = static_cast<double>(steps);
    const double theory = std::numbers::pi * std::numbers::pi / (fold_state(w) * t * t);
    GradientPeak peak;
    const auto look = [&](Index first, Index last, Index stride) {
        for (Index i = std::max<Index>(first, 1); i <= last; i += stride) {
            const double distance = theory * static_cast<double>(i) / kCells;
            const double slope = std::abs(end_state(w, fold_bias(w) - distance, steps).slope);
            if (slope > peak.slope) peak = {distance, slope};
        }
    };
    look(1, 2 * kCells, 40);
    const auto around = static_cast<Index>(std::lround(peak.distance / theory * kCells));
    look(around - 40, around + 40, 1);
    return peak;
}

double log_log_slope(const train::Series& s) {
    train::Series logs = s;
    for (double& v : logs.x) v = std::log(v);
    for (double& v : logs.y) v = std::log(v);
    return fitted_slope(logs.x, logs.y);
}

}  // namespace soma::systems
