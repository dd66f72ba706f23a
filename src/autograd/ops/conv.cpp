// Convolutions on the tape. conv2d saves the weights it used (under a connection table their masked
// copy) and, for activations whose slope is no function of y, the sum before them. conv_transpose2d
// is the backward-data pass of a mirrored convolution, so its own gradients are that convolution's
// forward and backward-weights passes.

#include "soma/autograd/ops/conv.h"

#include "autograd/ops/fused.h"
#include "soma/core/arena.h"
#include "soma/kernels/conv.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/reduce.h"

namespace soma {
namespace {

using fused::Sweep;

using kernels::ConvGeometry;

struct ConvRecord {
    ConvGeometry geometry;
    const void* w = nullptr;  // the weights as used: the input's, or their masked copy
    const std::uint8_t* table = nullptr;
    fused::SavedActivation activation = {};
    std::optional<kernels::WinogradTile> winograd = {};
};

// db (+)= the sum of a over everything b is shared by.
template <class T>
void bias_backward(Tape& tape, const Node& node, const T* a) {
    if (const auto db = tape.grad_slot<T>(node, 2)) {
        const Index columns = tape.input_node(node, 2)->shape.count();
        kernels::column_sums_tree(node.shape.count() / columns, columns, a, columns, T{1}, db.data,
                                  db.accumulate);
    }
}

// f(pre): where f' needs the pre-activation, the sum stays in `pre` and y is made from it.
template <class T>
void activate(const ConvRecord& record, Index n, const T* pre, T* y) {
    kernels::activation(record.activation.kind, static_cast<T>(record.activation.slope), n, pre, y);
}

void check_dtypes(const char* op, Var x, Var w, Var b) {
    SOMA_CHECK(x.dtype() == w.dtype() && (!b || b.dtype() == x.dtype()), op, ": x is ",
               name_of(x.dtype()), ", w is ", name_of(w.dtype()), ", b is ",
               b ? name_of(b.dtype()) : "absent", "; need one dtype");
}

// ---- conv2d -------------------------------------------------------------------------------------

// The forward pass by the record's algorithm.
template <class T>
void convolve(const ConvRecord& record, const T* x, const T* w,
              const kernels::ConvEpilogue<T>& epilogue, T* y) {
    if (record.winograd) {
        kernels::conv2d_winograd(record.geometry, *record.winograd, x, w, epilogue, y);
    } else {
        kernels::conv2d(record.geometry, x, w, epilogue, y);
    }
}

template <class T>
void conv2d_sweep(Tape& tape, const Node& node, Sweep sweep) {
    const auto& record = node.record<ConvRecord>();
    ConvGeometry g = record.geometry;
    if (sweep == Sweep::curvature) g.pad_value *= g.pad_value;
    ScratchScope scratch;
    const T* a = fused::through_activation<T>(scratch, sweep, node, record.activation);
    if (const auto dx = tape.grad_slot<T>(node, 0)) {
        const T* w =
            fused::operand(scratch, sweep, g.weight_count(), static_cast<const T*>(record.w));
        if (record.winograd && sweep == Sweep::gradient) {
            kernels::conv2d_winograd_backward_data(g, *record.winograd, a, w, dx.accumulate,
                                                   dx.data);
        } else {
            kernels::conv2d_backward_data(g, a, w, dx.accumulate, dx.data);
        }
        tape.count_flop(g.flop());
    }
    if (const auto dw = tape.grad_slot<T>(node, 1)) {
        const T* x = fused::operand(scratch, sweep, g.x_count(), tape.input_node(node, 0)->y<T>());
        if (record.table == nullptr) {
            kernels::conv2d_backward_weights(g, x, a, dw.accumulate, dw.data);
        } else {  // dw may hold what other uses of w added: mask this op's part alone
            T* own = scratch.array<T>(g.weight_count());
            kernels::conv2d_backward_weights(g, x, a, false, own);
            kernels::mask_weights(g.kh * g.kw, g.c, g.oc, record.table, own, dw.accumulate,
                                  dw.data);
        }
        tape.count_flop(g.flop());
    }
    bias_backward(tape, node, a);
}

void conv2d_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype,
               [&](auto zero) { conv2d_sweep<decltype(zero)>(tape, node, Sweep::gradient); });
}
void conv2d_curvature(Tape& tape, const Node& node) {
    with_dtype(node.dtype,
               [&](auto zero) { conv2d_sweep<decltype(zero)>(tape, node, Sweep::curvature); });
}
const OpInfo kConv2d{"conv2d", conv2d_backward, conv2d_curvature};

