#pragma once
// Gradient clipping. The norm does not depend on the layout of the store, the number of threads or
// of ranks: LONG sum of squares in f64 per parameter, parameters added in registration order
// (kernels.md 6.2 and 13).

#include "soma/nn/parameter_store.h"

namespace soma::optim {

// |g|_2 over all trainable parameters, tied ones once.
double gradient_norm(const nn::ParameterStore& store);

// The factor min(1, max_norm / norm) for Optimizer::step's gradient_scale. Error(non_finite) when
// the norm is not finite, Error(usage) unless max_norm > 0.
double clip_scale(double norm, double max_norm);

// Moves every gradient element of the trainable part into [-limit, limit], in place; NaN stays.
// limit > 0.
void clip_by_value(nn::ParameterStore& store, double limit);

}  // namespace soma::optim
