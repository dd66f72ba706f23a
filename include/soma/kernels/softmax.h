#pragma once
// Softmax and its losses over the rows of a contiguous [rows, cols] matrix, split over threads.
//
// Formulas and special values stand in table/softmax.h; T is float or double. Rows are independent:
// the same bits for any thread count, ISA and batch.

#include "soma/kernels/table/softmax.h"

namespace soma::kernels {

template <class T>
void softmax(Index rows, Index cols, const T* x, T* y);
template <class T>
void log_softmax(Index rows, Index cols, const T* x, T* y);
template <class T>
void softmax_backward(Index rows, Index cols, const T* y, const T* dy, bool accumulate, T* dx);
template <class T>
void log_softmax_backward(Index rows, Index cols, const T* y, const T* dy, bool accumulate, T* dx);
// Labels must lie in [0, cols): the caller checks.
template <class T>
void cross_entropy(Index rows, Index cols, const T* x, const CrossEntropyTargets<T>& target,
                   T* losses, T* dx);

}  // namespace soma::kernels
