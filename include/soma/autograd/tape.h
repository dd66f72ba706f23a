#pragma once
// Tape: reverse-mode differentiation over a flat list of nodes.
//
// An op (ops/*.h) computes its value at once and pushes one node; nodes are therefore in
// topological order, and the reverse sweep is a loop from the last node to the first:
//
//     forward    x0  w1  linear2  tanh3  loss4          values live in a bump arena
//     backward   <------------------------- dy4 = 1     each node turns dy into contributions to
//                                                       the gradients of its inputs
//
// A gradient buffer is taken from a pool when its first contribution arrives and goes back as soon
// as the sweep has passed its node, so a sweep holds few buffers at a time. After the first step
// the arena is one block and the pool is warm: a repeated step calls neither malloc nor free.
//
// There is no global tape: a Var knows its own, and several can live at once. A Tape and its Vars
// belong to one thread at a time. reset() ends the life of all Vars.
//
// Cost: about 10-30 ns a node besides its kernel, so hand-written loops over time are practical.

#include <functional>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "soma/core/arena.h"
#include "soma/tensor/tensor.h"

namespace soma {

class Tape;
struct Node;

// A value on a tape: a small handle, copied freely, valid until the tape is reset or rewound past
// it.
class Var {
public:
    Var() = default;  // no value: stands for an absent optional argument
    Var(Tape* tape, std::int32_t index) : tape_(tape), index_(index) {}

    explicit operator bool() const { return tape_ != nullptr; }
    Tape& tape() const { return *tape_; }
    std::int32_t index() const { return index_; }
    const Shape& shape() const;
    DType dtype() const;
    bool needs_grad() const;
    // The elements; T must be the dtype, else Error(usage).
    template <class T>
    std::span<const T> value() const;
    double item() const;      // the single element of a one-element Var
    Tensor tensor() const;    // a copy of the value
    Tensor gradient() const;  // a copy of d(loss)/d(this) after a sweep: inputs and retained Vars

private:
    Tape* tape_ = nullptr;
    std::int32_t index_ = -1;
};

// What a kind of op is: one constant object per op, shared by all its nodes.
struct OpInfo {
    using Sweep = void (*)(Tape& tape, const Node& node);

    const char* name;
    // Reads node.grad (dy) and adds its contribution to the gradient of every input that needs one.
    Sweep backward = nullptr;
    // The same for the diagonal of the Gauss-Newton matrix: node.grad holds h_y >= 0, and squared
    // local derivatives carry it to the inputs (LeCun 1989). nullptr: not supported by this op.
    Sweep curvature = nullptr;
};

// One step of the computation; plain data.
struct Node {
    static constexpr int kMaxInputs = 8;

    Node(const OpInfo& info, const Shape& value_shape, DType value_dtype)
        : op(&info), shape(value_shape), dtype(value_dtype) {}

    const OpInfo* op;
    void* value = nullptr;  // shape.count() elements of dtype
    void* grad = nullptr;   // buffer of the same size; nullptr until the first contribution
    void* saved = nullptr;  // what the op keeps for its backward, in the tape's arena
    Shape shape;
    std::int32_t inputs[kMaxInputs];  // node numbers, all smaller than this node's own
    std::uint8_t input_count = 0;
    DType dtype;
    bool needs_grad = false;
    bool keeps_grad = false;  // input or retained: the buffer stays until the next sweep or reset
    bool has_sink =
        false;  // parameter: grad points to memory outside the tape and is only added to
    bool announces = false;  // parameter: no earlier node adds to the same memory

    template <class T>
    const T* y() const {
        return static_cast<const T*>(value);
    }
    template <class T>
    const T* dy() const {
        return static_cast<const T*>(grad);
    }
    template <class S>
    const S& record() const {
        return *static_cast<const S*>(saved);
    }
};

// Where an op writes its contribution to an input's gradient. accumulate == false: overwrite every
// element; true: add to what is there. data == nullptr: the input needs no gradient.
template <class T>
struct GradSlot {
    T* data = nullptr;
    bool accumulate = false;
    explicit operator bool() const { return data != nullptr; }
    T beta() const { return accumulate ? T{1} : T{0}; }
};

class Tape {
public:
    enum class Mode { record, no_grad };
    struct Mark {
        std::int32_t node = 0;
        std::size_t kept = 0;
        Arena::Mark values;
    };

    // no_grad: ops keep nothing for a sweep; for evaluation, with rewind() between batches.
    explicit Tape(Mode mode = Mode::record) : mode_(mode) {}
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    // ---- leaves ----
    // A value without gradient. The tape shares the buffer, it does not copy.
    Var constant(const Tensor& value);
    // A value whose gradient can be read with Var::gradient() after a sweep.
    Var input(const Tensor& value);
    // A parameter: both buffers belong to the caller; every sweep adds to `gradient` (nullptr:
    // frozen).
    Var parameter(const Shape& shape, DType dtype, void* value, void* gradient);

