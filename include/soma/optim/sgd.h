#pragma once
// Sgd: gradient descent, plain or with one of three forms of momentum. With d = g + weight_decay w:
//
//     plain      w <- w - lr d                                     momentum == 0: no slot
//     classic    v <- momentum v + d          w <- w - lr v        Polyak 1964; 1986 at constant lr
//     nesterov   v <- momentum v + d          w <- w - lr (d + momentum v)
//     alexnet    v <- momentum v - lr d       w <- w + v           Krizhevsky et al. 2012
//
// The forms differ when lr changes: alexnet's velocity remembers the rates it was made with.
// Roundings: kernels/table/optim.h. Slot: velocity (unless plain).

#include "soma/kernels/table/optim.h"
#include "soma/optim/optimizer.h"

namespace soma::optim {

struct SgdOptions {
    double momentum = 0;
    kernels::MomentumForm form = kernels::MomentumForm::classic;
    double weight_decay = 0;
};

class Sgd final : public Optimizer {
public:
    explicit Sgd(nn::ParameterStore& store, const SgdOptions& options = {});
    void step(double lr, double gradient_scale = 1) override;
    std::string describe() const override;

private:
    SgdOptions options_;
};

}  // namespace soma::optim
