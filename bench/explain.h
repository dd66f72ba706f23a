#pragma once
// What gemm() does with a product: its plan, the predicted and the measured time.

#include <string>

#include "bench/cost_model.h"
#include "bench/measure.h"
#include "soma/kernels/gemm.h"

namespace soma::bench {

struct Explanation {
    std::string path;  // gemm_plan.h
    bool pack_a = false;
    ProductPlan plan;
    Index cells_m = 1, cells_n = 1;  // parts of C for threads
    MachineRates rates;
    Prediction prediction;
    Spread measured;  // seconds of a call
};

// Measures the machine and the product, on num_threads() threads. T = float or double; sizes of at
// least 1.
template <class T>
Explanation explain_gemm(Index m, Index n, Index k, kernels::Op op_a, kernels::Op op_b,
                         const MeasureOptions& options);

}  // namespace soma::bench
