#pragma once
// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019). At update t = 1, 2, ...
//
//     Adam    d = g + weight_decay w               AdamW   d = g,  w <- w - lr weight_decay w
//     m <- beta1 m + (1 - beta1) d                 v <- beta2 v + (1 - beta2) d^2
//     w <- w - (lr / (1 - beta1^t)) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
//
// The powers are running products in f64. Roundings: kernels/table/optim.h.
// Slots: m, v. Scalars: beta1_power, beta2_power.

#include "soma/optim/optimizer.h"

namespace soma::optim {

struct AdamOptions {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0;
};

class Adam : public Optimizer {
public:
    explicit Adam(nn::ParameterStore& store, const AdamOptions& options = {})
        : Adam(store, options, false) {}
    void step(double lr, double gradient_scale = 1) override;
    std::string describe() const override;

protected:
    Adam(nn::ParameterStore& store, const AdamOptions& options, bool decoupled);

private:
    AdamOptions options_;
    bool decoupled_;  // AdamW
};

class AdamW final : public Adam {
public:
    explicit AdamW(nn::ParameterStore& store, const AdamOptions& options = {.weight_decay = 0.01})
        : Adam(store, options, true) {}
};

}  // namespace soma::optim
