// Softmax and cross-entropy on the tape. Cross-entropy computes softmax - q in the forward pass,
// where the row is in cache; its backward is one scaling. Losses of rows are summed in f64.

#include "soma/autograd/ops/loss.h"

#include "soma/kernels/elementwise.h"
#include "soma/kernels/reduce.h"
#include "soma/kernels/softmax.h"

namespace soma {
namespace {

// ---- softmax, log_softmax ----

template <class T>
using RowsBackward = void (*)(Index, Index, const T*, const T*, bool, T*);

template <class T>
void rows_backward(Tape& tape, const Node& node, RowsBackward<T> kernel) {
    if (const auto dx = tape.grad_slot<T>(node, 0)) {
        kernel(node.shape.rows(), node.shape.cols(), node.y<T>(), node.dy<T>(), dx.accumulate,
               dx.data);
    }
}

void softmax_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        rows_backward<T>(tape, node, kernels::softmax_backward<T>);
    });
}
const OpInfo kSoftmax{"softmax", softmax_backward};

void log_softmax_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        rows_backward<T>(tape, node, kernels::log_softmax_backward<T>);
    });
}
const OpInfo kLogSoftmax{"log_softmax", log_softmax_backward};

void check_row(const char* op, const Shape& x) {
    SOMA_CHECK(x.cols() >= 1, op, ": x is ", x, "; need a last axis of size >= 1");
}

// ---- softmax_cross_entropy ----

struct CrossEntropy {
    const void* gradient;  // weight_r (softmax - q), as the logits
    double scale;
};

void cross_entropy_backward(Tape& tape, const Node& node) {
    const auto& record = node.record<CrossEntropy>();
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            const Index n = tape.input_node(node, 0)->shape.count();
            const auto* gradient = static_cast<const T*>(record.gradient);
            const T factor = static_cast<T>(record.scale) * *node.dy<T>();
            if (dx.accumulate) {
                kernels::axpy(n, factor, gradient, dx.data);
            } else {
                kernels::scale(n, factor, gradient, dx.data);
            }
        }
    });
}
const OpInfo kCrossEntropy{"softmax_cross_entropy", cross_entropy_backward};

void check_logits(const Shape& x, const LossOptions& options) {
    check_row(kCrossEntropy.name, x);
    SOMA_CHECK(options.weights.empty() || static_cast<Index>(options.weights.size()) == x.rows(),
               "softmax_cross_entropy: ", options.weights.size(), " weights for logits ", x,
               "; need one a row");
}

// sum_r weight_r losses[r] in f64.
template <class T>
double weighted_sum(Index rows, const T* losses, const float* weights) {
    ScratchScope scratch;
    double* terms = scratch.array<double>(rows);
    for (Index r = 0; r < rows; ++r) {
        terms[r] = (weights == nullptr ? 1.0 : static_cast<double>(weights[r])) *
                   static_cast<double>(losses[r]);
    }
    return kernels::sum_long(rows, terms);
}

template <class T>
Var cross_entropy(Var logits, const kernels::CrossEntropyTargets<T>& target, double scale) {
    Tape& tape = logits.tape();
    const Tape::Output out = tape.emit(kCrossEntropy, {logits}, {}, logits.dtype());
    const Node& x = tape.node(logits);
    const Index rows = x.shape.rows();
    T* gradient = out.needs_grad ? tape.allocate<T>(x.shape.count()) : nullptr;
    ScratchScope scratch;
    T* losses = scratch.array<T>(rows);
    kernels::cross_entropy(rows, x.shape.cols(), x.y<T>(), target, losses, gradient);
    *out.y<T>() = static_cast<T>(scale * weighted_sum(rows, losses, target.weights));
    if (out.needs_grad) tape.save(out, CrossEntropy{gradient, scale});
    return out.var;
}

}  // namespace

Var softmax(Var x) {
    check_row("softmax", x.shape());
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kSoftmax, {x}, x.shape(), x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::softmax(x.shape().rows(), x.shape().cols(), tape.node(x).y<T>(), out.y<T>());
    });
    return out.var;
}

Var log_softmax(Var x) {
    check_row("log_softmax", x.shape());
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kLogSoftmax, {x}, x.shape(), x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::log_softmax(x.shape().rows(), x.shape().cols(), tape.node(x).y<T>(), out.y<T>());
    });
    return out.var;
}

Var softmax_cross_entropy(Var logits, std::span<const std::int32_t> labels,
                          const LossOptions& options) {
    const Shape& x = logits.shape();
    check_logits(x, options);
    SOMA_CHECK(static_cast<Index>(labels.size()) == x.rows(),
               "softmax_cross_entropy: ", labels.size(), " labels for logits ", x,
               "; need one a row");
    SOMA_CHECK(options.label_smoothing >= 0 && options.label_smoothing < 1,
               "softmax_cross_entropy: label_smoothing is ", options.label_smoothing,
               "; need 0 <= label_smoothing < 1");
    for (std::size_t r = 0; r < labels.size(); ++r) {
        const bool padding = !options.weights.empty() && options.weights[r] == 0;
        SOMA_CHECK(padding || (labels[r] >= 0 && labels[r] < x.cols()),
                   "softmax_cross_entropy: label of row ", r, " is ", labels[r], ", logits are ", x,
                   "; need 0 <= label < ", x.cols());
    }
    return with_dtype(logits.dtype(), [&](auto zero) {
        kernels::CrossEntropyTargets<decltype(zero)> target{.labels = labels.data(),
                                                            .smoothing = options.label_smoothing};
        if (!options.weights.empty()) target.weights = options.weights.data();
        return cross_entropy(logits, target, options.scale);
    });
}

Var softmax_cross_entropy(Var logits, Var targets, const LossOptions& options) {
    check_logits(logits.shape(), options);
    SOMA_CHECK(targets.shape() == logits.shape() && targets.dtype() == logits.dtype(),
               "softmax_cross_entropy: logits are ", logits.shape(), " ", name_of(logits.dtype()),
               ", targets are ", targets.shape(), " ", name_of(targets.dtype()),
               "; need one shape and dtype");
    SOMA_CHECK(options.label_smoothing == 0, "softmax_cross_entropy: label_smoothing is ",
               options.label_smoothing, " with soft targets; smooth the targets instead");
    return with_dtype(logits.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::CrossEntropyTargets<T> target{.targets = targets.tape().node(targets).y<T>()};
        if (!options.weights.empty()) target.weights = options.weights.data();
        return cross_entropy(logits, target, options.scale);
    });
}

}  // namespace soma
