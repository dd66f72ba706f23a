#pragma once
// bidirectional: two recurrent layers, one of which reads each trial from its end.

#include <span>

#include "soma/autograd/ops/gated.h"
#include "soma/autograd/ops/shape.h"

namespace soma::nn {

// h [T, B, N + N'] = (forward(x), backward(x reversed) reversed) for Lstm, Gru or Ugrnn layers that
// start at 0; reversal is within each trial's length (reverse_time).
template <class Forward, class Backward>
Var bidirectional(Var x, const Forward& forward, const Backward& backward,
                  std::span<const Index> lengths = {}) {
    const Var ahead = forward(x, {}, {.lengths = lengths});
    const Var back = backward(reverse_time(x, lengths), {}, {.lengths = lengths});
    return concatenate({ahead, reverse_time(back, lengths)}, 2);
}

}  // namespace soma::nn
