#pragma once
// Normalisation layers. With xh = (x - mean) / sqrt(var + eps) over the elements named below,
//
//     y = gamma xh + beta
//     dx = (g - mean(g) - xh mean(g xh)) / sqrt(var + eps),   g = gamma dy
//     dgamma = sum of dy xh,   dbeta = sum of dy              over everything but the channel
//
// Statistics are two-pass (mean, then centred squares); var is biased (divides by the count).
// C is the last axis; gamma and beta are [C], or absent (Var{}): ones and zeros. The same bits for
// any thread count and ISA (kernels/norm.h gives the orders).
// Errors: Error(usage) naming the op and the shapes, before anything is recorded.

#include "soma/autograd/tape.h"

namespace soma {

// Over C, for every row (Ba et al. 2016).
Var layer_norm(Var x, Var gamma, Var beta, double eps = 1e-5);

// xh = x / sqrt(mean(x^2) + eps) over C, no centring and no beta (Zhang & Sennrich 2019).
Var rms_norm(Var x, Var gamma, double eps = 1e-5);

// x [N, ..., C]: over everything but N inside each of `groups` equal runs of channels (Wu & He
// 2018); groups divides C.
Var group_norm(Var x, Var gamma, Var beta, Index groups, double eps = 1e-5);

// What a batch norm saw: for the running statistics, which their owner updates once a call.
struct BatchStatistics {
    Tensor mean, variance;  // [C]; variance is biased: times count / (count - 1) is the unbiased
    Index count = 0;        // elements a channel
};
// Over everything but C, of this call (one shard; distributed.md 8) (Ioffe & Szegedy 2015).
// x [..., C] with at least one row. statistics == nullptr: not wanted.
Var batch_norm(Var x, Var gamma, Var beta, double eps = 1e-5,
               BatchStatistics* statistics = nullptr);
// With given statistics [C] (running ones): an affine map of each channel.
Var batch_norm_eval(Var x, Var gamma, Var beta, const Tensor& mean, const Tensor& variance,
                    double eps = 1e-5);

}  // namespace soma
