// Gated recurrent sequences on the tape: checks and weight gradients; the loops over time are
// kernels/gated.h.

#include "soma/autograd/ops/gated.h"

#include <vector>

#include "autograd/ops/sequence.h"
#include "soma/autograd/ops/embedding.h"
#include "soma/autograd/ops/shape.h"
#include "soma/kernels/gated.h"

namespace soma {
namespace {

using kernels::GatedCell;
using kernels::GatedSequence;
using kernels::Op;
using sequence::Columns;

// Places of the inputs of a node.
enum Input { kHidden, kCells, kDrive, kInput, kRecurrent, kBias, kBiasRec, kPeephole };

struct GatedRecord {
    GatedCell cell;
    const Index* active;                  // [T] or nullptr
    const void *h0, *c0, *inner, *gates;  // of the forward pass
};

template <class T>
const T* value_or_null(const Node* node) {
    return node == nullptr ? nullptr : node->y<T>();
}

// The sequence of a node, without its start.
template <class T>
GatedSequence<T> sequence_of(const Tape& tape, const Node& node, GatedCell cell,
                             const Index* active) {
    const Node* u = tape.input_node(node, kDrive);
    GatedSequence<T> s{.cell = cell};
    s.steps = u->shape[0];
    s.batch = u->shape[1];
    s.units = node.shape[-1];
    s.inputs = u->shape[2];
    s.active = active;
    s.u = u->y<T>();
    s.w_in = tape.input_node(node, kInput)->y<T>();
    s.w_rec = tape.input_node(node, kRecurrent)->y<T>();
    s.bias = value_or_null<T>(tape.input_node(node, kBias));
    s.bias_rec = value_or_null<T>(tape.input_node(node, kBiasRec));
    s.peephole = value_or_null<T>(tape.input_node(node, kPeephole));
    return s;
}

bool has_cells(const Node& node) { return node.shape.rank() == 4; }

template <class T>
double product_flop(const GatedSequence<T>& s) {
    return 2.0 * static_cast<double>(s.steps * s.batch * gates_of(s.cell) * s.units) *
           static_cast<double>(s.units + s.inputs);
}

// ---- backward ---------------------------------------------------------------------------------

// What the backward pass left: one row a step and trial, D blocks of N columns.
template <class T>
struct Deltas {
    const T* data;
    const GatedSequence<T>& s;