ConvGeometry geometry_of(const Shape& x, const Shape& w, const Conv2dOptions& o) {
    SOMA_CHECK(x.rank() == 4 && w.rank() == 4, "conv2d: x is ", x, ", w is ", w,
               "; need x [N, H, W, C] and w [KH, KW, C / groups, OC]");
    ConvGeometry g{.n = x[0], .h = x[1], .w = x[2], .c = x[3], .kh = w[0], .kw = w[1], .oc = w[3]};
    g.stride_h = o.stride.h, g.stride_w = o.stride.w;
    g.dilation_h = o.dilation.h, g.dilation_w = o.dilation.w;
    g.pad_top = o.padding.top, g.pad_bottom = o.padding.bottom;
    g.pad_left = o.padding.left, g.pad_right = o.padding.right;
    g.groups = o.groups;
    g.pad_value = o.pad_value;
    if (o.winograd) {
        kernels::check_winograd("conv2d", g);
    } else {
        kernels::check_geometry("conv2d", g);
    }
    SOMA_CHECK(w[2] == g.group_c(), "conv2d: x is ", x, ", w is ", w, ", groups ", o.groups,
               "; need w.shape[2] == C / groups");
    SOMA_CHECK(o.table.empty() || (o.groups == 1 && std::ssize(o.table) == g.c * g.oc),
               "conv2d: table has ", o.table.size(), " entries, x is ", x, ", w is ", w,
               ", groups ", o.groups, "; need C * OC entries and one group");
    return g;
}

void check_bias(const ConvGeometry& g, const Shape& b) {
    SOMA_CHECK(b == Shape({g.oc}) || b == Shape({g.oh(), g.ow(), g.oc}), "conv2d: b is ", b,
               "; need ", Shape({g.oc}), " or ", Shape({g.oh(), g.ow(), g.oc}));
}

template <class T>
const T* masked(Tape& tape, const ConvGeometry& g, const T* w, const std::uint8_t* table) {
    if (table == nullptr) return w;
    T* copy = tape.allocate<T>(g.weight_count());
    kernels::mask_weights(g.kh * g.kw, g.c, g.oc, table, w, false, copy);
    return copy;
}

template <class T>
void conv2d_forward(Tape& tape, Var x, Var w, Var b, ConvRecord& record, const Tape::Output& out) {
    const ConvGeometry& g = record.geometry;
    const T* weights = masked(tape, g, tape.node(w).y<T>(), record.table);
    record.w = weights;
    kernels::ConvEpilogue<T> epilogue{.slope = static_cast<T>(record.activation.slope)};
    if (b) (b.shape().rank() == 1 ? epilogue.bias : epilogue.unit_bias) = tape.node(b).y<T>();
    const T* input = tape.node(x).y<T>();
    if (out.needs_grad && needs_pre_activation(record.activation.kind)) {
        T* pre = tape.allocate<T>(g.y_count());
        record.activation.pre = pre;
        convolve(record, input, weights, epilogue, pre);
        activate(record, g.y_count(), pre, out.y<T>());
    } else {
        epilogue.activation = record.activation.kind;
        convolve(record, input, weights, epilogue, out.y<T>());
    }
}

// ---- conv_transpose2d ---------------------------------------------------------------------------
// geometry is that of the mirrored convolution: its input is y, its output x.

template <class T>
void conv_transpose2d_sweep(Tape& tape, const Node& node) {
    const auto& record = node.record<ConvRecord>();
    const ConvGeometry& g = record.geometry;
    ScratchScope scratch;
    const T* a = fused::through_activation<T>(scratch, Sweep::gradient, node, record.activation);
    if (const auto dx = tape.grad_slot<T>(node, 0)) {
        T* target = dx.accumulate ? scratch.array<T>(g.y_count()) : dx.data;
        kernels::conv2d(g, a, static_cast<const T*>(record.w), {}, target);
        if (dx.accumulate) kernels::axpy(g.y_count(), T{1}, target, dx.data);
        tape.count_flop(g.flop());
    }
    if (const auto dw = tape.grad_slot<T>(node, 1)) {
        kernels::conv2d_backward_weights(g, a, tape.input_node(node, 0)->y<T>(), dw.accumulate,
                                         dw.data);
        tape.count_flop(g.flop());
    }
    bias_backward(tape, node, a);
}

void conv_transpose2d_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) { conv_transpose2d_sweep<decltype(zero)>(tape, node); });
}
const OpInfo kConvTranspose2d{"conv_transpose2d", conv_transpose2d_backward};

