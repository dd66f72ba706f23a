// Elementwise and reducing ops: each sweep stands directly above the op it belongs to.
//
// One template per arity covers the ops whose derivative a kernel knows (table/elementwise.h); an
// op's constants live in a record in the tape's arena.

#include "soma/autograd/ops/math.h"

#include "soma/kernels/elementwise.h"

namespace soma {
namespace {

using kernels::Binary;
using kernels::Broadcast;
using kernels::Unary;

struct Constants {
    double a = 0, b = 0;
};

// ---- one operand, no constants ----

template <Unary F>
void unary_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const T* x = tape.input_node(node, 0)->y<T>();
        const GradSlot<T> dx = tape.grad_slot<T>(node, 0);
        kernels::unary_backward(F, node.shape.count(), x, node.y<T>(), node.dy<T>(), dx.accumulate,
                                dx.data);
    });
}

template <Unary F>
Var unary(const OpInfo& op, Var x) {
    const Tape::Output out = x.tape().emit(op, {x}, x.shape(), x.dtype());
    const Node& in = x.tape().node(x);
    with_dtype(in.dtype, [&](auto zero) {
        using T = decltype(zero);
        kernels::unary(F, in.shape.count(), in.y<T>(), out.y<T>());
    });
    return out.var;
}

// ---- one operand and constants: y = f(x; c) with dx (+)= dy c.a ----

// Adds factor * dy to the gradient of input i, which has the shape of the node.
void add_scaled(Tape& tape, const Node& node, int i, double factor) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const GradSlot<T> dx = tape.grad_slot<T>(node, i);
        const Index n = node.shape.count();
        if (dx.accumulate) {
            kernels::axpy(n, static_cast<T>(factor), node.dy<T>(), dx.data);
        } else {
            kernels::scale(n, static_cast<T>(factor), node.dy<T>(), dx.data);
        }
    });
}

void scale_backward(Tape& tape, const Node& node) {
    add_scaled(tape, node, 0, node.record<Constants>().a);
}
void scale_curvature(Tape& tape, const Node& node) {
    const double c = node.record<Constants>().a;
    add_scaled(tape, node, 0, c * c);
}
void pass_backward(Tape& tape, const Node& node) { add_scaled(tape, node, 0, 1); }

void clip_backward(Tape& tape, const Node& node) {
    const Constants c = node.record<Constants>();
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const T* x = tape.input_node(node, 0)->y<T>();
        const GradSlot<T> dx = tape.grad_slot<T>(node, 0);
        kernels::clip_backward(node.shape.count(), static_cast<T>(c.a), static_cast<T>(c.b), x,
                               node.dy<T>(), dx.accumulate, dx.data);
    });
}

// d x^p = p x^(p - 1) dy, the power computed once more.
void pow_backward(Tape& tape, const Node& node) {
    const double p = node.record<Constants>().a;
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const Index n = node.shape.count();
        const GradSlot<T> dx = tape.grad_slot<T>(node, 0);
        ScratchScope scratch;
        T* slope = scratch.array<T>(n);
        kernels::pow(n, p - 1, tape.input_node(node, 0)->y<T>(), slope);
        kernels::scale(n, static_cast<T>(p), slope, slope);
        kernels::binary_backward(Binary::mul, 0, Broadcast(n), node.dy<T>(), slope, slope,
                                 dx.accumulate, dx.data);
    });
}

// Emits y of x's shape, keeps the constants and lets f(T, n, x, y) compute it.
template <class F>
Var with_constants(const OpInfo& op, Var x, const Constants& constants, F&& f) {
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(op, {x}, x.shape(), x.dtype());
    if (out.needs_grad) tape.save(out, constants);
    const Node& in = tape.node(x);
    with_dtype(in.dtype, [&](auto zero) {
        using T = decltype(zero);
        f(zero, in.shape.count(), in.y<T>(), out.y<T>());
    });
    return out.var;
}

// ---- two operands, broadcast ----

Broadcast loops_of(const Shape& a, const Shape& b) {
    return a == b ? Broadcast(a.count()) : Broadcast(a.sizes(), b.sizes());
}

template <Binary F>
void binary_backward(Tape& tape, const Node& node) {
    const Node& a = *tape.input_node(node, 0);
    const Node& b = *tape.input_node(node, 1);
    const Broadcast loops = loops_of(a.shape, b.shape);
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        for (const int side : {0, 1}) {
            const GradSlot<T> d = tape.grad_slot<T>(node, side);
            if (!d) continue;
            kernels::binary_backward(F, side, loops, node.dy<T>(), a.y<T>(), b.y<T>(), d.accumulate,
                                     d.data);
        }
    });
}

// h_a = h_b = h_y summed over the repeated axes: the derivatives of a + b and a - b are +-1.
void sum_curvature(Tape& tape, const Node& node) { binary_backward<Binary::add>(tape, node); }

void check_pair(const char* op, Var a, Var b) {
    SOMA_CHECK(a.dtype() == b.dtype(), op, ": a is ", name_of(a.dtype()), ", b is ",
               name_of(b.dtype()), "; need one dtype");
    SOMA_CHECK(&a.tape() == &b.tape(), op, ": a and b are on two tapes");
}

