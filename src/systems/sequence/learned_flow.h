#pragma once
// A recurrent net that is taught a dynamical system by its samples and then runs alone (Doya 1993,
// "Universality of fully connected recurrent neural networks"; Funahashi & Nakamura 1993, Neural
// Networks 6).
//
//     taught   r_t = tanh(y_{t-1} B + b),  z_t = r_t C + c,   L = mean of (z_t - y_t)^2 / 2
//     alone    y_{t-1} = z_{t-1}:  r_t = tanh(r_{t-1} C B + b + c B)
//
// Teacher forcing replaces what the net would have said by what is true, so no gradient crosses a
// step. Alone it is a recurrent net of N units whose weights C B have rank D. Samples are scaled to
// mean 0 and variance 1 in each coordinate; f64, L-BFGS. Letters: D coordinates, N units.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "soma/linalg/matrix.h"
#include "soma/neuro/ctrnn_dynamics.h"

namespace soma::systems {

struct FlowLesson {
    Index units = 32;
    Index iterations = 2000;  // of L-BFGS
};

class LearnedFlow {
public:
    // now [M, D] and what follows each of them a step of dt later, next [M, D]. Stops early, with
    // what it has learnt, when stop() becomes true. Error(usage) for other sizes.
    LearnedFlow(const linalg::Matrix& now, const linalg::Matrix& next, double dt,
                const FlowLesson& lesson, std::uint64_t seed, const std::function<bool()>& stop);

    double loss() const { return loss_; }
    // The net that runs alone, in the unit of dt.
    const neuro::CtrnnDynamics& dynamics() const { return *alone_; }
    // r after the net was shown y [D].
    std::vector<double> state_of(const std::vector<double>& y) const;
    // [steps + 1, D]: y, and what the net makes of it alone.
    linalg::Matrix run(const std::vector<double>& y, Index steps) const;

private:
    std::vector<double> output(const std::vector<double>& r) const;

    std::vector<double> mean_, sd_;    // of the samples [D]
    linalg::Matrix in_, out_;          // B [D, N], C [N, D]
    std::vector<double> bias_, rest_;  // b, c
    double loss_ = 0;
    std::unique_ptr<neuro::CtrnnDynamics> alone_;
};

}  // namespace soma::systems
