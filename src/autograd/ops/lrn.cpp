// Local response normalisation on the tape: the record is the shape, the backward reads x again.

#include "soma/autograd/ops/lrn.h"

#include "soma/kernels/lrn.h"

namespace soma {
namespace {

double flop(const kernels::LrnShape& s) {
    return static_cast<double>(s.rows * s.cols * (2 * s.size + 4));
}

void local_response_norm_backward(Tape& tape, const Node& node) {
    const auto& shape = node.record<kernels::LrnShape>();
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            kernels::lrn_backward(shape, tape.input_node(node, 0)->y<T>(), node.dy<T>(),
                                  dx.accumulate, dx.data);
            tape.count_flop(2 * flop(shape));
        }
    });
}
const OpInfo kLocalResponseNorm{"local_response_norm", local_response_norm_backward};

}  // namespace

Var local_response_norm(Var x, const LocalResponseNormOptions& options) {
    SOMA_CHECK(x.shape().rank() >= 1 && x.shape().cols() >= 1, "local_response_norm: x is ",
               x.shape(), "; need a last axis of size >= 1");
    const kernels::LrnShape shape{.rows = x.shape().rows(),
                                  .cols = x.shape().cols(),
                                  .size = options.size,
                                  .scale = options.alpha,
                                  .beta = options.beta,
                                  .k = options.k};
    kernels::check_lrn("local_response_norm", shape);
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kLocalResponseNorm, {x}, x.shape(), x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::lrn(shape, tape.node(x).y<T>(), out.y<T>());
    });
    tape.count_flop(flop(shape));
    if (out.needs_grad) tape.save(out, shape);
    return out.var;
}

}  // namespace soma
