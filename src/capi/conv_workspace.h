#pragma once
// Scratch of the convolutions (soma/kernels/conv.h), in bytes, from the geometry alone.
//
// A bound from above: the sizes of the arrays that the drivers take when their bands are whole. The
// tests run every operation inside exactly this much.

#include "capi/status.h"
#include "soma/kernels/conv.h"

namespace soma::capi {

Workspace conv2d_workspace(const kernels::ConvGeometry& g, soma_conv2d_op op, int threads);

}  // namespace soma::capi