template <Binary F>
Var binary(const OpInfo& op, Var a, Var b) {
    check_pair(op.name, a, b);
    Tape& tape = a.tape();
    const bool equal = a.shape() == b.shape();
    const Tape::Output out =
        equal ? tape.emit(op, {a, b}, a.shape(), a.dtype())
              : tape.emit(op, {a, b}, broadcast(op.name, a.shape(), b.shape()), a.dtype());
    const Node& left = tape.node(a);
    const Node& right = tape.node(b);
    const Broadcast loops = loops_of(left.shape, right.shape);
    with_dtype(left.dtype, [&](auto zero) {
        using T = decltype(zero);
        kernels::binary(F, loops, left.y<T>(), right.y<T>(), out.y<T>());
    });
    return out.var;
}

void where_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const T* mask = tape.input_node(node, 0)->y<T>();
        for (const int side : {0, 1}) {
            const GradSlot<T> d = tape.grad_slot<T>(node, side + 1);
            if (!d) continue;
            kernels::where_backward(side, node.shape.count(), mask, node.dy<T>(), d.accumulate,
                                    d.data);
        }
    });
}

// ---- activations ----

template <Activation K>
const void* saved_value(Tape& tape, const Node& node) {
    return needs_pre_activation(K) ? tape.input_node(node, 0)->value : node.value;
}

template <Activation K>
void activation_backward(Tape& tape, const Node& node) {
    const double slope = K == Activation::leaky_relu ? node.record<Constants>().a : 0;
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const GradSlot<T> dx = tape.grad_slot<T>(node, 0);
        kernels::activation_backward(K, static_cast<T>(slope), node.shape.count(),
                                     static_cast<const T*>(saved_value<K>(tape, node)),
                                     node.dy<T>(), dx.accumulate, dx.data);
    });
}

template <Activation K>
void activation_curvature(Tape& tape, const Node& node) {
    const double slope = K == Activation::leaky_relu ? node.record<Constants>().a : 0;
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const GradSlot<T> hx = tape.grad_slot<T>(node, 0);
        kernels::activation_curvature(K, static_cast<T>(slope), node.shape.count(),
                                      static_cast<const T*>(saved_value<K>(tape, node)),
                                      node.dy<T>(), hx.accumulate, hx.data);
    });
}

template <Activation K>
constexpr OpInfo activation_info(const char* name) {
    return {name, activation_backward<K>, activation_curvature<K>};
}

template <Activation K>
Var activate(const OpInfo& op, Var x, double slope = 0) {
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(op, {x}, x.shape(), x.dtype());
    if (K == Activation::leaky_relu && out.needs_grad) tape.save(out, Constants{slope, 0});
    const Node& in = tape.node(x);
    with_dtype(in.dtype, [&](auto zero) {
        using T = decltype(zero);
        kernels::activation(K, static_cast<T>(slope), in.shape.count(), in.y<T>(), out.y<T>());
    });
    return out.var;
}

}  // namespace

Var add(Var a, Var b) {
    static constexpr OpInfo op{"add", binary_backward<Binary::add>, sum_curvature};
    return binary<Binary::add>(op, a, b);
}
Var sub(Var a, Var b) {
    static constexpr OpInfo op{"sub", binary_backward<Binary::sub>, sum_curvature};
    return binary<Binary::sub>(op, a, b);
}
Var mul(Var a, Var b) {
    static constexpr OpInfo op{"mul", binary_backward<Binary::mul>};
    return binary<Binary::mul>(op, a, b);
}
Var div(Var a, Var b) {
    static constexpr OpInfo op{"div", binary_backward<Binary::div>};
    return binary<Binary::div>(op, a, b);
}
Var maximum(Var a, Var b) {
    static constexpr OpInfo op{"maximum", binary_backward<Binary::max>};
    return binary<Binary::max>(op, a, b);
}
Var minimum(Var a, Var b) {
    static constexpr OpInfo op{"minimum", binary_backward<Binary::min>};
    return binary<Binary::min>(op, a, b);
}

Var where(Var mask, Var a, Var b) {
    static constexpr OpInfo op{"where", where_backward};
    check_pair("where", a, b);
    check_pair("where", mask, a);
    SOMA_CHECK(mask.shape() == a.shape() && a.shape() == b.shape(), "where: mask is ", mask.shape(),
               ", a is ", a.shape(), ", b is ", b.shape(), "; need equal shapes");
    SOMA_CHECK(!mask.needs_grad(), "where: mask needs a gradient; pass it as a constant");
    Tape& tape = a.tape();
    const Tape::Output out = tape.emit(op, {mask, a, b}, a.shape(), a.dtype());
    with_dtype(a.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::where(a.shape().count(), tape.node(mask).y<T>(), tape.node(a).y<T>(),
                       tape.node(b).y<T>(), out.y<T>());
    });
    return out.var;
}

