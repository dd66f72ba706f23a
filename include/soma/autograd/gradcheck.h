#pragma once
// Gradient check: the backward of any composition of ops against central differences in f64.
//
// For y = f(x_1..x_n) and a fixed random co-vector c, L = <c, y>. Every element e of every input is
// compared: |dL/de - (L(e + h) - L(e - h)) / 2h| <= atol + rtol * |dL/de|, h = eps * max(1, |e|).
// Central differences are off by O(h^2) and by u |L| / h of rounding, so eps = 1e-6 leaves about
// 1e-9.
//
// Kinks (ReLU, max, clip): an element is skipped when the one-sided differences disagree by more
// than the tolerance, for there the derivative does not exist within h; `skipped` counts them.

#include <functional>
#include <string>
#include <vector>

#include "soma/autograd/tape.h"

namespace soma {

struct GradcheckOptions {
    double eps = 1e-6;
    double atol = 1e-5;
    double rtol = 1e-3;
    std::uint64_t seed = 1;  // of the co-vector
};

struct GradcheckResult {
    bool ok = true;
    double worst = 0;  // largest |difference| / (atol + rtol |gradient|)
    Index checked = 0;
    Index skipped = 0;    // elements on a kink
    std::string message;  // the first failing element, empty when ok
};

using TapeFunction = std::function<Var(Tape&, std::span<const Var>)>;

// Inputs are converted to f64. f must be a pure function of its inputs.
GradcheckResult gradcheck(const TapeFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

}  // namespace soma
