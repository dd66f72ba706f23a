// Softmax family: rows over threads. A row is never split: its maximum and sum are needed before
// its first result, and batches have more rows than machines have cores.

#include "soma/kernels/softmax.h"

#include <algorithm>

#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {
namespace {

constexpr Index kGrain = 1 << 13;  // elements worth a thread: one exp each is about 20 us on AVX2

Index row_grain(Index cols) { return std::max<Index>(1, kGrain / std::max<Index>(1, cols)); }

}  // namespace

template <class T>
void softmax(Index rows, Index cols, const T* x, T* y) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().softmax.softmax(end - begin, cols, x + begin * cols, y + begin * cols);
    });
}

template <class T>
void log_softmax(Index rows, Index cols, const T* x, T* y) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().softmax.log_softmax(end - begin, cols, x + begin * cols, y + begin * cols);
    });
}

template <class T>
void softmax_backward(Index rows, Index cols, const T* y, const T* dy, bool accumulate, T* dx) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().softmax.softmax_backward(end - begin, cols, y + begin * cols, dy + begin * cols,
                                            accumulate, dx + begin * cols);
    });
}

template <class T>
void log_softmax_backward(Index rows, Index cols, const T* y, const T* dy, bool accumulate, T* dx) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        table<T>().softmax.log_softmax_backward(end - begin, cols, y + begin * cols,
                                                dy + begin * cols, accumulate, dx + begin * cols);
    });
}

template <class T>
void cross_entropy(Index rows, Index cols, const T* x, const CrossEntropyTargets<T>& target,
                   T* losses, T* dx) {
    parallel_for(rows, row_grain(cols), [&](Index begin, Index end) {
        CrossEntropyTargets<T> part = target;
        if (part.labels != nullptr) part.labels += begin;
        if (part.targets != nullptr) part.targets += begin * cols;
        if (part.weights != nullptr) part.weights += begin;
        table<T>().softmax.cross_entropy(end - begin, cols, x + begin * cols, part, losses + begin,
                                         dx == nullptr ? nullptr : dx + begin * cols);
    });
}

template void softmax<float>(Index, Index, const float*, float*);
template void softmax<double>(Index, Index, const double*, double*);
template void log_softmax<float>(Index, Index, const float*, float*);
template void log_softmax<double>(Index, Index, const double*, double*);
template void softmax_backward<float>(Index, Index, const float*, const float*, bool, float*);
template void softmax_backward<double>(Index, Index, const double*, const double*, bool, double*);
template void log_softmax_backward<float>(Index, Index, const float*, const float*, bool, float*);
template void log_softmax_backward<double>(Index, Index, const double*, const double*, bool,
                                           double*);
template void cross_entropy<float>(Index, Index, const float*, const CrossEntropyTargets<float>&,
                                   float*, float*);
template void cross_entropy<double>(Index, Index, const double*, const CrossEntropyTargets<double>&,
                                    double*, double*);

}  // namespace soma::kernels
