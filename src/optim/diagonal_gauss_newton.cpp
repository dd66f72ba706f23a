#include "soma/optim/diagonal_gauss_newton.h"

#include "flat.h"
#include "number.h"
#include "soma/kernels/optim.h"

namespace soma::optim {

DiagonalGaussNewton::DiagonalGaussNewton(nn::ParameterStore& store,
                                         const DiagonalGaussNewtonOptions& options)
    : Optimizer(store, 0, {"inverse_curvature"}), options_(options) {
    SOMA_CHECK(options.mu > 0, "DiagonalGaussNewton: mu is ", options.mu, "; need mu > 0");
    slots_[0].values.fill(1 / options.mu);
}

void DiagonalGaussNewton::set_curvature(const Tensor& h) {
    Tensor& eta = slots_[0].values;
    SOMA_CHECK(h.shape() == eta.shape() && h.dtype() == eta.dtype(),
               "DiagonalGaussNewton: curvature is ", h.shape(), " ", name_of(h.dtype()),
               ", the trainable part is ", eta.shape(), " ", name_of(eta.dtype()));
    with_dtype(eta.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* curvature = flat<T>(h);
        T* y = flat<T>(eta);
        const T mu = static_cast<T>(options_.mu);
        for (Index i = 0; i < eta.count(); ++i) y[i] = 1 / (mu + curvature[i]);
    });
}

void DiagonalGaussNewton::step(double lr, double gradient_scale) {
    for_each_run(store_, runs_, [&](auto zero, const DecayRun& run) {
        using T = decltype(zero);
        kernels::update_per_weight<T>(
            {.rate = static_cast<T>(lr), .scale = static_cast<T>(gradient_scale)},
            run.end - run.begin, flat<T>(slots_[0].values) + run.begin,
            flat<T>(store_.gradients()) + run.begin, flat<T>(store_.values()) + run.begin);
    });
}

std::string DiagonalGaussNewton::describe() const {
    return "diagonal_gauss_newton mu=" + number(options_.mu);
}

}  // namespace soma::optim
