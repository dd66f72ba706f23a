// Ops that only move elements: each is one or two box copies (kernels/copy.h), and its backward the
// same boxes with source and target exchanged.

#include "soma/autograd/ops/shape.h"

#include <algorithm>
#include <utility>

#include "autograd/ops/axis.h"
#include "soma/kernels/copy.h"
#include "soma/kernels/elementwise.h"

namespace soma {
namespace {

using kernels::Box;
using kernels::Store;
using ops::AxisView;
using ops::checked_axis;

// Plain record of an op that is one box copy: the backward is the same box with x and y exchanged.
struct BoxCopy {
    Box box;
    Index x_offset = 0, y_offset = 0;
};

template <class T>
void copy_forward(const BoxCopy& c, const void* x, void* y) {
    kernels::copy_box(c.box, static_cast<const T*>(x) + c.x_offset,
                      static_cast<T*>(y) + c.y_offset);
}

template <class T>
void copy_backward(const BoxCopy& c, const T* dy, T* dx, Store store) {
    Box box = c.box;
    for (int d = 0; d < box.rank; ++d) std::swap(box.dims[d].xs, box.dims[d].ys);
    kernels::copy_box(box, dy + c.y_offset, dx + c.x_offset, store);
}

Store store_of(bool accumulate) { return accumulate ? Store::add : Store::overwrite; }

// `n` steps along the axis of x starting at x0, to those of y starting at y0.
BoxCopy axis_copy(const AxisView& x, Index x0, const AxisView& y, Index y0, Index n) {
    BoxCopy c{.box = {}, .x_offset = x0 * x.inner, .y_offset = y0 * y.inner};
    c.box.add(x.outer, x.n * x.inner, y.n * y.inner);
    c.box.add(n * x.inner, 1, 1);
    return c;
}

Box whole(const Shape& shape) {
    Box box;
    box.add(shape.count(), 1, 1);
    return box;
}

// ---- reshape ----

void reshape_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            kernels::copy_box(whole(node.shape), node.dy<T>(), dx.data, store_of(dx.accumulate));
        }
    });
}
const OpInfo kReshape{"reshape", reshape_backward, reshape_backward};

// ---- one box: permute, slice, pad ----

// A slice gives back less than dx holds; the rest of it is 0.
void box_backward(Tape& tape, const Node& node) {
    const auto& record = node.record<BoxCopy>();
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            const Index count = tape.input_node(node, 0)->shape.count();
            if (!dx.accumulate && count > node.shape.count()) std::fill_n(dx.data, count, T{0});
            copy_backward(record, node.dy<T>(), dx.data, store_of(dx.accumulate));
        }
    });
}
const OpInfo kPermute{"permute", box_backward, box_backward};
const OpInfo kSlice{"slice", box_backward, box_backward};
const OpInfo kPad{"pad", box_backward, box_backward};

Var box_op(const OpInfo& op, Var x, const Shape& shape, const BoxCopy& copy) {
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(op, {x}, shape, x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        copy_forward<decltype(zero)>(copy, tape.node(x).value, out.value);
    });
    if (out.needs_grad) tape.save(out, copy);
    return out.var;
}

// ---- concatenate, stack ----

struct Joined {
    const std::int32_t* inputs;  // any number of them, so they do not stand in the node
    Index count;
    int axis;
    bool stacked;  // every input is one step of a new axis
};

// Input of a join seen from the joined axis; a stacked input has one step there.
AxisView joined_view(const Shape& shape, const Joined& j) {
    if (!j.stacked) return {shape, j.axis};
    AxisView view;
    for (int d = 0; d < shape.rank(); ++d) (d < j.axis ? view.outer : view.inner) *= shape[d];
    return view;
}

void join_backward(Tape& tape, const Node& node) {
    const auto& record = node.record<Joined>();
    const AxisView y(node.shape, record.axis);
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        Index at = 0;
        for (Index i = 0; i < record.count; ++i) {
            const Var in(&tape, record.inputs[i]);
            const AxisView x = joined_view(in.shape(), record);
            if (const auto dx = tape.grad_slot<T>(in.index())) {
                copy_backward(axis_copy(x, 0, y, at, x.n), node.dy<T>(), dx.data,
                              store_of(dx.accumulate));
            }
            at += x.n;
        }
    });
}
const OpInfo kConcatenate{"concatenate", join_backward, join_backward};
const OpInfo kStack{"stack", join_backward, join_backward};

