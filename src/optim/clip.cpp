#include "soma/optim/clip.h"

#include <cmath>

#include "soma/kernels/elementwise.h"
#include "soma/kernels/reduce.h"

namespace soma::optim {

double gradient_norm(const nn::ParameterStore& store) {
    double sum = 0;
    for (std::size_t i = 0; i < store.entries().size(); ++i) {
        const auto& entry = store.entries()[i];
        if (!entry.trainable || entry.tied_to >= 0) continue;
        const Tensor g = store.gradient(static_cast<nn::ParameterId>(i));
        sum += with_dtype(g.dtype(), [&](auto zero) {
            return kernels::sum_squares_long(g.count(), g.data<decltype(zero)>().data());
        });
    }
    return std::sqrt(sum);
}

double clip_scale(double norm, double max_norm) {
    SOMA_CHECK(max_norm > 0, "clip_scale: max_norm is ", max_norm, "; need a positive number");
    if (!std::isfinite(norm)) {
        fail(ErrorCode::non_finite, "clip_scale: the gradient norm is ", norm);
    }
    return norm > max_norm ? max_norm / norm : 1;
}

void clip_by_value(nn::ParameterStore& store, double limit) {
    SOMA_CHECK(limit > 0, "clip_by_value: limit is ", limit, "; need a positive number");
    Tensor gradients = store.gradients();
    with_dtype(gradients.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T bound = static_cast<T>(limit);
        T* g = gradients.data<T>().data();
        kernels::clip(store.trainable_count(), -bound, bound, g, g);
    });
}

}  // namespace soma::optim
