#pragma once
// Small systems with known answers, for the tests of the analyses.

#include <cmath>
#include <vector>

#include "soma/core/rng.h"
#include "soma/kernels/random.h"
#include "soma/linalg/matrix.h"
#include "soma/neuro/ctrnn_dynamics.h"
#include "soma/neuro/dynamics.h"

namespace soma::neuro::test {

// n normals of mean 0 and the given sd.
inline std::vector<double> normals(Index n, double sd, std::uint64_t seed) {
    std::vector<double> values(static_cast<std::size_t>(n));
    kernels::random_normal<double>(make_key(seed, Purpose::surrogate_data), {}, n, 0, sd,
                                   values.data());
    return values;
}

// A net with w_rec ~ N(0, g^2 / N), w_in and bias ~ N(0, 1) where asked for.
inline CtrnnDynamics random_net(Index units, double g, std::uint64_t seed, CtrnnOptions options,
                                Index inputs = 0, bool bias = false) {
    CtrnnWeights w{.units = units, .inputs = inputs};
    w.w_rec = normals(units * units, g / std::sqrt(static_cast<double>(units)), seed);
    w.w_in = normals(inputs * units, 1, seed + 1000);
    if (bias) w.bias = normals(units, 1, seed + 2000);
    return CtrnnDynamics(std::move(w), options);
}

// The cube of neuro.md 6.2: three blocks of 16 units, W = g / 16 within a block and 0 between. Each
// block mean solves x = g tanh x, so there are 27 fixed points for g > 1.
inline CtrnnDynamics cube(double g, double alpha = 1) {
    CtrnnWeights w{.units = 48};
    w.w_rec.resize(48 * 48);
    for (std::size_t i = 0; i < 48; ++i) {
        for (std::size_t j = 0; j < 48; ++j) w.w_rec[i * 48 + j] = i / 16 == j / 16 ? g / 16 : 0;
    }
    return CtrnnDynamics(std::move(w), {.time = {.dt = alpha, .tau = 1}});
}

// The positive root of x = g tanh x, g > 1, by Newton from above.
inline double cube_root(double g) {
    double x = g;
    for (int i = 0; i < 50; ++i) {
        const double t = std::tanh(x);
        x -= (x - g * t) / (1 - g * (1 - t * t));
    }
    return x;
}

// x' = A x.
inline FunctionDynamics linear_map(const linalg::Matrix& a) {
    return {"linear map",
            a.rows,
            0,
            {.step =
                 [a](Values x, Values, MutableValues y) {
                     for (Index i = 0; i < a.rows; ++i) {
                         double sum = 0;
                         for (Index j = 0; j < a.cols; ++j) {
                             sum += a(i, j) * x[static_cast<std::size_t>(j)];
                         }
                         y[static_cast<std::size_t>(i)] = sum;
                     }
                 },
             .jacobian =
                 [a](Values, Values, MutableValues j) {
                     std::copy(a.values.begin(), a.values.end(), j.begin());
                 },
             .input_jacobian = {}}};
}

}  // namespace soma::neuro::test
