// Sums, means and maxima on the tape; orders of summation in kernels/reduce.h.

#include "soma/autograd/ops/math.h"

#include "autograd/ops/axis.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/reduce.h"

namespace soma {
namespace {

using ops::AxisView;
using ops::checked_axis;

// ---- all elements ----

// dx (+)= factor * dy on every element.
void spread_all(Tape& tape, const Node& node, double factor) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const GradSlot<T> dx = tape.grad_slot<T>(node, 0);
        const Index n = tape.input_node(node, 0)->shape.count();
        const T value = static_cast<T>(factor) * node.dy<T>()[0];
        if (dx.accumulate) {
            kernels::shift(n, value, dx.data, dx.data);
        } else {
            kernels::fill(n, value, dx.data);
        }
    });
}

double reciprocal_count(Tape& tape, const Node& node) {
    return 1 / static_cast<double>(tape.input_node(node, 0)->shape.count());
}

void sum_backward(Tape& tape, const Node& node) { spread_all(tape, node, 1); }
void mean_backward(Tape& tape, const Node& node) {
    spread_all(tape, node, reciprocal_count(tape, node));
}
void mean_curvature(Tape& tape, const Node& node) {
    const double r = reciprocal_count(tape, node);
    spread_all(tape, node, r * r);
}

Var reduce_all(const OpInfo& op, Var x, bool divide) {
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(op, {x}, Shape{}, x.dtype());
    const Node& in = tape.node(x);
    with_dtype(in.dtype, [&](auto zero) {
        using T = decltype(zero);
        const double total = kernels::sum_long(in.shape.count(), in.y<T>());
        *out.y<T>() =
            static_cast<T>(divide ? total / static_cast<double>(in.shape.count()) : total);
    });
    return out.var;
}

// ---- one axis ----

Shape without(const Shape& shape, int axis) {
    Index sizes[Shape::kMaxRank];
    int rank = 0;
    for (int i = 0; i < shape.rank(); ++i) {
        if (i != axis) sizes[rank++] = shape[i];
    }
    return Shape(std::span<const Index>(sizes, static_cast<std::size_t>(rank)));
}

struct AxisRecord {
    AxisView axis;
    std::int32_t* index = nullptr;  // max: position of the maximum, [outer, inner]
};

void spread_axis(Tape& tape, const Node& node, double factor) {
    const AxisView a = node.record<AxisRecord>().axis;
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const GradSlot<T> dx = tape.grad_slot<T>(node, 0);
        kernels::spread_axis(a.outer, a.n, a.inner, static_cast<T>(factor), node.dy<T>(), dx.data,
                             dx.accumulate);
    });
}

double reciprocal_axis(const Node& node) {
    return 1 / static_cast<double>(node.record<AxisRecord>().axis.n);
}

void sum_axis_backward(Tape& tape, const Node& node) { spread_axis(tape, node, 1); }
void mean_axis_backward(Tape& tape, const Node& node) {
    spread_axis(tape, node, reciprocal_axis(node));
}
void mean_axis_curvature(Tape& tape, const Node& node) {
    const double r = reciprocal_axis(node);
    spread_axis(tape, node, r * r);
}

Var sum_over(const OpInfo& op, Var x, int axis, bool divide) {
    Tape& tape = x.tape();
    axis = checked_axis(op.name, x.shape(), axis);
    const AxisView a(x.shape(), axis);
    SOMA_CHECK(!divide || a.n > 0, op.name, ": axis ", axis, " of ", x.shape(), " is empty");
    const Tape::Output out = tape.emit(op, {x}, without(x.shape(), axis), x.dtype());
    if (out.needs_grad) tape.save(out, AxisRecord{a});
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T alpha = divide ? T{1} / static_cast<T>(a.n) : T{1};
        kernels::sum_axis(a.outer, a.n, a.inner, tape.node(x).y<T>(), alpha, out.y<T>(), false);
    });
    return out.var;
}

void max_backward(Tape& tape, const Node& node) {
    const AxisRecord& r = node.record<AxisRecord>();
    const AxisView a = r.axis;
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const GradSlot<T> dx = tape.grad_slot<T>(node, 0);
        if (!dx.accumulate) kernels::fill(a.outer * a.n * a.inner, T{0}, dx.data);
        const T* dy = node.dy<T>();
        for (Index o = 0; o < a.outer; ++o) {
            for (Index i = 0; i < a.inner; ++i) {
                const Index out = o * a.inner + i;
                dx.data[(o * a.n + r.index[out]) * a.inner + i] += dy[out];
            }
        }
    });
}

}  // namespace

Var sum(Var x) {
    static constexpr OpInfo op{"sum", sum_backward, sum_backward};
    return reduce_all(op, x, false);
}

Var mean(Var x) {
    static constexpr OpInfo op{"mean", mean_backward, mean_curvature};
    SOMA_CHECK(x.shape().count() > 0, "mean: x is ", x.shape(), "; need at least one element");
    return reduce_all(op, x, true);
}

Var sum(Var x, int axis) {
    static constexpr OpInfo op{"sum", sum_axis_backward, sum_axis_backward};
    return sum_over(op, x, axis, false);
}

Var mean(Var x, int axis) {
    static constexpr OpInfo op{"mean", mean_axis_backward, mean_axis_curvature};
    return sum_over(op, x, axis, true);
}

Var max(Var x, int axis) {
    static constexpr OpInfo op{"max", max_backward};
    Tape& tape = x.tape();
    axis = checked_axis("max", x.shape(), axis);
    const AxisView a(x.shape(), axis);
    SOMA_CHECK(a.n > 0, "max: axis ", axis, " of ", x.shape(), " is empty");
    const Tape::Output out = tape.emit(op, {x}, without(x.shape(), axis), x.dtype());
    std::int32_t* index = nullptr;
    if (out.needs_grad) {
        index = tape.allocate<std::int32_t>(a.outer * a.inner);
        tape.save(out, AxisRecord{a, index});
    }
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::max_axis(a.outer, a.n, a.inner, tape.node(x).y<T>(), out.y<T>(), index);
    });
    return out.var;
}

}  // namespace soma