Var scale(Var x, double c) {
    static constexpr OpInfo op{"scale", scale_backward, scale_curvature};
    return with_constants(op, x, {c, 0}, [c](auto zero, Index n, const auto* in, auto* y) {
        kernels::scale(n, static_cast<decltype(zero)>(c), in, y);
    });
}
Var add_scalar(Var x, double c) {
    static constexpr OpInfo op{"add_scalar", pass_backward, pass_backward};
    return with_constants(op, x, {c, 0}, [c](auto zero, Index n, const auto* in, auto* y) {
        kernels::shift(n, static_cast<decltype(zero)>(c), in, y);
    });
}
Var clip(Var x, double low, double high) {
    static constexpr OpInfo op{"clip", clip_backward};
    SOMA_CHECK(low <= high, "clip: low is ", low, ", high is ", high, "; need low <= high");
    return with_constants(op, x, {low, high}, [=](auto zero, Index n, const auto* in, auto* y) {
        using T = decltype(zero);
        kernels::clip(n, static_cast<T>(low), static_cast<T>(high), in, y);
    });
}
Var pow(Var x, double p) {
    static constexpr OpInfo op{"pow", pow_backward};
    return with_constants(
        op, x, {p, 0}, [p](auto, Index n, const auto* in, auto* y) { kernels::pow(n, p, in, y); });
}

Var neg(Var x) {
    static constexpr OpInfo op{"neg", unary_backward<Unary::neg>, pass_backward};
    return unary<Unary::neg>(op, x);
}
Var square(Var x) {
    static constexpr OpInfo op{"square", unary_backward<Unary::square>};
    return unary<Unary::square>(op, x);
}
Var abs(Var x) {
    static constexpr OpInfo op{"abs", unary_backward<Unary::abs>};
    return unary<Unary::abs>(op, x);
}
Var sqrt(Var x) {
    static constexpr OpInfo op{"sqrt", unary_backward<Unary::sqrt>};
    return unary<Unary::sqrt>(op, x);
}
Var exp(Var x) {
    static constexpr OpInfo op{"exp", unary_backward<Unary::exp>};
    return unary<Unary::exp>(op, x);
}
Var log(Var x) {
    static constexpr OpInfo op{"log", unary_backward<Unary::log>};
    return unary<Unary::log>(op, x);
}
Var sin(Var x) {
    static constexpr OpInfo op{"sin", unary_backward<Unary::sin>};
    return unary<Unary::sin>(op, x);
}
Var cos(Var x) {
    static constexpr OpInfo op{"cos", unary_backward<Unary::cos>};
    return unary<Unary::cos>(op, x);
}

Var relu(Var x) {
    static constexpr OpInfo op = activation_info<Activation::relu>("relu");
    return activate<Activation::relu>(op, x);
}
Var tanh(Var x) {
    static constexpr OpInfo op = activation_info<Activation::tanh>("tanh");
    return activate<Activation::tanh>(op, x);
}
Var scaled_tanh(Var x) {
    static constexpr OpInfo op = activation_info<Activation::scaled_tanh>("scaled_tanh");
    return activate<Activation::scaled_tanh>(op, x);
}
Var sigmoid(Var x) {
    static constexpr OpInfo op = activation_info<Activation::sigmoid>("sigmoid");
    return activate<Activation::sigmoid>(op, x);
}
Var gelu(Var x) {
    static constexpr OpInfo op = activation_info<Activation::gelu>("gelu");
    return activate<Activation::gelu>(op, x);
}
Var gelu_tanh(Var x) {
    static constexpr OpInfo op = activation_info<Activation::gelu_tanh>("gelu_tanh");
    return activate<Activation::gelu_tanh>(op, x);
}
Var silu(Var x) {
    static constexpr OpInfo op = activation_info<Activation::silu>("silu");
    return activate<Activation::silu>(op, x);
}
Var softplus(Var x) {
    static constexpr OpInfo op = activation_info<Activation::softplus>("softplus");
    return activate<Activation::softplus>(op, x);
}
Var leaky_relu(Var x, double slope) {
    static constexpr OpInfo op = activation_info<Activation::leaky_relu>("leaky_relu");
    SOMA_CHECK(slope > 0, "leaky_relu: slope is ", slope, "; need slope > 0");
    return activate<Activation::leaky_relu>(op, x, slope);
}

Var activation(Var x, Activation kind, double slope) {
    switch (kind) {
        case Activation::none:
            return x;
        case Activation::relu:
            return relu(x);
        case Activation::leaky_relu:
            return leaky_relu(x, slope);
        case Activation::tanh:
            return tanh(x);
        case Activation::scaled_tanh:
            return scaled_tanh(x);
        case Activation::sigmoid:
            return sigmoid(x);
        case Activation::gelu:
            return gelu(x);
        case Activation::gelu_tanh:
            return gelu_tanh(x);
        case Activation::silu:
            return silu(x);
        case Activation::softplus:
            return softplus(x);
    }
    fail(ErrorCode::usage, "activation: unknown kind ", static_cast<int>(kind));
}

}  // namespace soma