ConvGeometry mirrored_geometry(const Shape& x, const Shape& w, const ConvTranspose2dOptions& o) {
    SOMA_CHECK(x.rank() == 4 && w.rank() == 4 && x[3] == w[3], "conv_transpose2d: x is ", x,
               ", w is ", w, "; need x [N, H, W, C] and w [KH, KW, OC / groups, C]");
    SOMA_CHECK(o.output_padding.h >= 0 && o.output_padding.h < o.stride.h &&
                   o.output_padding.w >= 0 && o.output_padding.w < o.stride.w,
               "conv_transpose2d: output_padding is [", o.output_padding.h, ", ",
               o.output_padding.w, "], stride is [", o.stride.h, ", ", o.stride.w,
               "]; need 0 <= output_padding < stride");
    ConvGeometry g{.n = x[0], .c = w[2] * o.groups, .kh = w[0], .kw = w[1], .oc = x[3]};
    g.stride_h = o.stride.h, g.stride_w = o.stride.w;
    g.dilation_h = o.dilation.h, g.dilation_w = o.dilation.w;
    g.pad_top = o.padding.top, g.pad_bottom = o.padding.bottom;
    g.pad_left = o.padding.left, g.pad_right = o.padding.right;
    g.groups = o.groups;
    g.h = (x[1] - 1) * g.stride_h - g.pad_top - g.pad_bottom + g.dilation_h * (g.kh - 1) + 1 +
          o.output_padding.h;
    g.w = (x[2] - 1) * g.stride_w - g.pad_left - g.pad_right + g.dilation_w * (g.kw - 1) + 1 +
          o.output_padding.w;
    kernels::check_geometry("conv_transpose2d", g);
    SOMA_CHECK(g.oh() == x[1] && g.ow() == x[2], "conv_transpose2d: x is ", x,
               "; the mirrored convolution gives [", g.oh(), ", ", g.ow(), "] pixels");
    return g;
}

template <class T>
void conv_transpose2d_forward(Tape& tape, Var x, Var w, Var b, ConvRecord& record,
                              const Tape::Output& out) {
    const ConvGeometry& g = record.geometry;
    const bool save = out.needs_grad && needs_pre_activation(record.activation.kind);
    T* pre = save ? tape.allocate<T>(g.x_count()) : out.y<T>();
    record.w = tape.node(w).y<T>();
    if (save) record.activation.pre = pre;
    kernels::conv2d_backward_data(g, tape.node(x).y<T>(), tape.node(w).y<T>(), false, pre);
    if (b) {
        const Index sizes[] = {g.x_count() / g.c, g.c}, row[] = {Index{1}, g.c};
        kernels::binary(kernels::Binary::add, kernels::Broadcast(sizes, row), pre,
                        tape.node(b).y<T>(), pre);
    }
    if (record.activation.kind != Activation::none) activate(record, g.x_count(), pre, out.y<T>());
}

}  // namespace

Var conv2d(Var x, Var w, Var b, const Conv2dOptions& options) {
    check_dtypes("conv2d", x, w, b);
    ConvRecord record{.geometry = geometry_of(x.shape(), w.shape(), options),
                      .table = options.table.empty() ? nullptr : options.table.data(),
                      .activation = {options.activation, options.slope},
                      .winograd = options.winograd};
    const ConvGeometry& g = record.geometry;
    if (b) check_bias(g, b.shape());
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kConv2d, {x, w, b}, {g.n, g.oh(), g.ow(), g.oc}, x.dtype());
    with_dtype(x.dtype(),
               [&](auto zero) { conv2d_forward<decltype(zero)>(tape, x, w, b, record, out); });
    tape.count_flop(g.flop());
    if (out.needs_grad) tape.save(out, record);
    return out.var;
}

Var conv_transpose2d(Var x, Var w, Var b, const ConvTranspose2dOptions& options) {
    check_dtypes("conv_transpose2d", x, w, b);
    ConvRecord record{.geometry = mirrored_geometry(x.shape(), w.shape(), options),
                      .activation = {options.activation, options.slope}};
    const ConvGeometry& g = record.geometry;
    SOMA_CHECK(!b || b.shape() == Shape({g.c}), "conv_transpose2d: b is ", b.shape(), "; need ",
               Shape({g.c}));
    Tape& tape = x.tape();
    const Tape::Output out =
        tape.emit(kConvTranspose2d, {x, w, b}, {g.n, g.h, g.w, g.c}, x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        conv_transpose2d_forward<decltype(zero)>(tape, x, w, b, record, out);
    });
    tape.count_flop(g.flop());
    if (out.needs_grad) tape.save(out, record);
    return out.var;
}

}  // namespace soma
