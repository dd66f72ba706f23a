#include "soma/autograd/tape.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "soma/core/poll.h"
namespace soma {
namespace {

const OpInfo kConstant{"constant"}, kInput{"input"}, kParameter{"parameter"};

Index bytes_of(const Node& n) { return n.shape.count() * size_of(n.dtype); }

int size_class(Index bytes) {
    return static_cast<int>(
        std::bit_width(static_cast<std::uint64_t>(bytes < 64 ? 63 : bytes - 1)));
}

}  // namespace

// ---- Var --------------------------------------------------------------------------------------

template <class T>
std::span<const T> Var::value() const {
    const Node& n = tape_->node(*this);
    SOMA_CHECK(n.dtype == kDType<T>, "Var::value: asked for ", name_of(kDType<T>), ", ", n.op->name,
               " is ", name_of(n.dtype));
    return {n.y<T>(), static_cast<std::size_t>(n.shape.count())};
}
template std::span<const float> Var::value<float>() const;
template std::span<const double> Var::value<double>() const;

double Var::item() const {
    const Node& n = tape_->node(*this);
    SOMA_CHECK(n.shape.count() == 1, "Var::item: ", n.op->name, " is ", n.shape,
               "; need one element");
    return n.dtype == DType::f32 ? static_cast<double>(*n.y<float>()) : *n.y<double>();
}

Tensor Var::tensor() const {
    const Node& n = tape_->node(*this);
    return Tensor::view(n.shape, n.dtype, n.value, nullptr).clone();
}

Tensor Var::gradient() const {
    const Node& n = tape_->node(*this);
    SOMA_CHECK(n.keeps_grad, "Var::gradient: the gradient of ", n.op->name, " ", n.shape,
               " is not kept; make it an input or call retain_gradient before the sweep");
    if (n.grad == nullptr) return Tensor::zeros(n.shape, n.dtype);
    return Tensor::view(n.shape, n.dtype, n.grad, nullptr).clone();
}

// ---- forward: leaves and nodes ----------------------------------------------------------------

Var Tape::leaf(const Shape& shape, DType dtype, void* value) {
    check_last();
    Node& n = nodes_.emplace_back(kConstant, shape, dtype);
    n.value = value;
    return {this, size() - 1};
}

Var Tape::constant(const Tensor& value) {
    kept_.push_back(value);
    return leaf(value.shape(), value.dtype(), const_cast<void*>(value.raw()));
}

Var Tape::input(const Tensor& value) {
    const Var v = constant(value);
    Node& n = node(v);
    n.op = &kInput;
    n.needs_grad = n.keeps_grad = recording();
    return v;
}

Var Tape::parameter(const Shape& shape, DType dtype, void* value, void* gradient) {
    const Var v = leaf(shape, dtype, value);
    Node& n = node(v);
    n.op = &kParameter;
    n.needs_grad = n.has_sink = recording() && gradient != nullptr;
    if (n.has_sink) n.grad = gradient;
    return v;
}

Tape::Output Tape::emit(const OpInfo& op, std::initializer_list<Var> inputs, const Shape& shape,
                        DType dtype) {
    for (const Var v : inputs) {
        SOMA_CHECK(!v || &v.tape() == this, op.name, ": the inputs are on different tapes");
    }
    const std::int32_t index = size();
    check_last();
    // `shape` may lie inside nodes_: emplace_back builds the new node before it moves the old ones.
    Node& n = nodes_.emplace_back(op, shape, dtype);
    n.value = values_.allocate(static_cast<std::size_t>(bytes_of(n)));
    for (const Var v : inputs) {
        n.inputs[n.input_count++] = v.index();
        n.needs_grad |= v && nodes_[static_cast<std::size_t>(v.index())].needs_grad;
    }
    n.needs_grad &= op.backward != nullptr;
    return {{this, index}, n.value, n.needs_grad};
}

Tape::Output Tape::emit_view(const OpInfo& op, Var of, const Shape& shape) {
    check_last();
    Node n(op, shape, of.dtype());
    n.value = node(of).value;
    n.inputs[n.input_count++] = of.index();
    n.needs_grad = of.needs_grad() && op.backward != nullptr;
    nodes_.push_back(n);
    return {{this, size() - 1}, n.value, n.needs_grad};
}

// ---- reverse sweeps ---------------------------------------------------------------------------

void Tape::backward(Var loss) {
    SOMA_CHECK(loss.shape().count() == 1, "backward: loss is ", loss.shape(),
               "; need one element, or pass dL/dy as the seed");
    const float one = 1;
    const double one64 = 1;
    const bool is_f32 = loss.dtype() == DType::f32;
    sweep(loss, is_f32 ? static_cast<const void*>(&one) : &one64, &OpInfo::backward, "backward");
}

void Tape::backward(Var y, const Tensor& seed) {
    check_seed(y, seed, "backward");
    sweep(y, seed.raw(), &OpInfo::backward, "backward");
}

void Tape::curvature(Var y, const Tensor& seed) {
    check_seed(y, seed, "curvature");
    for (std::int32_t i = 0; i <= y.index(); ++i) {
        const Node& n = nodes_[static_cast<std::size_t>(i)];
        SOMA_CHECK(!n.needs_grad || n.op->backward == nullptr || n.op->curvature != nullptr,
                   "curvature: op ", n.op->name, " does not support it");
    }
    sweep(y, seed.raw(), &OpInfo::curvature, "curvature");
}

void Tape::check_seed(Var y, const Tensor& seed, const char* what) const {
    SOMA_CHECK(seed.shape() == y.shape() && seed.dtype() == y.dtype(), what, ": seed is ",
               seed.shape(), " ", name_of(seed.dtype()), ", y is ", y.shape(), " ",
               name_of(y.dtype()));
}

// Invariant of the loop: when it reaches node i, every later node has delivered its contribution,
// so nodes_[i].grad is final. A node without a buffer was not reached from `from` and is skipped.
void Tape::sweep(Var from, const void* seed, OpInfo::Sweep OpInfo::*function, const char* what) {
    SOMA_CHECK(recording(), what, ": this tape was made with Mode::no_grad");
    SOMA_CHECK(!node(from).has_sink, what, ": y is a parameter itself");
    for (Node& n : nodes_) {  // what an earlier sweep kept
        if (!n.has_sink && n.grad != nullptr) {
            give_buffer(n.grad, bytes_of(n));
            n.grad = nullptr;
        }
    }
    if (!from.needs_grad()) return;
    check_last();
    std::memcpy(grad_slot<std::byte>(from.index()).data, seed,
                static_cast<std::size_t>(bytes_of(node(from))));
    const bool announce = gradient_ready_ && function == &OpInfo::backward;
    if (announce) find_announcers(from.index());
    for (std::int32_t i = from.index(); i >= 0; --i) {
        Node& n = nodes_[static_cast<std::size_t>(i)];
        if (announce && n.announces) gradient_ready_(n.grad);
        if (n.grad == nullptr || n.has_sink) continue;
        poll();
        if (n.op->backward != nullptr) (n.op->*function)(*this, n);
        if (n.keeps_grad) continue;
        give_buffer(n.grad, bytes_of(n));
        n.grad = nullptr;
    }
}

// A parameter may have several leaves (tied weights, a module used twice): the first of them is the
// last that the sweep passes.
void Tape::find_announcers(std::int32_t last) {
    sinks_.clear();
    for (std::int32_t i = 0; i <= last; ++i) {
        const Node& n = nodes_[static_cast<std::size_t>(i)];
        if (n.has_sink) sinks_.emplace_back(n.grad, i);
    }
    std::sort(sinks_.begin(), sinks_.end());
    for (std::size_t k = 0; k < sinks_.size(); ++k) {
        const auto [sink, leaf] = sinks_[k];
        nodes_[static_cast<std::size_t>(leaf)].announces = k == 0 || sinks_[k - 1].first != sink;
    }
}

// ---- memory -----------------------------------------------------------------------------------

void* Tape::take_buffer(Index bytes) {
    const int c = size_class(bytes);
    std::vector<void*>& list = free_buffers_[c];
    if (list.empty()) return pool_.allocate(std::size_t{1} << c);
    void* buffer = list.back();
    list.pop_back();
    return buffer;
}

void Tape::give_buffer(void* buffer, Index bytes) {
    free_buffers_[size_class(bytes)].push_back(buffer);
}

void Tape::reset() { rewind({}); }

Tape::Mark Tape::mark() const { return {size(), kept_.size(), values_.mark()}; }

void Tape::rewind(const Mark& mark) {
    for (std::size_t i = static_cast<std::size_t>(mark.node); i < nodes_.size(); ++i) {
        const Node& n = nodes_[i];
        if (n.grad != nullptr && !n.has_sink) give_buffer(n.grad, bytes_of(n));
    }
    nodes_.erase(nodes_.begin() + mark.node, nodes_.end());
    kept_.resize(mark.kept);
    if (mark.node == 0) {
        values_.reset();
    } else {
        values_.release(mark.values);
    }
}

void Tape::check_last() const {
    if (!check_finite_ || nodes_.empty()) return;
    const Node& n = nodes_.back();
    with_dtype(n.dtype, [&](auto zero) {
        using T = decltype(zero);
        const T* y = n.y<T>();
        for (Index i = 0; i < n.shape.count(); ++i) {
            if (std::isfinite(y[i])) continue;
            fail(ErrorCode::non_finite, n.op->name, ": node ", &n - nodes_.data(), ", element ", i,
                 " of ", n.shape, " is ", y[i]);
        }
    });
}

}  // namespace soma