Var join(const OpInfo& op, std::span<const Var> xs, const Shape& shape, int axis, bool stacked) {
    Tape& tape = xs[0].tape();
    const auto count = static_cast<Index>(xs.size());
    const Tape::Output out = tape.emit(op, {}, shape, xs[0].dtype());
    auto* inputs = tape.allocate<std::int32_t>(count);
    const Joined record{inputs, count, axis, stacked};
    const AxisView y(shape, axis);
    bool needs_grad = false;
    Index at = 0;
    for (const Var x : xs) {
        *inputs++ = x.index();
        needs_grad |= x.needs_grad();
        const AxisView view = joined_view(x.shape(), record);
        with_dtype(x.dtype(), [&](auto zero) {
            copy_forward<decltype(zero)>(axis_copy(view, 0, y, at, view.n), tape.node(x).value,
                                         out.value);
        });
        at += view.n;
    }
    tape.save(out, record);
    tape.node(out.var).needs_grad = needs_grad;
    return out.var;
}

// ---- roll ----

void roll_copies(const Shape& shape, int axis, Index shift, BoxCopy out[2]) {
    const AxisView view(shape, axis);
    out[0] = axis_copy(view, 0, view, shift, view.n - shift);
    out[1] = axis_copy(view, view.n - shift, view, 0, shift);
}

struct Rolled {
    int axis;
    Index shift;
};

void roll_backward(Tape& tape, const Node& node) {
    const auto& record = node.record<Rolled>();
    BoxCopy copies[2];
    roll_copies(node.shape, record.axis, record.shift, copies);
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            for (const BoxCopy& c : copies) {
                copy_backward(c, node.dy<T>(), dx.data, store_of(dx.accumulate));
            }
        }
    });
}
const OpInfo kRoll{"roll", roll_backward, roll_backward};

// ---- broadcast_to ----

void broadcast_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            const kernels::Broadcast loops(tape.input_node(node, 0)->shape.sizes(),
                                           node.shape.sizes());
            if (loops.repeats(0)) {
                kernels::sum_repeated(0, loops, node.dy<T>(), T{1}, dx.data, dx.accumulate);
            } else {
                kernels::copy_box(whole(node.shape), node.dy<T>(), dx.data,
                                  store_of(dx.accumulate));
            }
        }
    });
}
const OpInfo kBroadcast{"broadcast_to", broadcast_backward, broadcast_backward};

}  // namespace

Var reshape(Var x, const Shape& shape) {
    SOMA_CHECK(shape.count() == x.shape().count(), "reshape: x is ", x.shape(), ", asked for ",
               shape, "; need the same number of elements");
    return x.tape().emit_view(kReshape, x, shape).var;
}

Var permute(Var x, std::span<const int> order) {
    const Shape& from = x.shape();
    const int rank = from.rank();
    SOMA_CHECK(static_cast<int>(order.size()) == rank, "permute: ", order.size(), " axes for x ",
               from, "; need one a dimension");
    Index strides[Shape::kMaxRank], sizes[Shape::kMaxRank];
    bool seen[Shape::kMaxRank] = {};
    Index stride = 1;
    for (int d = rank - 1; d >= 0; stride *= from[d--]) strides[d] = stride;
    BoxCopy copy;
    stride = from.count();
    for (int d = 0; d < rank; ++d) {
        const int axis = order[static_cast<std::size_t>(d)];
        SOMA_CHECK(axis >= 0 && axis < rank && !seen[axis], "permute: axis ", axis, " for x ", from,
                   "; need each of 0..rank-1 once");
        seen[axis] = true;
        sizes[d] = from[axis];
        stride /= std::max<Index>(sizes[d], 1);
        copy.box.add(sizes[d], strides[axis], stride);
    }
    return box_op(kPermute, x, Shape(std::span<const Index>(sizes, order.size())), copy);
}

Var slice(Var x, int axis, Index begin, Index end) {
    const int a = checked_axis("slice", x.shape(), axis);
    SOMA_CHECK(0 <= begin && begin <= end && end <= x.shape()[a], "slice: [", begin, ", ", end,
               ") of axis ", a, " of x ", x.shape(), "; need 0 <= begin <= end <= size");
    const Shape shape = x.shape().with(a, end - begin);
    return box_op(kSlice, x, shape, axis_copy({x.shape(), a}, begin, {shape, a}, 0, end - begin));
}

