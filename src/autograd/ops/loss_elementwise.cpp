// The losses of one element at a time: squared error, Huber, binary cross-entropy.
//
// The forward fills an array with the losses of all elements, weights it and sums it in LONG order;
// the backward recomputes e = y - target from the two nodes, so nothing but the weights is saved.

#include <algorithm>

#include "soma/autograd/ops/loss.h"
#include "soma/core/parallel.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/reduce.h"

namespace soma {
namespace {

constexpr Index kGrain = 1 << 15;  // elements worth a thread

// The weights in the tape's arena, nullptr for none.
const float* keep_weights(Tape& tape, const LossOptions& options) {
    if (options.weights.empty()) return nullptr;
    auto* copy = tape.allocate<float>(static_cast<Index>(options.weights.size()));
    std::copy(options.weights.begin(), options.weights.end(), copy);
    return copy;
}

// What their backward keeps; y and target stay in their nodes.
struct Pair {
    const float* weights;  // of the steps of the first axis; nullptr: all 1
    Index rows;
    double scale;
    double delta;  // of huber
};

// f(i, weight) for all of [0, n). The loops are apart because each vectorises on its own terms.
template <class F>
void for_each_weighted(Index n, const Pair& pair, F&& f) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        if (pair.weights == nullptr) {
            for (Index i = begin; i < end; ++i) f(i, 1.0F);
        } else if (pair.rows == n) {
            for (Index i = begin; i < end; ++i) f(i, pair.weights[i]);
        } else {
            const Index cols = n / pair.rows;
            while (begin < end) {
                const Index row = begin / cols, stop = std::min(end, (row + 1) * cols);
                const float weight = pair.weights[row];
                for (; begin < stop; ++begin) f(begin, weight);
            }
        }
    });
}

// d (+)= factor * weight * slope(i), and 0 where the weight is.
template <class T, class Slope>
void add_slopes(Index n, const Pair& pair, T factor, GradSlot<T> d, Slope&& slope) {
    const auto share = [factor, slope](Index i, float weight) {
        return weight == 0 ? T{0} : factor * static_cast<T>(weight) * slope(i);
    };
    T* const data = d.data;
    if (d.accumulate) {
        for_each_weighted(n, pair, [=](Index i, float weight) { data[i] += share(i, weight); });
    } else {
        for_each_weighted(n, pair, [=](Index i, float weight) { data[i] = share(i, weight); });
    }
}

template <class T>
struct PairNode {
    const T *y, *target;
    Index n;
    T factor;  // dE / d(weighted sum)
    PairNode(const Tape& tape, const Node& node)
        : y(tape.input_node(node, 0)->y<T>()),
          target(tape.input_node(node, 1)->y<T>()),
          n(tape.input_node(node, 0)->shape.count()),
          factor(static_cast<T>(node.record<Pair>().scale) * *node.dy<T>()) {}
};

// Both gradients of a loss that depends on e = y - target only.
template <class T, class Slope>
void error_backward(Tape& tape, const Node& node, Slope&& slope) {
    const PairNode<T> p(tape, node);
    const auto& record = node.record<Pair>();
    for (int side = 0; side < 2; ++side) {
        if (const auto d = tape.grad_slot<T>(node, side)) {
            add_slopes(p.n, record, side == 0 ? p.factor : -p.factor, d,
                       [&](Index i) { return slope(p.y[i] - p.target[i]); });
        }
    }
}

void squared_error_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        error_backward<T>(tape, node, [](T e) { return e; });
    });
}

void squared_error_curvature(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const PairNode<T> p(tape, node);
        for (int side = 0; side < 2; ++side) {
            if (const auto h = tape.grad_slot<T>(node, side)) {
                add_slopes(p.n, node.record<Pair>(), p.factor, h, [](Index) { return T{1}; });
            }
        }
    });
}
const OpInfo kSquaredError{"squared_error", squared_error_backward, squared_error_curvature};

void huber_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const T delta = static_cast<T>(node.record<Pair>().delta);
        error_backward<T>(tape, node, [=](T e) {
            return e > delta ? delta : e < -delta ? -delta : e;
        });
    });
}
const OpInfo kHuber{"huber", huber_backward};

