// Dense layers and matrix products on the tape. Gradients of activations are products in order
// chain, where a row does not depend on its batch; gradients of weights sum over samples and use
// order tree, which can be split at shard borders.

#include "soma/autograd/ops/linear.h"

#include "autograd/ops/fused.h"
#include "soma/core/arena.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/reduce.h"

namespace soma {
namespace {

using kernels::Gemm;
using kernels::Op;
using kernels::Order;

using fused::Sweep;

// The elements of an input, or their squares.
template <class T>
const T* operand(ScratchScope& scratch, Sweep sweep, const Node& input) {
    return fused::operand(scratch, sweep, input.shape.count(), input.y<T>());
}

double product_flop(Index m, Index n, Index k) {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

// ---- linear -----------------------------------------------------------------------------------

template <class T>
void linear_sweep(Tape& tape, const Node& node, Sweep sweep) {
    const Node& x = *tape.input_node(node, 0);
    const Node& w = *tape.input_node(node, 1);
    const Index in = w.shape[0], out = w.shape[1], rows = x.shape.rows();
    ScratchScope scratch;
    const T* a =
        fused::through_activation<T>(scratch, sweep, node, node.record<fused::SavedActivation>());
    if (const auto dx = tape.grad_slot<T>(node, 0)) {
        kernels::gemm<T>({.op_b = Op::T,
                          .m = rows,
                          .n = in,
                          .k = out,
                          .a = a,
                          .lda = out,
                          .b = operand<T>(scratch, sweep, w),
                          .ldb = out,
                          .beta = dx.beta(),
                          .c = dx.data,
                          .ldc = in});
        tape.count_flop(product_flop(rows, in, out));
    }
    if (const auto dw = tape.grad_slot<T>(node, 1)) {
        kernels::gemm<T>({.op_a = Op::T,
                          .m = in,
                          .n = out,
                          .k = rows,
                          .a = operand<T>(scratch, sweep, x),
                          .lda = in,
                          .b = a,
                          .ldb = out,
                          .beta = dw.beta(),
                          .c = dw.data,
                          .ldc = out,
                          .order = Order::tree});
        tape.count_flop(product_flop(in, out, rows));
    }
    if (const auto db = tape.grad_slot<T>(node, 2)) {
        kernels::column_sums_tree(rows, out, a, out, T{1}, db.data, db.accumulate);
    }
}

void linear_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype,
               [&](auto zero) { linear_sweep<decltype(zero)>(tape, node, Sweep::gradient); });
}
void linear_curvature(Tape& tape, const Node& node) {
    with_dtype(node.dtype,
               [&](auto zero) { linear_sweep<decltype(zero)>(tape, node, Sweep::curvature); });
}
const OpInfo kLinear{"linear", linear_backward, linear_curvature};

template <class T>
void linear_forward(Tape& tape, Var x, Var w, Var b, fused::SavedActivation& record,
                    const Tape::Output& out) {
    const Index in = w.shape()[0], columns = w.shape()[1];
    const Index rows = x.shape().rows();
    kernels::Epilogue<T> epilogue{.bias = b ? tape.node(b).y<T>() : nullptr,
                                  .act = record.kind,
                                  .slope = static_cast<T>(record.slope)};
    if (out.needs_grad && needs_pre_activation(record.kind)) {
        epilogue.pre = tape.allocate<T>(rows * columns);
        epilogue.pre_ld = columns;
        record.pre = epilogue.pre;
    }
    kernels::gemm<T>({.m = rows,
                      .n = columns,
                      .k = in,
                      .a = tape.node(x).y<T>(),
                      .lda = in,
                      .b = tape.node(w).y<T>(),
                      .ldb = columns,
                      .c = out.y<T>(),
                      .ldc = columns,
                      .epilogue = epilogue});
    tape.count_flop(product_flop(rows, columns, in));
}

// ---- matmul -----------------------------------------------------------------------------------

// A stack of `count` pairs: op(a) [m, k], op(b) [k, n].
struct MatmulRecord {
    bool transpose_a = false, transpose_b = false;
    Index count = 1, m = 0, n = 0, k = 0;
};

constexpr Op op(bool transpose) { return transpose ? Op::T : Op::N; }

// One operand of a product: its elements and their two sizes as stored.
template <class T>
struct Matrix {
    const T* data;
    Index rows, cols;
};

// c (+)= op(a) op(b) for every item of the stack.
template <class T>
void multiply(const MatmulRecord& r, bool ta, const Matrix<T>& a, bool tb, const Matrix<T>& b,
              T beta, T* c, Order order) {
    const Index m = ta ? a.cols : a.rows, k = ta ? a.rows : a.cols, n = tb ? b.rows : b.cols;
    const Gemm<T> g{.op_a = op(ta),
                    .op_b = op(tb),
                    .m = m,
                    .n = n,
                    .k = k,
                    .a = a.data,
                    .lda = a.cols,
                    .b = b.data,
                    .ldb = b.cols,
                    .beta = beta,
                    .c = c,
                    .ldc = n,
                    .order = order};
    if (r.count == 1) {
        kernels::gemm(g);
    } else {
        kernels::gemm_batched(g, r.count, m * k, k * n, m * n);
    }
}

// With y = op(a) op(b): d(op a) = dy op(b)^T and d(op b) = op(a)^T dy, transposed where the operand
// was: d a = op(b) dy^T, d b = dy^T op(a).
template <class T>
void matmul_sweep(Tape& tape, const Node& node, Sweep sweep) {
    const auto& r = node.record<MatmulRecord>();
    const bool ta = r.transpose_a, tb = r.transpose_b;
    const Matrix<T> dy{node.dy<T>(), r.m, r.n};
    const auto matrix = [&](const T* data, const Shape& s) {
        return Matrix<T>{data, s[-2], s[-1]};
    };
    const Node& a_node = *tape.input_node(node, 0);
    const Node& b_node = *tape.input_node(node, 1);
    ScratchScope scratch;
    if (const auto da = tape.grad_slot<T>(node, 0)) {
        const Matrix<T> b = matrix(operand<T>(scratch, sweep, b_node), b_node.shape);
        if (ta) {
            multiply(r, tb, b, true, dy, da.beta(), da.data, Order::chain);
        } else {
            multiply(r, false, dy, !tb, b, da.beta(), da.data, Order::chain);
        }
    }
    if (const auto db = tape.grad_slot<T>(node, 1)) {
        const Matrix<T> a = matrix(operand<T>(scratch, sweep, a_node), a_node.shape);
        if (tb) {
            multiply(r, true, dy, ta, a, db.beta(), db.data, Order::tree);
        } else {
            multiply(r, !ta, a, false, dy, db.beta(), db.data, Order::tree);
        }
    }
    const int products = (a_node.needs_grad ? 1 : 0) + (b_node.needs_grad ? 1 : 0);
    tape.count_flop(products * product_flop(r.count * r.m, r.n, r.k));
}

void matmul_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype,
               [&](auto zero) { matmul_sweep<decltype(zero)>(tape, node, Sweep::gradient); });
}
void matmul_curvature(Tape& tape, const Node& node) {
    with_dtype(node.dtype,
               [&](auto zero) { matmul_sweep<decltype(zero)>(tape, node, Sweep::curvature); });
}
const OpInfo kMatmul{"matmul", matmul_backward, matmul_curvature};

