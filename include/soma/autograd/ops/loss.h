#pragma once
// Softmax and the losses.
//
// A loss is a SUM over its rows, one element of shape []:
//
//     E = scale * sum_r weight_r loss_r
//
// because sums of shards add up and means do not (distributed.md 5): whoever wants the mean divides
// by the sum of the weights, or passes scale = 1 / rows. A row of weight 0 is padding: it adds
// exactly 0 to E and to every gradient, whatever it holds. Row losses are summed in f64 in LONG
// order (kernels/reduce.h), so E and the gradients are the same bits for any thread count and ISA.
//
// Legend: N rows, C classes, x logits, q target distribution, z = x - max(x), s = sum exp(z).
// Errors: Error(usage) naming the op and what was given, before anything is recorded.

#include <span>

#include "soma/autograd/tape.h"

namespace soma {

struct LossOptions {
    // One a row, or empty for all 1; copied. Rows of the cross-entropies are the rows of the last
    // axis; rows of the elementwise losses are the steps of the first axis.
    std::span<const float> weights = {};
    double scale = 1;
    // a in [0, 1), with labels only: the target is (1 - a) onehot + a / C (Szegedy et al. 2016).
    double label_smoothing = 0;
};

// ---- along the last axis, size >= 1 ----
Var softmax(Var x);      // y = exp(z) / s;  dx = y (dy - <dy, y>)
Var log_softmax(Var x);  // y = z - log s;   dx = dy - exp(y) sum(dy)

// ---- cross-entropy of softmax(logits), logits [..., C] with C >= 1 ----
// loss_r = log s - q . z; its gradient, weight (exp(z) / s - q), is written in the forward pass.
// labels: one a row, in [0, C) wherever the weight is not 0.
Var softmax_cross_entropy(Var logits, std::span<const std::int32_t> labels,
                          const LossOptions& options = {});
// targets: q, shaped as the logits; no gradient flows to them.
// loss_r = sum(q) log s - q . z.
Var softmax_cross_entropy(Var logits, Var targets, const LossOptions& options = {});

// ---- elementwise, y and target of one shape; gradients flow to both; e = y - target ----
// loss = e^2 / 2. Curvature: d2E/dy2 = scale * weight (the seed of LeCun 1989).
Var squared_error(Var y, Var target, const LossOptions& options = {});
// Mean of e^2 over all elements: squared_error with scale 2 / count.
Var mse(Var y, Var target);
// loss = |e| <= delta ? e^2 / 2 : delta (|e| - delta / 2); delta > 0 (Huber 1964).
Var huber(Var y, Var target, double delta = 1, const LossOptions& options = {});
// loss = log(1 + exp(x)) - x target, as max(x, 0) - x target + log(1 + exp(-|x|)): no overflow, no
// cancellation. dx = sigmoid(x) - target.
Var bce_with_logits(Var x, Var target, const LossOptions& options = {});

}  // namespace soma
