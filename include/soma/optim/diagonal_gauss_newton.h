#pragma once
// DiagonalGaussNewton: a step size of its own for every weight, from the curvature (LeCun 1989).
//
//     w_k <- w_k - (lr / (mu + h_kk)) g_k        lr is the paper's eps; h from diagonal_curvature
//
// Slot: inverse_curvature, 1 / (mu + h); h counts as 0 until set_curvature is called.

#include "soma/optim/optimizer.h"

namespace soma::optim {

struct DiagonalGaussNewtonOptions {
    double mu = 0.1;  // > 0: bounds the step where the error is flat
};

class DiagonalGaussNewton final : public Optimizer {
public:
    explicit DiagonalGaussNewton(nn::ParameterStore& store,
                                 const DiagonalGaussNewtonOptions& options = {});
    // h >= 0, laid out like the store's trainable part; copied.
    void set_curvature(const Tensor& h);
    void step(double lr, double gradient_scale = 1) override;
    std::string describe() const override;

private:
    DiagonalGaussNewtonOptions options_;
};

}  // namespace soma::optim
