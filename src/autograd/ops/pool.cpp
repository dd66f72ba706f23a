// Pooling on the tape. max_pool2d saves one byte an output, the tap of its maximum; avg_pool2d and
// global_avg_pool are one kernel whose curvature divides by the count twice.

#include "soma/autograd/ops/pool.h"

#include "soma/kernels/pool.h"

namespace soma {
namespace {

using kernels::PoolGeometry;

PoolGeometry geometry_of(const char* op, const Shape& x, const Pool2dOptions& o) {
    SOMA_CHECK(x.rank() == 4, op, ": x is ", x, "; need [N, H, W, C]");
    PoolGeometry g{.n = x[0], .h = x[1], .w = x[2], .c = x[3], .kh = o.window.h, .kw = o.window.w};
    g.stride_h = o.stride.h == 0 ? g.kh : o.stride.h;
    g.stride_w = o.stride.w == 0 ? g.kw : o.stride.w;
    g.pad_top = o.padding.top, g.pad_bottom = o.padding.bottom;
    g.pad_left = o.padding.left, g.pad_right = o.padding.right;
    kernels::check_geometry(op, g);
    return g;
}

// ---- max_pool2d ---------------------------------------------------------------------------------

struct MaxPoolRecord {
    PoolGeometry geometry;
    const std::uint8_t* argmax;
};

void max_pool2d_backward(Tape& tape, const Node& node) {
    const auto& record = node.record<MaxPoolRecord>();
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            kernels::max_pool2d_backward(record.geometry, node.dy<T>(), record.argmax,
                                         dx.accumulate, dx.data);
        }
    });
}
const OpInfo kMaxPool2d{"max_pool2d", max_pool2d_backward, max_pool2d_backward};

// ---- avg_pool2d ---------------------------------------------------------------------------------

struct AvgPoolRecord {
    PoolGeometry geometry;
    bool count_padding;
};

void avg_pool2d_sweep(Tape& tape, const Node& node, int power) {
    const auto& record = node.record<AvgPoolRecord>();
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            kernels::avg_pool2d_backward(record.geometry, record.count_padding, power, node.dy<T>(),
                                         dx.accumulate, dx.data);
        }
    });
}
void avg_pool2d_backward(Tape& tape, const Node& node) { avg_pool2d_sweep(tape, node, 1); }
void avg_pool2d_curvature(Tape& tape, const Node& node) { avg_pool2d_sweep(tape, node, 2); }
const OpInfo kAvgPool2d{"avg_pool2d", avg_pool2d_backward, avg_pool2d_curvature};
const OpInfo kGlobalAvgPool{"global_avg_pool", avg_pool2d_backward, avg_pool2d_curvature};

Var avg_pool(const OpInfo& op, Var x, const AvgPoolRecord& record, const Shape& shape) {
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(op, {x}, shape, x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::avg_pool2d(record.geometry, record.count_padding, tape.node(x).y<T>(), out.y<T>());
    });
    tape.count_flop(
        static_cast<double>(record.geometry.y_count() * record.geometry.kh * record.geometry.kw));
    if (out.needs_grad) tape.save(out, record);
    return out.var;
}

}  // namespace

Var max_pool2d(Var x, const Pool2dOptions& options) {
    const PoolGeometry g = geometry_of("max_pool2d", x.shape(), options);
    SOMA_CHECK(g.kh * g.kw <= kernels::kMaxPoolTaps, "max_pool2d: window is [", g.kh, ", ", g.kw,
               "]; need at most ", kernels::kMaxPoolTaps, " pixels");
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kMaxPool2d, {x}, {g.n, g.oh(), g.ow(), g.c}, x.dtype());
    auto* argmax = out.needs_grad ? tape.allocate<std::uint8_t>(g.y_count()) : nullptr;
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::max_pool2d(g, tape.node(x).y<T>(), out.y<T>(), argmax);
    });
    if (out.needs_grad) tape.save(out, MaxPoolRecord{g, argmax});
    return out.var;
}

Var avg_pool2d(Var x, const Pool2dOptions& options) {
    const PoolGeometry g = geometry_of("avg_pool2d", x.shape(), options);
    return avg_pool(kAvgPool2d, x, {g, options.count_padding}, {g.n, g.oh(), g.ow(), g.c});
}

Var global_avg_pool(Var x) {
    const Shape& s = x.shape();
    SOMA_CHECK(s.rank() == 4, "global_avg_pool: x is ", s, "; need [N, H, W, C]");
    const PoolGeometry g = geometry_of("global_avg_pool", s, {.window = {s[1], s[2]}, .stride = 1});
    return avg_pool(kGlobalAvgPool, x, {g, false}, {s[0], s[3]});
}

}  // namespace soma