    Index rows() const { return s.steps * s.batch; }
    Index ld() const { return deltas_of(s.cell) * s.units; }
    Columns<const T> blocks(Index first, Index count) const {
        return {data + first * s.units, count * s.units, ld()};
    }
};

// Blocks of delta that belong to blocks of the input weights: all of them; but gru_reset_after has
// the block of n twice, r z n n', and the input's is the last.
struct InputBlocks {
    Index delta, weight, count;
};
std::vector<InputBlocks> input_blocks(GatedCell cell) {
    if (cell == GatedCell::gru_reset_after) return {{0, 0, 2}, {3, 2, 1}};
    return {{0, 0, gates_of(cell)}};
}

template <class T>
void input_gradients(Tape& tape, const Node& node, const Deltas<T>& d) {
    const GatedSequence<T>& s = d.s;
    const Index n = s.units, width = gates_of(s.cell) * n;
    auto du = tape.grad_slot<T>(node, kDrive);
    const auto dw = tape.grad_slot<T>(node, kInput);
    const auto db = tape.grad_slot<T>(node, kBias);
    for (const InputBlocks& part : input_blocks(s.cell)) {
        const Columns<const T> delta = d.blocks(part.delta, part.count);
        const Index column = part.weight * n;
        if (du) {
            kernels::gemm<T>({.op_b = Op::T,
                              .m = d.rows(),
                              .n = s.inputs,
                              .k = delta.cols,
                              .a = delta.data,
                              .lda = delta.ld,
                              .b = s.w_in + column,
                              .ldb = width,
                              .beta = du.beta(),
                              .c = du.data,
                              .ldc = s.inputs});
            du.accumulate = true;
        }
        if (dw) {
            sequence::add_outer<T>(d.rows(), {s.u, s.inputs, s.inputs}, delta, T{1}, dw.accumulate,
                                   dw.data + column, width);
        }
        if (db) {
            kernels::column_sums_tree(d.rows(), delta.cols, delta.data, delta.ld, T{1},
                                      db.data + column, db.accumulate);
        }
    }
}

template <class T>
void recurrent_gradients(Tape& tape, const Node& node, const Deltas<T>& d, const T* inner) {
    const GatedSequence<T>& s = d.s;
    const Index n = s.units, width = gates_of(s.cell) * n;
    const bool apart = s.cell == GatedCell::gru_reset_before;  // the block of n multiplies r h
    if (const auto dw = tape.grad_slot<T>(node, kRecurrent)) {
        const auto delta = d.blocks(0, apart ? 2 : gates_of(s.cell));
        sequence::add_outer_of_states<T>(s.steps, s.batch, n, s.h0, node.y<T>(), delta, T{1},
                                         dw.accumulate, dw.data, width);
        if (apart) {
            sequence::add_outer<T>(d.rows(), {inner, n, n}, d.blocks(2, 1), T{1}, dw.accumulate,
                                   dw.data + 2 * n, width);
        }
    }
    if (const auto db = tape.grad_slot<T>(node, kBiasRec)) {
        const auto delta = d.blocks(2, 1);
        kernels::column_sums_tree(d.rows(), n, delta.data, delta.ld, T{1}, db.data, db.accumulate);
    }
}

// Sums over trials and steps of delta_i c_{t-1}, delta_f c_{t-1} and delta_o c_t.
template <class T>
void peephole_gradients(Tape& tape, const Node& node, const Deltas<T>& d, const T* c) {
    const auto dp = tape.grad_slot<T>(node, kPeephole);
    if (!dp) return;
    const GatedSequence<T>& s = d.s;
    const Index n = s.units, later = std::max<Index>(s.steps - 1, 0) * s.batch;
    for (const Index gate : {0, 1}) {
        const auto delta = d.blocks(gate, 1);
        T* y = dp.data + gate * n;
        kernels::column_dots_tree(s.steps > 0 ? s.batch : 0, n, s.c0, n, delta.data, delta.ld, T{1},
                                  y, dp.accumulate);
        kernels::column_dots_tree(later, n, c, n, delta.data + s.batch * delta.ld, delta.ld, T{1},
                                  y, true);
    }
    const auto delta = d.blocks(3, 1);
    kernels::column_dots_tree(d.rows(), n, c, n, delta.data, delta.ld, T{1}, dp.data + 2 * n,
                              dp.accumulate);
}

template <class T>
void backward(Tape& tape, const Node& node) {
    const auto& record = node.record<GatedRecord>();
    GatedSequence<T> s = sequence_of<T>(tape, node, record.cell, record.active);
    s.h0 = static_cast<const T*>(record.h0);
    s.c0 = static_cast<const T*>(record.c0);
    const auto* inner = static_cast<const T*>(record.inner);
    const Index state = s.batch * s.units;
    ScratchScope scratch;
    T* delta = scratch.array<T>(s.steps * s.batch * deltas_of(s.cell) * s.units);
    const auto dh0 = tape.grad_slot<T>(node, kHidden), dc0 = tape.grad_slot<T>(node, kCells);
    T* dh_rows = dh0 ? scratch.array<T>(state) : nullptr;
    T* dc_rows = dc0 ? scratch.array<T>(state) : nullptr;
    const T* dc = has_cells(node) ? node.dy<T>() + s.steps * state : nullptr;
    kernels::gated_backward(s, node.y<T>(), inner, static_cast<const T*>(record.gates),
                            node.dy<T>(), dc, delta, dh_rows, dc_rows);
    const auto start = [&](Input i, const GradSlot<T>& slot, const T* rows) {
        if (!slot) return;
        sequence::add_start_gradient(*tape.input_node(node, i), s.batch, s.units, rows, slot);
    };
    start(kHidden, dh0, dh_rows);
    start(kCells, dc0, dc_rows);
    const Deltas<T> d{delta, s};
    recurrent_gradients(tape, node, d, inner);
    input_gradients(tape, node, d);
    peephole_gradients(tape, node, d, inner);
    tape.count_flop(2 * product_flop(s));
}

void gated_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) { backward<decltype(zero)>(tape, node); });
}
const OpInfo kLstm{"lstm", gated_backward};
const OpInfo kGru{"gru", gated_backward};
const OpInfo kUgrnn{"ugrnn", gated_backward};

// ---- forward ----------------------------------------------------------------------------------

// One call of any of the ops.
struct Call {
    const OpInfo& op;
    GatedCell cell;
    LstmStart start;
    Var u;
    const GatedWeights& w;
    LstmOptions options;

    Index units() const { return w.w_rec.shape()[0]; }
};

void check(const Call& call) {
    const char* op = call.op.name;
    SOMA_CHECK(call.u && call.w.w_in && call.w.w_rec, op, ": need u, w_in and w_rec");
    const Shape &us = call.u.shape(), &ws = call.w.w_rec.shape();
    SOMA_CHECK(us.rank() == 3 && us[2] >= 1, op, ": u is ", us, "; need [T, B, I]");
    const Index n = ws.rank() == 2 ? ws[0] : 0, width = gates_of(call.cell) * n;
    SOMA_CHECK(n >= 1 && ws[1] == width, op, ": w_rec is ", ws, "; need [N, ", gates_of(call.cell),
               " N]");
    const auto fits = [&](const char* name, Var v, const Shape& shape) {
        SOMA_CHECK(!v || (v.shape() == shape && v.dtype() == call.u.dtype()), op, ": ", name,
                   " is ", v.shape(), " ", name_of(v.dtype()), "; need ", shape, " ",
                   name_of(call.u.dtype()));
    };
    fits("w_rec", call.w.w_rec, ws);
    fits("w_in", call.w.w_in, Shape{us[2], width});
    fits("bias", call.w.bias, Shape{width});
    fits("bias_rec", call.w.bias_rec, Shape{n});
    fits("peephole", call.w.peephole, Shape{3, n});
    SOMA_CHECK(!call.w.bias_rec || call.cell == GatedCell::gru_reset_after, op,
               ": bias_rec is of gru with reset_after");
    SOMA_CHECK(!call.w.peephole || call.cell == GatedCell::lstm, op, ": peephole is of lstm");
    for (const Var start : {call.start.h, call.start.c}) {
        if (start) fits("start", start, start.shape().rank() == 1 ? Shape{n} : Shape{us[1], n});
    }
    sequence::check_lengths(op, call.options.lengths, us[0], us[1]);
}