void bce_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const PairNode<T> p(tape, node);
        const auto& record = node.record<Pair>();
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            ScratchScope scratch;
            T* sigmoid = scratch.array<T>(p.n);
            kernels::activation(Activation::sigmoid, T{0}, p.n, p.y, sigmoid);
            add_slopes(p.n, record, p.factor, dx,
                       [&](Index i) { return sigmoid[i] - p.target[i]; });
        }
        if (const auto dt = tape.grad_slot<T>(node, 1)) {
            add_slopes(p.n, record, -p.factor, dt, [&](Index i) { return p.y[i]; });
        }
    });
}
const OpInfo kBce{"bce_with_logits", bce_backward};

void check_pair(const char* op, Var y, Var target, const LossOptions& options) {
    SOMA_CHECK(y.shape() == target.shape() && y.dtype() == target.dtype(), op, ": y is ", y.shape(),
               " ", name_of(y.dtype()), ", target is ", target.shape(), " ",
               name_of(target.dtype()), "; need one shape and dtype");
    const Index rows = y.shape().rank() == 0 ? 1 : y.shape()[0];
    SOMA_CHECK(options.weights.empty() || static_cast<Index>(options.weights.size()) == rows, op,
               ": ", options.weights.size(), " weights for y ", y.shape(),
               "; need one for each step of the first axis");
}

// Emits the loss; losses(n, y, target, loss) fills the unweighted losses of all elements.
template <class T, class Losses>
Var pair_loss(const OpInfo& op, Var y, Var target, const LossOptions& options, double delta,
              Losses&& losses) {
    Tape& tape = y.tape();
    const Tape::Output out = tape.emit(op, {y, target}, {}, y.dtype());
    const Pair pair{keep_weights(tape, options), static_cast<Index>(options.weights.size()),
                    options.scale, delta};
    const Index n = y.shape().count();
    ScratchScope scratch;
    T* loss = scratch.array<T>(n);
    losses(n, tape.node(y).y<T>(), tape.node(target).y<T>(), loss);
    if (pair.weights != nullptr) {
        for_each_weighted(n, pair, [=](Index i, float weight) {
            loss[i] = weight == 0 ? T{0} : loss[i] * static_cast<T>(weight);
        });
    }
    *out.y<T>() = static_cast<T>(options.scale * kernels::sum_long(n, loss));
    if (out.needs_grad) tape.save(out, pair);
    return out.var;
}

// loss[i] = f(i) over the threads.
template <class T, class F>
void fill_losses(Index n, T* loss, F&& f) {
    parallel_for(n, kGrain, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) loss[i] = f(i);
    });
}

}  // namespace

Var squared_error(Var y, Var target, const LossOptions& options) {
    check_pair("squared_error", y, target, options);
    return with_dtype(y.dtype(), [&](auto zero) {
        using T = decltype(zero);
        return pair_loss<T>(kSquaredError, y, target, options, 0,
                            [](Index n, const T* a, const T* b, T* loss) {
                                fill_losses(n, loss, [=](Index i) {
                                    const T e = a[i] - b[i];
                                    return e * e / 2;
                                });
                            });
    });
}

Var mse(Var y, Var target) {
    check_pair("mse", y, target, {});
    SOMA_CHECK(y.shape().count() >= 1, "mse: y is ", y.shape(), "; need at least one element");
    return squared_error(y, target, {.scale = 2.0 / static_cast<double>(y.shape().count())});
}

Var huber(Var y, Var target, double delta, const LossOptions& options) {
    check_pair("huber", y, target, options);
    SOMA_CHECK(delta > 0, "huber: delta is ", delta, "; need delta > 0");
    return with_dtype(y.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T d = static_cast<T>(delta);
        return pair_loss<T>(kHuber, y, target, options, delta,
                            [=](Index n, const T* a, const T* b, T* loss) {
                                fill_losses(n, loss, [=](Index i) {
                                    const T e = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
                                    return e > d ? d * (e - d / 2) : e * e / 2;
                                });
                            });
    });
}

Var bce_with_logits(Var x, Var target, const LossOptions& options) {
    check_pair("bce_with_logits", x, target, options);
    return with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        return pair_loss<T>(
            kBce, x, target, options, 0, [](Index n, const T* a, const T* t, T* loss) {
                fill_losses(n, loss, [=](Index i) { return a[i] > 0 ? -a[i] : a[i]; });
                kernels::activation(Activation::softplus, T{0}, n, loss, loss);
                fill_losses(n, loss, [=](Index i) {
                    return (a[i] > 0 ? a[i] : T{0}) - a[i] * t[i] + loss[i];
                });
            });
    });
}

}  // namespace soma
