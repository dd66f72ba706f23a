#pragma once
// The last rungs, which call the product: compiled once, since the product chooses its own ISA.

#include "bench/ladder/ladder.h"

namespace soma::ladder {

Rung gemm_product();
Rung conv_product();
Rung conv_weights_product();

}  // namespace soma::ladder
