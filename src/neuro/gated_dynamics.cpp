#include "soma/neuro/gated_dynamics.h"

#include <algorithm>
#include <utility>

#include "soma/core/error.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/gemm.h"

namespace soma::neuro {
namespace {

void complete(const char* matrix, std::vector<double>& values, Index rows, Index cols) {
    SOMA_CHECK(values.empty() || static_cast<Index>(values.size()) == rows * cols,
               "gated cell: ", matrix, " has ", values.size(), " values; need ", rows, " x ", cols,
               " or none");
    values.resize(static_cast<std::size_t>(rows * cols));
}

Index states_of(GatedCell cell, Index units) { return cell == GatedCell::lstm ? 2 * units : units; }

}  // namespace

const char* name_of(GatedCell cell) {
    constexpr const char* kNames[] = {"lstm", "gru (reset after)", "gru (reset before)", "ugrnn"};
    return kNames[static_cast<int>(cell)];
}

// Values of a step that the pullback needs, rows of the batch.
struct GatedDynamics::Forward {
    Index batch = 0, units = 0, states = 0, width = 0;  // width: G N
    const double* x = nullptr;                          // [B, n]
    std::vector<double> gates;                          // [B, G N], after their functions
    std::vector<double> through;  // [B, N] of a gru: h U_n + bias_rec (after), r * h (before)

