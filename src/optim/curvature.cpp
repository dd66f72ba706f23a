#include "soma/optim/curvature.h"

#include "soma/kernels/elementwise.h"

namespace soma::optim {

Tensor diagonal_curvature(nn::ParameterStore& store, Index batches, const OutputFunction& output,
                          double h_y) {
    SOMA_CHECK(batches >= 1, "diagonal_curvature: batches is ", batches, "; need at least 1");
    SOMA_CHECK(h_y >= 0, "diagonal_curvature: h_y is ", h_y, "; need h_y >= 0");
    store.zero_gradients();
    Index samples = 0;
    Tape tape;
    for (Index batch = 0; batch < batches; ++batch) {
        const Var y = output(tape, batch);
        SOMA_CHECK(y.shape().rank() >= 1, "diagonal_curvature: y is ", y.shape(),
                   "; need [samples, ...]");
        tape.curvature(y, Tensor::full(y.shape(), h_y, y.dtype()));
        samples += y.shape()[0];
        tape.reset();
    }
    Tensor mean({store.trainable_count()}, store.dtype());
    with_dtype(store.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const Tensor sum = store.gradients().slice(0, store.trainable_count());
        kernels::scale(sum.count(), T{1} / static_cast<T>(samples), sum.data<T>().data(),
                       mean.data<T>().data());
    });
    store.zero_gradients();
    return mean;
}

}  // namespace soma::optim