    // ---- sweeps ----
    // Gradients of the one-element Var `loss`; Error(usage) when it has more elements.
    void backward(Var loss);
    // Vector-Jacobian product: sweep from y with dL/dy = seed (same shape and dtype as y).
    void backward(Var y, const Tensor& seed);
    // Diagonal Gauss-Newton: sweep from y with h_y = seed. Every op up to y that needs a gradient
    // must support it, else Error(usage) names it and nothing is changed.
    void curvature(Var y, const Tensor& seed);
    // f(gradient) is called in backward() for every parameter on the tape, once, as soon as its
    // gradient is final; nullptr: nobody is told.
    using GradientReady = std::function<void(const void* gradient)>;
    void on_gradient_ready(GradientReady f) { gradient_ready_ = std::move(f); }
    // Keeps the gradient of an intermediate value readable after the sweep. Call before the sweep.
    void retain_gradient(Var v) { node(v).keeps_grad = true; }

    // ---- life ----
    void reset();  // forgets all nodes; memory is kept for the next step
    Mark mark() const;
    void rewind(const Mark& mark);  // forgets the nodes pushed since the mark
    bool recording() const { return mode_ == Mode::record; }
    std::int32_t size() const { return static_cast<std::int32_t>(nodes_.size()); }
    // Names the first op that produced NaN or Inf by Error(non_finite), when the next op is pushed
    // or a sweep begins; costs one pass per value.
    void check_finite(bool on) { check_finite_ = on; }
    // Floating point operations of the ops since construction; an FMA counts 2.
    double flop() const { return flop_; }

    // ---- for op authors (ops/*.cpp) ----
    struct Output {
        Var var;
        void* value;
        bool needs_grad;  // false: save nothing
        template <class T>
        T* y() const {
            return static_cast<T*>(value);
        }
    };
    // Pushes a node with an uninitialised value of the given shape. Absent inputs (Var{}) keep
    // their place. All inputs must be on this tape.
    Output emit(const OpInfo& op, std::initializer_list<Var> inputs, const Shape& shape,
                DType dtype);
    // A node whose value is `of`'s buffer under another shape (reshape).
    Output emit_view(const OpInfo& op, Var of, const Shape& shape);
    // Memory in the tape's arena, alive until reset.
    template <class T>
    T* allocate(Index n) {
        return values_.allocate_array<T>(n);
    }
    // Copies an op's plain record into the arena as node.saved.
    template <class S>
    void save(const Output& out, const S& record) {
        S* copy = values_.allocate_array<S>(1);
        *copy = record;
        nodes_[static_cast<std::size_t>(out.var.index())].saved = copy;
    }
    void count_flop(double n) { flop_ += n; }
    Node& node(Var v) { return nodes_[static_cast<std::size_t>(v.index())]; }
    // Input i of a node, or nullptr when it was absent.
    const Node* input_node(const Node& n, int i) const {
        return n.inputs[i] < 0 ? nullptr : &nodes_[static_cast<std::size_t>(n.inputs[i])];
    }
    // The slot for the gradient of input i; taking it promises that the op fills it.
    template <class T>
    GradSlot<T> grad_slot(const Node& n, int i) {
        return n.inputs[i] < 0 ? GradSlot<T>{} : grad_slot<T>(n.inputs[i]);
    }
    template <class T>
    GradSlot<T> grad_slot(std::int32_t index) {
        Node& in = nodes_[static_cast<std::size_t>(index)];
        if (!in.needs_grad) return {};
        const bool first = in.grad == nullptr;
        if (first) in.grad = take_buffer(in.shape.count() * size_of(in.dtype));
        return {static_cast<T*>(in.grad), !first};
    }

private:
    Var leaf(const Shape& shape, DType dtype, void* value);
    void check_seed(Var y, const Tensor& seed, const char* what) const;
    void sweep(Var from, const void* seed, OpInfo::Sweep OpInfo::*function, const char* what);
    void find_announcers(std::int32_t last);
    void* take_buffer(Index bytes);
    void give_buffer(void* buffer, Index bytes);
    void check_last() const;  // the newest node, when check_finite is on

    Mode mode_;
    bool check_finite_ = false;
    double flop_ = 0;
    GradientReady gradient_ready_;
    std::vector<std::pair<void*, std::int32_t>> sinks_;  // scratch of find_announcers
    std::vector<Node> nodes_;
    Arena values_;
    std::vector<Tensor> kept_;             // leaves' buffers stay alive as long as their nodes
    Arena pool_;                           // memory of the gradient buffers
    std::vector<void*> free_buffers_[48];  // by ceil(log2(bytes))
};

inline const Shape& Var::shape() const { return tape_->node(*this).shape; }
inline DType Var::dtype() const { return tape_->node(*this).dtype; }
inline bool Var::needs_grad() const { return tape_->node(*this).needs_grad; }

}  // namespace soma
