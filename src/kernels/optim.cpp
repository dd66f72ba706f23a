// Optimizer updates: one kernel-table entry each, split over threads. One pass reads and writes
// every array once, since at these sizes memory traffic is the whole cost.

#include "soma/kernels/optim.h"

#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {
namespace {

constexpr Index kGrain = 1 << 15;  // elements worth a thread: about 20 us of memory traffic

}  // namespace

template <class T>
void update_sgd(const SgdStep<T>& s, Index n, const T* gradient, T* w) {
    parallel_for(n, kGrain, [&](Index i, Index end) {
        table<T>().optim.sgd(s, end - i, gradient + i, w + i);
    });
}

template <class T>
void update_momentum(const MomentumStep<T>& s, Index n, const T* gradient, T* w, T* v) {
    parallel_for(n, kGrain, [&](Index i, Index end) {
        table<T>().optim.momentum(s, end - i, gradient + i, w + i, v + i);
    });
}

template <class T>
void update_rmsprop(const RmspropStep<T>& s, Index n, const T* gradient, T* w, T* square) {
    parallel_for(n, kGrain, [&](Index i, Index end) {
        table<T>().optim.rmsprop(s, end - i, gradient + i, w + i, square + i);
    });
}

template <class T>
void update_adadelta(const AdadeltaStep<T>& s, Index n, const T* gradient, T* w, T* square,
                     T* change) {
    parallel_for(n, kGrain, [&](Index i, Index end) {
        table<T>().optim.adadelta(s, end - i, gradient + i, w + i, square + i, change + i);
    });
}

template <class T>
void update_adam(const AdamStep<T>& s, Index n, const T* gradient, T* w, T* m, T* v) {
    parallel_for(n, kGrain, [&](Index i, Index end) {
        table<T>().optim.adam(s, end - i, gradient + i, w + i, m + i, v + i);
    });
}

template <class T>
void update_per_weight(const SgdStep<T>& s, Index n, const T* eta, const T* gradient, T* w) {
    parallel_for(n, kGrain, [&](Index i, Index end) {
        table<T>().optim.per_weight(s, end - i, eta + i, gradient + i, w + i);
    });
}

template <class T>
void update_ema(Index n, T rate, const T* w, T* average) {
    parallel_for(n, kGrain, [&](Index i, Index end) {
        table<T>().optim.ema(end - i, rate, w + i, average + i);
    });
}

template void update_sgd(const SgdStep<float>&, Index, const float*, float*);
template void update_momentum(const MomentumStep<float>&, Index, const float*, float*, float*);
template void update_rmsprop(const RmspropStep<float>&, Index, const float*, float*, float*);
template void update_adadelta(const AdadeltaStep<float>&, Index, const float*, float*, float*,
                              float*);
template void update_adam(const AdamStep<float>&, Index, const float*, float*, float*, float*);
template void update_per_weight(const SgdStep<float>&, Index, const float*, const float*, float*);
template void update_ema(Index, float, const float*, float*);
template void update_sgd(const SgdStep<double>&, Index, const double*, double*);
template void update_momentum(const MomentumStep<double>&, Index, const double*, double*, double*);
template void update_rmsprop(const RmspropStep<double>&, Index, const double*, double*, double*);
template void update_adadelta(const AdadeltaStep<double>&, Index, const double*, double*, double*,
                              double*);
template void update_adam(const AdamStep<double>&, Index, const double*, double*, double*, double*);
template void update_per_weight(const SgdStep<double>&, Index, const double*, const double*,
                                double*);
template void update_ema(Index, double, const double*, double*);

}  // namespace soma::kernels