Var concatenate(std::span<const Var> xs, int axis) {
    SOMA_CHECK(!xs.empty(), "concatenate: no inputs; need at least one");
    const Shape first = xs[0].shape();
    const int a = checked_axis("concatenate", first, axis);
    Index size = 0;
    for (const Var x : xs) {
        SOMA_CHECK(x.shape().rank() == first.rank() && x.dtype() == xs[0].dtype() &&
                       x.shape().with(a, first[a]) == first,
                   "concatenate: inputs are ", first, " ", name_of(xs[0].dtype()), " and ",
                   x.shape(), " ", name_of(x.dtype()), "; need one dtype and equal sizes but axis ",
                   a);
        size += x.shape()[a];
    }
    return join(kConcatenate, xs, first.with(a, size), a, false);
}

Var stack(std::span<const Var> xs, int axis) {
    SOMA_CHECK(!xs.empty(), "stack: no inputs; need at least one");
    const Shape first = xs[0].shape();
    const int rank = first.rank() + 1;
    SOMA_CHECK(axis >= -rank && axis < rank && rank <= Shape::kMaxRank, "stack: axis is ", axis,
               ", inputs are ", first, "; need -rank-1 <= axis <= rank and rank < 8");
    for (const Var x : xs) {
        SOMA_CHECK(x.shape() == first && x.dtype() == xs[0].dtype(), "stack: inputs are ", first,
                   " ", name_of(xs[0].dtype()), " and ", x.shape(), " ", name_of(x.dtype()),
                   "; need one shape and dtype");
    }
    const int a = axis < 0 ? axis + rank : axis;
    Index sizes[Shape::kMaxRank];
    for (int d = 0; d < rank; ++d) sizes[d] = d < a ? first[d] : d == a ? 1 : first[d - 1];
    sizes[a] = static_cast<Index>(xs.size());
    const Shape shape(std::span<const Index>(sizes, static_cast<std::size_t>(rank)));
    return join(kStack, xs, shape, a, true);
}

Var pad(Var x, std::span<const Padding> padding, double value) {
    const Shape from = x.shape();
    const int rank = from.rank();
    SOMA_CHECK(static_cast<int>(padding.size()) == rank, "pad: ", padding.size(),
               " paddings for x ", from, "; need one an axis");
    Shape shape = from;
    for (int d = 0; d < rank; ++d) {
        const Padding p = padding[static_cast<std::size_t>(d)];
        SOMA_CHECK(p.before >= 0 && p.after >= 0, "pad: {", p.before, ", ", p.after, "} on axis ",
                   d, "; need sizes >= 0");
        shape = shape.with(d, from[d] + p.before + p.after);
    }
    BoxCopy copy;
    Index xs = from.count(), ys = shape.count();
    for (int d = 0; d < rank; ++d) {
        xs /= std::max<Index>(from[d], 1);
        ys /= std::max<Index>(shape[d], 1);
        copy.box.add(from[d], xs, ys);
        copy.y_offset += padding[static_cast<std::size_t>(d)].before * ys;
    }
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kPad, {x}, shape, x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        std::fill_n(out.y<T>(), shape.count(), static_cast<T>(value));
        copy_forward<T>(copy, tape.node(x).value, out.value);
    });
    if (out.needs_grad) tape.save(out, copy);
    return out.var;
}

Var roll(Var x, int axis, Index shift) {
    const Shape shape = x.shape();
    const int a = checked_axis("roll", shape, axis);
    const Index n = std::max<Index>(shape[a], 1);
    const Rolled record{a, ((shift % n) + n) % n};
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kRoll, {x}, shape, x.dtype());
    if (out.needs_grad) tape.save(out, record);
    BoxCopy copies[2];
    roll_copies(shape, a, record.shift, copies);
    with_dtype(x.dtype(), [&](auto zero) {
        for (const BoxCopy& c : copies) {
            copy_forward<decltype(zero)>(c, tape.node(x).value, out.value);
        }
    });
    return out.var;
}

Var broadcast_to(Var x, const Shape& shape) {
    const Shape from = x.shape();
    SOMA_CHECK(from.rank() <= shape.rank() && broadcast("broadcast_to", from, shape) == shape,
               "broadcast_to: x is ", from, ", asked for ", shape,
               "; need equal sizes or 1 in x, counted from the last");
    BoxCopy copy;
    Index xs = from.count(), ys = shape.count();
    for (int d = 0; d < shape.rank(); ++d) {
        const int back = d - (shape.rank() - from.rank());
        const Index size = back < 0 ? 1 : from[back];
        xs /= std::max<Index>(size, 1);
        ys /= std::max<Index>(shape[d], 1);
        copy.box.add(shape[d], size == 1 ? 0 : xs, ys);
    }
    return box_op(kBroadcast, x, shape, copy);
}

}  // namespace soma
