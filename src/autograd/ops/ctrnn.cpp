// Recurrent sequences on the tape: checks and weight gradients; the loops over time are
// kernels/ctrnn.h.

#include "soma/autograd/ops/ctrnn.h"

#include "autograd/ops/sequence.h"
#include "soma/core/arena.h"
#include "soma/kernels/ctrnn.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/reduce.h"

namespace soma {
namespace {

using kernels::CtrnnSequence;
using kernels::Op;

// Places of the inputs of a node.
enum Input { kStart, kDrive, kRecurrent, kLeft, kRight, kInput, kBias };

struct CtrnnRecord {
    Convention convention;
    Nonlinearity f;
    double alpha;
    const Index* active;  // [T] or nullptr
    const void *r0, *drive, *kappa;
};

template <class T>
const T* value_or_null(const Node* node) {
    return node == nullptr ? nullptr : node->y<T>();
}

// The sequence of a node, without noise: what backward needs.
template <class T>
CtrnnSequence<T> sequence_of(const Tape& tape, const Node& node, const CtrnnRecord& record) {
    const Node* u = tape.input_node(node, kDrive);
    const Node* m = tape.input_node(node, kLeft);
    CtrnnSequence<T> s{.convention = record.convention, .f = record.f, .alpha = record.alpha};
    s.steps = node.shape[0];
    s.batch = node.shape[1];
    s.units = node.shape[2];
    s.inputs = u->shape[2];
    s.rank = m == nullptr ? 0 : m->shape[1];
    s.active = record.active;
    s.w_rec = value_or_null<T>(tape.input_node(node, kRecurrent));
    s.m = value_or_null<T>(m);
    s.n = value_or_null<T>(tape.input_node(node, kRight));
    s.u = u->y<T>();
    s.w_in = value_or_null<T>(tape.input_node(node, kInput));
    s.bias = value_or_null<T>(tape.input_node(node, kBias));
    return s;
}

// ---- backward ---------------------------------------------------------------------------------

// Gradients of m and n: with kappa_t = r_{t-1} n / N and dkappa_t = delta_t m,
// dm = gain sum delta_t^T kappa_t,  dn = gain / N sum r_{t-1}^T dkappa_t.
template <class T>
void low_rank_gradients(Tape& tape, const Node& node, const CtrnnSequence<T>& s,
                        const CtrnnRecord& record, const T* delta) {
    const Index rows = s.steps * s.batch;
    const T gain = kernels::ctrnn_gain(s);
    if (const auto dm = tape.grad_slot<T>(node, kLeft)) {
        sequence::add_outer<T>(rows, {delta, s.units, s.units},
                               {static_cast<const T*>(record.kappa), s.rank, s.rank}, gain,
                               dm.accumulate, dm.data, s.rank);
    }
    if (const auto dn = tape.grad_slot<T>(node, kRight)) {
        ScratchScope scratch;
        T* dkappa = scratch.array<T>(rows * s.rank);
        kernels::gemm<T>({.m = rows,
                          .n = s.rank,
                          .k = s.units,
                          .a = delta,
                          .lda = s.units,
                          .b = s.m,
                          .ldb = s.rank,
                          .c = dkappa,
                          .ldc = s.rank});
        sequence::add_outer_of_states<T>(s.steps, s.batch, s.units,
                                         static_cast<const T*>(record.r0), node.y<T>(),
                                         {dkappa, s.rank, s.rank}, gain / static_cast<T>(s.units),
                                         dn.accumulate, dn.data, s.rank);
    }
}

template <class T>
void input_gradients(Tape& tape, const Node& node, const CtrnnSequence<T>& s, const T* delta) {
    const Index rows = s.steps * s.batch;
    const T gain = kernels::ctrnn_gain(s);
    if (const auto du = tape.grad_slot<T>(node, kDrive)) {
        kernels::gemm<T>({.op_b = Op::T,
                          .m = rows,
                          .n = s.inputs,
                          .k = s.units,
                          .alpha = gain,
                          .a = delta,
                          .lda = s.units,
                          .b = s.w_in,
                          .ldb = s.units,
                          .beta = du.beta(),
                          .c = du.data,
                          .ldc = s.inputs});
    }
    if (const auto dw = tape.grad_slot<T>(node, kInput)) {
        sequence::add_outer<T>(rows, {s.u, s.inputs, s.inputs}, {delta, s.units, s.units}, gain,
                               dw.accumulate, dw.data, s.units);
    }
    if (const auto db = tape.grad_slot<T>(node, kBias)) {
        kernels::column_sums_tree(rows, s.units, delta, s.units, gain, db.data, db.accumulate);
    }
}

template <class T>
void backward(Tape& tape, const Node& node) {
    const auto& record = node.record<CtrnnRecord>();
    const CtrnnSequence<T> s = sequence_of<T>(tape, node, record);
    const auto* r0 = static_cast<const T*>(record.r0);
    ScratchScope scratch;
    T* delta = scratch.array<T>(s.steps * s.batch * s.units);
    const auto dstart = tape.grad_slot<T>(node, kStart);
    T* starts = dstart ? scratch.array<T>(s.batch * s.units) : nullptr;
    kernels::ctrnn_backward(s, r0, node.y<T>(), static_cast<const T*>(record.drive), node.dy<T>(),
                            delta, starts);
    if (dstart) {
        sequence::add_start_gradient(*tape.input_node(node, kStart), s.batch, s.units, starts,
                                     dstart);
    }
    if (const auto dw = tape.grad_slot<T>(node, kRecurrent)) {
        sequence::add_outer_of_states<T>(s.steps, s.batch, s.units, r0, node.y<T>(),
                                         {delta, s.units, s.units}, kernels::ctrnn_gain(s),
                                         dw.accumulate, dw.data, s.units);
    }
    low_rank_gradients(tape, node, s, record, delta);
    input_gradients(tape, node, s, delta);
    const double inner = static_cast<double>(s.rank > 0 ? 2 * s.rank : s.units);
    tape.count_flop(4.0 * static_cast<double>(s.steps * s.batch * s.units) *
                    (inner + static_cast<double>(s.inputs)));
}

void ctrnn_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) { backward<decltype(zero)>(tape, node); });
}
const OpInfo kCtrnn{"ctrnn", ctrnn_backward};

