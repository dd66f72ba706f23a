#pragma once
// A shape of the published lists, soma and its rivals on the same operands: checked, then timed.
//
// Operands are uniform in [-1, 1), 64-byte aligned as tensors are. Every contender's result is
// compared with the definition, evaluated in double on a sample of elements, before it is timed:
// |error| <= gamma_K (|A||B|), gamma_K = K u / (1 - K u), which any order of summation obeys.
// soma being wrong is Error(internal); a rival that is, or that leaves its one thread, gets a note
// instead of a time.

#include "bench/outcome.h"
#include "bench/rivals/rivals.h"
#include "bench/shapes.h"

namespace soma::bench {

// T = float or double.
template <class T>
Outcome gemm_contest(const GemmCase& shape, const std::vector<Rival>& rivals,
                     const MeasureOptions& options);

// with_im2col: forward passes also as im2col and the first rival's product.
Outcome conv_contest(const ConvCase& layer, ConvPass pass, const std::vector<Rival>& rivals,
                     bool with_im2col, const MeasureOptions& options);

}  // namespace soma::bench