MatmulRecord check_matmul(const Shape& a, const Shape& b, const MatmulOptions& options) {
    const char* rule = "; need stacks of equal length and op(a).cols == op(b).rows";
    bool fits = a.rank() >= 2 && a.rank() == b.rank();
    MatmulRecord r{.transpose_a = options.transpose_a, .transpose_b = options.transpose_b};
    for (int i = 0; fits && i < a.rank() - 2; ++i) {
        fits = a[i] == b[i];
        r.count *= a[i];
    }
    if (fits) {
        r.m = r.transpose_a ? a[-1] : a[-2];
        r.k = r.transpose_a ? a[-2] : a[-1];
        r.n = r.transpose_b ? b[-2] : b[-1];
        fits = r.k == (r.transpose_b ? b[-1] : b[-2]);
    }
    SOMA_CHECK(fits, "matmul: a is ", a, r.transpose_a ? " transposed" : "", ", b is ", b,
               r.transpose_b ? " transposed" : "", rule);
    return r;
}

}  // namespace

Var linear(Var x, Var w, Var b, Activation activation, double slope) {
    const Shape &xs = x.shape(), ws = w.shape();
    SOMA_CHECK(xs.rank() >= 1 && ws.rank() == 2 && xs[-1] == ws[0], "linear: x is ", xs, ", w is ",
               ws, "; need x.cols == w.rows");
    SOMA_CHECK(!b || b.shape() == Shape{ws[1]}, "linear: w is ", ws, ", b is ",
               b ? b.shape() : Shape{}, "; need b.shape == [w.cols]");
    SOMA_CHECK(x.dtype() == w.dtype() && (!b || b.dtype() == x.dtype()), "linear: x is ",
               name_of(x.dtype()), ", w is ", name_of(w.dtype()), "; need one dtype for all");
    Tape& tape = x.tape();
    fused::SavedActivation record{activation, slope};
    const Tape::Output out = tape.emit(kLinear, {x, w, b}, xs.with(-1, ws[1]), x.dtype());
    with_dtype(x.dtype(),
               [&](auto zero) { linear_forward<decltype(zero)>(tape, x, w, b, record, out); });
    if (out.needs_grad) tape.save(out, record);
    return out.var;
}

Var matmul(Var a, Var b, const MatmulOptions& options) {
    const MatmulRecord record = check_matmul(a.shape(), b.shape(), options);
    SOMA_CHECK(a.dtype() == b.dtype(), "matmul: a is ", name_of(a.dtype()), ", b is ",
               name_of(b.dtype()), "; need one dtype");
    Tape& tape = a.tape();
    const Shape shape = a.shape().with(-2, record.m).with(-1, record.n);
    const Tape::Output out = tape.emit(kMatmul, {a, b}, shape, a.dtype());
    with_dtype(a.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const auto matrix = [&](Var v) {
            const Node& n = tape.node(v);
            return Matrix<T>{n.y<T>(), n.shape[-2], n.shape[-1]};
        };
        multiply(record, record.transpose_a, matrix(a), record.transpose_b, matrix(b), T{0},
                 out.y<T>(), Order::chain);
    });
    tape.count_flop(product_flop(record.count * record.m, record.n, record.k));
    if (out.needs_grad) tape.save(out, record);
    return out.var;
}

}  // namespace soma