// ---- forward ----------------------------------------------------------------------------------

void check_weights(const CtrnnWeights& w, Index units, Index inputs, DType dtype) {
    SOMA_CHECK(!(w.w_rec && (w.m || w.n)) && bool(w.m) == bool(w.n),
               "ctrnn: need w_rec, or m and n, not both");
    const auto fits = [&](const char* name, Var v, const Shape& shape) {
        SOMA_CHECK(!v || (v.shape() == shape && v.dtype() == dtype), "ctrnn: ", name, " is ",
                   v.shape(), " ", name_of(v.dtype()), "; need ", shape, " ", name_of(dtype));
    };
    fits("w_rec", w.w_rec, Shape{units, units});
    if (w.m) {
        const Index rank = w.m.shape().rank() == 2 ? w.m.shape()[1] : 0;
        SOMA_CHECK(rank >= 1, "ctrnn: m is ", w.m.shape(), "; need [N, R]");
        fits("m", w.m, Shape{units, rank});
        fits("n", w.n, Shape{units, rank});
    }
    SOMA_CHECK(w.w_in, "ctrnn: w_in is absent; need [", inputs, ", ", units, "]");
    fits("w_in", w.w_in, Shape{inputs, units});
    fits("bias", w.bias, Shape{units});
}

void check_trials(const CtrnnOptions& o, Index steps, Index batch) {
    SOMA_CHECK(o.alpha > 0 && o.alpha <= 1, "ctrnn: alpha = dt / tau is ", o.alpha,
               "; need 0 < alpha <= 1");
    SOMA_CHECK(o.sigma >= 0, "ctrnn: sigma is ", o.sigma, "; need at least 0");
    SOMA_CHECK(o.sigma == 0 || static_cast<Index>(o.trials.size()) == batch,
               "ctrnn: ", o.trials.size(), " trial ids for a batch of ", batch,
               "; noise needs one each");
    sequence::check_lengths("ctrnn", o.lengths, steps, batch);
}

template <class T>
void forward(Tape& tape, const Tape::Output& out, const CtrnnOptions& options, CtrnnRecord record) {
    const Node& node = tape.node(out.var);
    CtrnnSequence<T> s = sequence_of<T>(tape, node, record);
    s.noise = {options.sigma, options.key, options.first_step, options.visit,
               options.trials.data()};
    const Index state = s.batch * s.units;
    ScratchScope scratch;
    const Node* start = tape.input_node(node, kStart);
    T* rows = sequence::has_all_rows(start) ? nullptr : scratch.array<T>(state);
    const T* x0 = sequence::start_rows(start, s.batch, s.units, rows);
    const bool keep = out.needs_grad;
    const auto keep_array = [&](Index n) {
        return keep ? tape.allocate<T>(n) : scratch.array<T>(n);
    };
    T* r0 = keep_array(state);
    T* drive =
        keep && record.convention == Convention::rate ? tape.allocate<T>(s.steps * state) : nullptr;
    T* kappa = keep && s.rank > 0 ? tape.allocate<T>(s.steps * s.batch * s.rank) : nullptr;
    T* last = nullptr;
    if (options.last != nullptr) {
        *options.last = Tensor(Shape{s.batch, s.units}, node.dtype);
        last = options.last->data<T>().data();
    }
    kernels::ctrnn_forward(s, x0, r0, out.y<T>(), drive, kappa, last);
    const double inner = static_cast<double>(s.rank > 0 ? 2 * s.rank : s.units);
    tape.count_flop(2.0 * static_cast<double>(s.steps * state) *
                    (inner + static_cast<double>(s.inputs)));
    if (!keep) return;
    record.r0 = r0;
    record.drive = drive;
    record.kappa = kappa;
    tape.save(out, record);
}

}  // namespace

Var ctrnn(Var start, Var u, const CtrnnWeights& w, const CtrnnOptions& options) {
    const Shape &us = u.shape(), ss = start.shape();
    SOMA_CHECK(us.rank() == 3, "ctrnn: u is ", us, "; need [T, B, I]");
    SOMA_CHECK(ss.rank() == 1 || (ss.rank() == 2 && ss[0] == us[1]), "ctrnn: start is ", ss,
               ", u is ", us, "; need [N] or [B, N]");
    SOMA_CHECK(start.dtype() == u.dtype(), "ctrnn: start is ", name_of(start.dtype()), ", u is ",
               name_of(u.dtype()), "; need one dtype");
    const Index steps = us[0], batch = us[1], units = ss[-1];
    check_weights(w, units, us[2], u.dtype());
    check_trials(options, steps, batch);
    Tape& tape = u.tape();
    const Tape::Output out = tape.emit(kCtrnn, {start, u, w.w_rec, w.m, w.n, w.w_in, w.bias},
                                       Shape{steps, batch, units}, u.dtype());
    const CtrnnRecord record{options.convention,
                             options.f,
                             options.alpha,
                             sequence::active_trials(tape, options.lengths, steps),
                             nullptr,
                             nullptr,
                             nullptr};
    with_dtype(u.dtype(), [&](auto zero) { forward<decltype(zero)>(tape, out, options, record); });
    return out.var;
}

}  // namespace soma
