#pragma once
// RMSprop (Hinton's lecture 6e, 2012) and Adadelta (Zeiler 2012). With d = g + weight_decay w:
//
//     RMSprop    s <- rho s + (1 - rho) d^2        w <- w - lr d / (sqrt(s) + eps)
//     Adadelta   s <- rho s + (1 - rho) d^2        e = d sqrt(u + eps) / sqrt(s + eps)
//                u <- rho u + (1 - rho) e^2        w <- w - lr e
//
// Roundings: kernels/table/optim.h. Slots: square (s); Adadelta also delta (u).

#include "soma/optim/optimizer.h"

namespace soma::optim {

struct RmspropOptions {
    double rho = 0.9;
    double eps = 1e-8;
    double weight_decay = 0;
};

class Rmsprop final : public Optimizer {
public:
    explicit Rmsprop(nn::ParameterStore& store, const RmspropOptions& options = {});
    void step(double lr, double gradient_scale = 1) override;
    std::string describe() const override;

private:
    RmspropOptions options_;
};

struct AdadeltaOptions {
    double rho = 0.95;
    double eps = 1e-6;
    double weight_decay = 0;
};

class Adadelta final : public Optimizer {
public:
    explicit Adadelta(nn::ParameterStore& store, const AdadeltaOptions& options = {});
    void step(double lr, double gradient_scale = 1) override;  // the paper's lr is 1
    std::string describe() const override;

private:
    AdadeltaOptions options_;
};

}  // namespace soma::optim
