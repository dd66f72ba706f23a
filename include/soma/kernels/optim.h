#pragma once
// Optimizer updates over whole flat arrays: the entries of table/optim.h, split over threads.
//
// Formulas, rounding and traffic stand in the table header. Every element is updated on its own, so
// any split gives the same bits. T is float or double.

#include "soma/kernels/table/optim.h"

namespace soma::kernels {

template <class T>
void update_sgd(const SgdStep<T>& s, Index n, const T* gradient, T* w);
template <class T>
void update_momentum(const MomentumStep<T>& s, Index n, const T* gradient, T* w, T* v);
template <class T>
void update_rmsprop(const RmspropStep<T>& s, Index n, const T* gradient, T* w, T* square);
template <class T>
void update_adadelta(const AdadeltaStep<T>& s, Index n, const T* gradient, T* w, T* square,
                     T* change);
template <class T>
void update_adam(const AdamStep<T>& s, Index n, const T* gradient, T* w, T* m, T* v);
template <class T>
void update_per_weight(const SgdStep<T>& s, Index n, const T* eta, const T* gradient, T* w);
template <class T>
void update_ema(Index n, T rate, const T* w, T* average);

}  // namespace soma::kernels