template <class T>
T* last_state(Tensor* last, Index batch, Index units, DType dtype) {
    if (last == nullptr) return nullptr;
    *last = Tensor(Shape{batch, units}, dtype);
    return last->data<T>().data();
}

template <class T>
void forward(Tape& tape, const Tape::Output& out, const Call& call) {
    const Node& node = tape.node(out.var);
    const Index* active = sequence::active_trials(tape, call.options.lengths, call.u.shape()[0]);
    GatedSequence<T> s = sequence_of<T>(tape, node, call.cell, active);
    const bool keep = out.needs_grad, is_lstm = call.cell == GatedCell::lstm;
    const Index state = s.batch * s.units, all = s.steps * state;
    ScratchScope scratch;
    const auto rows_of = [&](Input i) {
        const Node* start = tape.input_node(node, i);
        T* rows = sequence::has_all_rows(start) ? nullptr
                  : keep                        ? tape.allocate<T>(state)
                                                : scratch.array<T>(state);
        return sequence::start_rows(start, s.batch, s.units, rows);
    };
    s.h0 = rows_of(kHidden);
    s.c0 = is_lstm ? rows_of(kCells) : nullptr;
    T* inner = call.options.cells                      ? out.y<T>() + all
               : keep && call.cell != GatedCell::ugrnn ? tape.allocate<T>(all)
                                                       : nullptr;
    T* gates = keep ? tape.allocate<T>(all * gates_of(call.cell)) : nullptr;
    kernels::gated_forward(s, out.y<T>(), inner, gates,
                           last_state<T>(call.options.h_last, s.batch, s.units, node.dtype),
                           last_state<T>(call.options.c_last, s.batch, s.units, node.dtype));
    tape.count_flop(product_flop(s));
    if (keep) tape.save(out, GatedRecord{call.cell, active, s.h0, s.c0, inner, gates});
}

Var run(const Call& call) {
    check(call);
    Tape& tape = call.u.tape();
    const Index steps = call.u.shape()[0], batch = call.u.shape()[1];
    const Shape shape = call.options.cells ? Shape{2, steps, batch, call.units()}
                                           : Shape{steps, batch, call.units()};
    const GatedWeights& w = call.w;
    const Tape::Output out = tape.emit(
        call.op,
        {call.start.h, call.start.c, call.u, w.w_in, w.w_rec, w.bias, w.bias_rec, w.peephole},
        shape, call.u.dtype());
    with_dtype(call.u.dtype(), [&](auto zero) { forward<decltype(zero)>(tape, out, call); });
    return out.var;
}

}  // namespace

Var lstm(const LstmStart& start, Var u, const GatedWeights& weights, const LstmOptions& options) {
    return run({kLstm, GatedCell::lstm, start, u, weights, options});
}

Var gru(Var start, Var u, const GatedWeights& weights, GruForm form, const GatedOptions& options) {
    const GatedCell cell =
        form == GruForm::reset_after ? GatedCell::gru_reset_after : GatedCell::gru_reset_before;
    return run({kGru, cell, {.h = start}, u, weights, {options.lengths, options.h_last}});
}

Var ugrnn(Var start, Var u, const GatedWeights& weights, const GatedOptions& options) {
    return run(
        {kUgrnn, GatedCell::ugrnn, {.h = start}, u, weights, {options.lengths, options.h_last}});
}

Var reverse_time(Var x, std::span<const Index> lengths) {
    const Shape xs = x.shape();
    SOMA_CHECK(xs.rank() == 3, "reverse_time: x is ", xs, "; need [T, B, C]");
    const Index steps = xs[0], batch = xs[1];
    sequence::check_lengths("reverse_time", lengths, steps, batch);
    std::vector<std::int32_t> from;
    from.reserve(static_cast<std::size_t>(steps * batch));
    for (Index t = 0; t < steps; ++t) {
        for (Index b = 0; b < batch; ++b) {
            const Index length = lengths.empty() ? steps : lengths[static_cast<std::size_t>(b)];
            const Index source = t < length ? length - 1 - t : t;
            from.push_back(static_cast<std::int32_t>(source * batch + b));
        }
    }
    const Var rows = reshape(x, {steps * batch, xs[2]});
    return reshape(embedding(rows, from), xs);
}

}  // namespace soma