    double* gate(Index row, Index g) { return gates.data() + row * width + g * units; }
    const double* gate(Index row, Index g) const { return gates.data() + row * width + g * units; }
    const double* h(Index row) const { return x + row * states; }
    double* extra(Index row) { return through.data() + row * units; }
    const double* extra(Index row) const { return through.data() + row * units; }
};

GatedDynamics::GatedDynamics(GatedCell cell, GatedMatrices weights, TimeScale time)
    : Dynamics(name_of(cell), states_of(cell, weights.units), weights.inputs, time),
      cell_(cell),
      w_(std::move(weights)) {
    const Index width = gates_of(cell) * w_.units;
    SOMA_CHECK(cell == GatedCell::gru_reset_after || w_.bias_rec.empty(), name(), ": bias_rec has ",
               w_.bias_rec.size(), " values; need none");
    complete("w_rec", w_.w_rec, w_.units, width);
    complete("w_in", w_.w_in, w_.inputs, width);
    complete("bias", w_.bias, 1, width);
    complete("bias_rec", w_.bias_rec, 1, w_.units);
}

// c [B, to - from] = a [B, N] times columns [from, to) of w_rec, plus a row.
void GatedDynamics::recurrent_product(Index batch, const double* a, Index lda, Index from, Index to,
                                      const double* row, double* c, Index ldc) const {
    const Index width = gates_of(cell_) * w_.units;
    kernels::gemm<double>({.m = batch,
                           .n = to - from,
                           .k = w_.units,
                           .a = a,
                           .lda = lda,
                           .b = w_.w_rec.data() + from,
                           .ldb = width,
                           .c = c,
                           .ldc = ldc,
                           .epilogue = {.bias = row}});
}

// The argument of n, once r is known; drive [3 N] = u w_in + bias.
void GatedDynamics::gru_candidate(Forward& f, const double* drive) const {
    const Index n = f.units;
    if (cell_ == GatedCell::gru_reset_after) {
        recurrent_product(f.batch, f.x, n, 2 * n, f.width, w_.bias_rec.data(), f.through.data(), n);
        for (Index b = 0; b < f.batch; ++b) {
            const double *r = f.gate(b, 0), *q = f.extra(b);
            for (Index i = 0; i < n; ++i) f.gate(b, 2)[i] = drive[2 * n + i] + r[i] * q[i];
        }
        return;
    }
    for (Index b = 0; b < f.batch; ++b) {
        for (Index i = 0; i < n; ++i) f.extra(b)[i] = f.gate(b, 0)[i] * f.h(b)[i];
    }
    recurrent_product(f.batch, f.through.data(), n, 2 * n, f.width, drive + 2 * n,
                      f.gates.data() + 2 * n, f.width);
}

GatedDynamics::Forward GatedDynamics::forward(Index batch, const double* x, const double* u) const {
    const Index units = w_.units, gates = gates_of(cell_), width = gates * units;
    const bool gru = cell_ == GatedCell::gru_reset_before || cell_ == GatedCell::gru_reset_after;
    Forward f{batch,
              units,
              size(),
              width,
              x,
              std::vector<double>(static_cast<std::size_t>(batch * width)),
              std::vector<double>(static_cast<std::size_t>(gru ? batch * units : 0))};
    std::vector<double> drive = w_.bias;
    for (Index k = 0; k < inputs(); ++k) {
        kernels::axpy<double>(width, u[k], w_.w_in.data() + k * width, drive.data());
    }
    recurrent_product(batch, x, size(), 0, gru ? 2 * units : width, drive.data(), f.gates.data(),
                      width);
    const auto activate = [&](Activation a, Index g) {
        for (Index b = 0; b < batch; ++b) {
            kernels::activation<double>(a, 0, units, f.gate(b, g), f.gate(b, g));
        }
    };
    // The candidate (g, n or c) has tanh, the others a sigmoid.
    const Index candidate = cell_ == GatedCell::ugrnn ? 0 : 2;
    for (Index g = 0; g < gates; ++g) {
        if (g != candidate) activate(Activation::sigmoid, g);
    }
    if (gru) gru_candidate(f, drive.data());
    activate(Activation::tanh, candidate);
    return f;
}

void GatedDynamics::do_step(Index batch, const double* x, const double* u, double* out) const {
    const Index units = w_.units;
    Forward f = forward(batch, x, u);
    for (Index b = 0; b < batch; ++b) {
        const double* h = f.h(b);
        double* next = out + b * size();
        if (cell_ == GatedCell::lstm) {
            double* c = next + units;
            for (Index i = 0; i < units; ++i) {
                c[i] = f.gate(b, 1)[i] * h[units + i] + f.gate(b, 0)[i] * f.gate(b, 2)[i];
            }
            kernels::activation<double>(Activation::tanh, 0, units, c, next);
            for (Index i = 0; i < units; ++i) next[i] *= f.gate(b, 3)[i];
            continue;
        }
        const bool ugrnn = cell_ == GatedCell::ugrnn;
        const double *keep = f.gate(b, 1), *candidate = f.gate(b, ugrnn ? 0 : 2);
        for (Index i = 0; i < units; ++i) next[i] = keep[i] * h[i] + (1 - keep[i]) * candidate[i];
    }
}

// With t = tanh c': dc' = v_c + v_h o (1 - t^2); the arguments of the gates get dc' times the other
// factor and the slope; c itself gets f dc'.
void GatedDynamics::lstm_cotangents(const Forward& f, const double* v, double* da,
                                    double* out) const {
    const Index n = f.units;
    std::vector<double> t(static_cast<std::size_t>(n));
    for (Index b = 0; b < f.batch; ++b) {
        const double *vh = v + b * f.states, *vc = vh + n, *c = f.h(b) + n;
        const double *gi = f.gate(b, 0), *gf = f.gate(b, 1), *gg = f.gate(b, 2), *go = f.gate(b, 3);
        double* d = da + b * f.width;
        for (Index i = 0; i < n; ++i) t[static_cast<std::size_t>(i)] = gf[i] * c[i] + gi[i] * gg[i];
        kernels::activation<double>(Activation::tanh, 0, n, t.data(), t.data());
        for (Index i = 0; i < n; ++i) {
            const double ti = t[static_cast<std::size_t>(i)];
            const double dc = vc[i] + vh[i] * go[i] * (1 - ti * ti);
            d[i] = dc * gg[i] * gi[i] * (1 - gi[i]);
            d[n + i] = dc * c[i] * gf[i] * (1 - gf[i]);
            d[2 * n + i] = dc * gi[i] * (1 - gg[i] * gg[i]);
            d[3 * n + i] = vh[i] * ti * go[i] * (1 - go[i]);
            if (out) out[b * f.states + n + i] += dc * gf[i];
        }
    }
}

// The reset gate gets dn times what it multiplied: h U_n + bias_rec (after), or, before, h times
// the cotangent of r * h, which is dn U_n^T.
void GatedDynamics::gru_cotangents(const Forward& f, const double* v, double* da,
                                   double* out) const {
    const Index n = f.units;
    const bool before = cell_ == GatedCell::gru_reset_before;
    for (Index b = 0; b < f.batch; ++b) {
        const double *vb = v + b * n, *h = f.h(b), *z = f.gate(b, 1), *c = f.gate(b, 2);
        double* d = da + b * f.width;
        for (Index i = 0; i < n; ++i) {
            d[n + i] = vb[i] * (h[i] - c[i]) * z[i] * (1 - z[i]);
            d[2 * n + i] = vb[i] * (1 - z[i]) * (1 - c[i] * c[i]);
            if (out) out[b * n + i] += vb[i] * z[i];
        }
    }
    std::vector<double> s(before ? f.through.size() : 0);  // cotangent of r * h
    if (before) {
        kernels::gemm<double>({.op_b = kernels::Op::T,
                               .m = f.batch,
                               .n = n,
                               .k = n,
                               .a = da + 2 * n,
                               .lda = f.width,
                               .b = w_.w_rec.data() + 2 * n,
                               .ldb = f.width,
                               .c = s.data(),
                               .ldc = n});
    }
    for (Index b = 0; b < f.batch; ++b) {
        const double *h = f.h(b), *r = f.gate(b, 0), *q = f.extra(b);
        double* d = da + b * f.width;
        for (Index i = 0; i < n; ++i) {
            const double at = before ? s[static_cast<std::size_t>(b * n + i)] : 0;
            d[i] = (before ? at * h[i] : d[2 * n + i] * q[i]) * r[i] * (1 - r[i]);
            if (before && out) out[b * n + i] += at * r[i];
        }
    }
}

void GatedDynamics::ugrnn_cotangents(const Forward& f, const double* v, double* da,
                                     double* out) const {
    const Index n = f.units;
    for (Index b = 0; b < f.batch; ++b) {
        const double *vb = v + b * n, *h = f.h(b), *c = f.gate(b, 0), *g = f.gate(b, 1);
        double* d = da + b * f.width;
        for (Index i = 0; i < n; ++i) {
            d[i] = vb[i] * (1 - g[i]) * (1 - c[i] * c[i]);
            d[n + i] = vb[i] * (h[i] - c[i]) * g[i] * (1 - g[i]);
            if (out) out[b * n + i] += vb[i] * g[i];
        }
    }
}

std::vector<double> GatedDynamics::gate_cotangents(const Forward& f, const double* v,
                                                   double* out) const {
    std::vector<double> da(f.gates.size());
    if (out) std::fill_n(out, f.batch * f.states, 0.0);
    switch (cell_) {
        case GatedCell::lstm:
            lstm_cotangents(f, v, da.data(), out);
            break;
        case GatedCell::gru_reset_before:
        case GatedCell::gru_reset_after:
            gru_cotangents(f, v, da.data(), out);
            break;
        case GatedCell::ugrnn:
            ugrnn_cotangents(f, v, da.data(), out);
            break;
    }
    return da;
}

// Adds da w_rec^T to the cotangent of h. Of a GRU's candidate h reaches the argument through the
// reset gate: before, gru_cotangents has done it; after, da_n is scaled by r.
void GatedDynamics::do_pullback(Index batch, const double* x, const double* u, const double* v,
                                double* out) const {
    const Forward f = forward(batch, x, u);
    std::vector<double> da = gate_cotangents(f, v, out);
    if (cell_ == GatedCell::gru_reset_after) {
        for (Index b = 0; b < batch; ++b) {
            double* d = da.data() + b * f.width + 2 * f.units;
            for (Index i = 0; i < f.units; ++i) d[i] *= f.gate(b, 0)[i];
        }
    }
    kernels::gemm<double>({.op_b = kernels::Op::T,
                           .m = batch,
                           .n = f.units,
                           .k = cell_ == GatedCell::gru_reset_before ? 2 * f.units : f.width,
                           .a = da.data(),
                           .lda = f.width,
                           .b = w_.w_rec.data(),
                           .ldb = f.width,
                           .beta = 1,
                           .c = out,
                           .ldc = f.states});
}

namespace {

// n copies of x, and the n unit vectors: the rows of a Jacobian as one batch.
struct UnitBatch {
    UnitBatch(Index n, const double* x)
        : states(static_cast<std::size_t>(n * n)), units(static_cast<std::size_t>(n * n)) {
        for (Index i = 0; i < n; ++i) {
            std::copy_n(x, n, states.data() + i * n);
            units[static_cast<std::size_t>(i * n + i)] = 1;
        }
    }
    std::vector<double> states, units;
};

}  // namespace

void GatedDynamics::do_jacobian(const double* x, const double* u, double* j) const {
    const UnitBatch rows(size(), x);
    do_pullback(size(), rows.states.data(), u, rows.units.data(), j);
}

void GatedDynamics::do_input_jacobian(const double* x, const double* u, double* b) const {
    const UnitBatch rows(size(), x);
    const Forward f = forward(size(), rows.states.data(), u);
    const std::vector<double> da = gate_cotangents(f, rows.units.data(), nullptr);
    kernels::gemm<double>({.op_b = kernels::Op::T,
                           .m = size(),
                           .n = inputs(),
                           .k = f.width,
                           .a = da.data(),
                           .lda = f.width,
                           .b = w_.w_in.data(),
                           .ldb = f.width,
                           .c = b,
                           .ldc = inputs()});
}

}  // namespace soma::neuro
