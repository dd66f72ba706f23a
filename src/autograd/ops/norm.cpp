// Normalisation on the tape. Forward passes keep mean and reciprocal deviation, not the normalised
// array: recomputing (x - mean) rstd costs less than storing and reading it.

#include "soma/autograd/ops/norm.h"

#include <algorithm>

#include "soma/kernels/norm.h"
#include "soma/kernels/reduce.h"

namespace soma {
namespace {

// Inputs of every norm: 0 x, 1 gamma or absent, 2 beta or absent.

template <class T>
const T* input_value(const Tape& tape, const Node& node, int i) {
    const Node* in = tape.input_node(node, i);
    return in == nullptr ? nullptr : in->y<T>();
}

template <class T>
const T* value_of(Var v) {
    return v ? v.tape().node(v).template y<T>() : nullptr;
}

void check_channels(const char* op, Var x, Var gamma, Var beta, double eps) {
    SOMA_CHECK(x.shape().rank() >= 1 && x.shape().cols() >= 1, op, ": x is ", x.shape(),
               "; need a last axis of size >= 1");
    for (const Var v : {gamma, beta}) {
        SOMA_CHECK(!v || (v.shape() == Shape{x.shape().cols()} && v.dtype() == x.dtype()), op,
                   ": x is ", x.shape(), " ", name_of(x.dtype()), ", gamma or beta is ", v.shape(),
                   " ", name_of(v.dtype()), "; need [", x.shape().cols(), "] of one dtype");
    }
    SOMA_CHECK(eps > 0, op, ": eps is ", eps, "; need eps > 0");
}

// dbeta (+)= column sums of dy.
template <class T>
void add_beta_gradient(Tape& tape, const Node& node) {
    if (const auto dbeta = tape.grad_slot<T>(node, 2)) {
        kernels::column_sums_tree(node.shape.rows(), node.shape.cols(), node.dy<T>(),
                                  node.shape.cols(), T{1}, dbeta.data, dbeta.accumulate);
    }
}

template <class T>
void copy_or_add(Index n, const T* x, GradSlot<T> d) {
    for (Index i = 0; i < n; ++i) d.data[i] = d.accumulate ? d.data[i] + x[i] : x[i];
}

struct Statistics {
    const void *mean, *rstd;
    Index groups;  // of group_norm
    bool fixed;    // batch_norm_eval: statistics do not depend on x
};

// ---- layer_norm, rms_norm ----

void layer_norm_backward(Tape& tape, const Node& node) {
    const auto& s = node.record<Statistics>();
    const Index rows = node.shape.rows(), cols = node.shape.cols();
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const auto *mean = static_cast<const T*>(s.mean), *rstd = static_cast<const T*>(s.rstd);
        const T* x = input_value<T>(tape, node, 0);
        if (const auto dgamma = tape.grad_slot<T>(node, 1)) {
            kernels::layer_norm_dgamma(rows, cols, x, mean, rstd, node.dy<T>(), dgamma.accumulate,
                                       dgamma.data);
        }
        add_beta_gradient<T>(tape, node);
        if (const auto dx = tape.grad_slot<T>(node, 0)) {
            kernels::layer_norm_dx(rows, cols, x, input_value<T>(tape, node, 1), mean, rstd,
                                   node.dy<T>(), dx.accumulate, dx.data);
        }
    });
}
const OpInfo kLayerNorm{"layer_norm", layer_norm_backward};
const OpInfo kRmsNorm{"rms_norm", layer_norm_backward};

Var row_norm(const OpInfo& op, Var x, Var gamma, Var beta, double eps, bool centred) {
    check_channels(op.name, x, gamma, beta, eps);
    Tape& tape = x.tape();
    const Shape shape = x.shape();
    const Tape::Output out = tape.emit(op, {x, gamma, beta}, shape, x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        T* mean = centred ? tape.allocate<T>(shape.rows()) : nullptr;
        T* rstd = tape.allocate<T>(shape.rows());
        kernels::layer_norm(shape.rows(), shape.cols(), value_of<T>(x), value_of<T>(gamma),
                            value_of<T>(beta), static_cast<T>(eps), out.y<T>(), mean, rstd);
        if (out.needs_grad) tape.save(out, Statistics{mean, rstd, 1, false});
    });
    return out.var;
}

// ---- group_norm ----

kernels::GroupShape group_shape(const Shape& x, Index groups) {
    const Index images = x[0], rows = x.rows() / std::max<Index>(images, 1);
    return {images, rows, x.cols(), groups};
}

void group_norm_backward(Tape& tape, const Node& node) {
    const auto& s = node.record<Statistics>();
    const kernels::GroupShape shape = group_shape(node.shape, s.groups);
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        ScratchScope scratch;
        T* sum_dy = scratch.array<T>(shape.images * shape.cols);
        T* sum_dy_xh = scratch.array<T>(shape.images * shape.cols);
        const auto dx = tape.grad_slot<T>(node, 0);
        kernels::group_norm_backward(shape, input_value<T>(tape, node, 0),
                                     input_value<T>(tape, node, 1), static_cast<const T*>(s.mean),
                                     static_cast<const T*>(s.rstd), node.dy<T>(), sum_dy, sum_dy_xh,
                                     dx.accumulate, dx.data);
        const T* sums[] = {sum_dy_xh, sum_dy};
        for (const int i : {1, 2}) {
            if (const auto d = tape.grad_slot<T>(node, i)) {
                kernels::column_sums_tree(shape.images, shape.cols, sums[i - 1], shape.cols, T{1},
                                          d.data, d.accumulate);
            }
        }
    });
}
const OpInfo kGroupNorm{"group_norm", group_norm_backward};

// ---- batch_norm, batch_norm_eval ----

void batch_norm_backward(Tape& tape, const Node& node) {
    const auto& s = node.record<Statistics>();
    const Index rows = node.shape.rows(), cols = node.shape.cols();
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const auto *mean = static_cast<const T*>(s.mean), *rstd = static_cast<const T*>(s.rstd);
        const T *x = input_value<T>(tape, node, 0), *gamma = input_value<T>(tape, node, 1);
        const T* dy = node.dy<T>();
        ScratchScope scratch;
        T* sum_dy = scratch.array<T>(cols);
        T* sum_dy_xh = scratch.array<T>(cols);
        kernels::column_sums_tree(rows, cols, dy, cols, T{1}, sum_dy, false);
        kernels::normalised_dots(rows, cols, x, mean, rstd, dy, sum_dy_xh);
        if (const auto d = tape.grad_slot<T>(node, 1)) copy_or_add(cols, sum_dy_xh, d);
        if (const auto d = tape.grad_slot<T>(node, 2)) copy_or_add(cols, sum_dy, d);
        const auto dx = tape.grad_slot<T>(node, 0);
        if (!dx) return;
        for (Index c = 0; c < cols; ++c) {  // the sums become the means of g and g xh
            const T factor = s.fixed ? T{0} : gamma == nullptr ? T{1} : gamma[c];
            sum_dy[c] = factor * sum_dy[c] / static_cast<T>(rows);
            sum_dy_xh[c] = factor * sum_dy_xh[c] / static_cast<T>(rows);
        }
        kernels::normalise_columns_dx(rows, cols, x, mean, rstd, gamma, sum_dy, sum_dy_xh, dy,
                                      dx.accumulate, dx.data);
    });
}
const OpInfo kBatchNorm{"batch_norm", batch_norm_backward};
const OpInfo kBatchNormEval{"batch_norm_eval", batch_norm_backward};

// Fills rstd from the variance, normalises and saves the statistics.
template <class T>
void finish_batch_norm(const Tape::Output& out, Var x, Var gamma, Var beta, const T* mean,
                       const T* variance, double eps, bool fixed) {
    Tape& tape = x.tape();
    const Index rows = x.shape().rows(), cols = x.shape().cols();
    T* rstd = tape.allocate<T>(cols);
    kernels::reciprocal_deviation(cols, variance, static_cast<T>(eps), rstd);
    kernels::normalise_columns(rows, cols, value_of<T>(x), mean, rstd, value_of<T>(gamma),
                               value_of<T>(beta), out.y<T>());
    if (out.needs_grad) tape.save(out, Statistics{mean, rstd, 1, fixed});
}

}  // namespace

Var layer_norm(Var x, Var gamma, Var beta, double eps) {
    return row_norm(kLayerNorm, x, gamma, beta, eps, true);
}

Var rms_norm(Var x, Var gamma, double eps) {
    return row_norm(kRmsNorm, x, gamma, Var{}, eps, false);
}

Var group_norm(Var x, Var gamma, Var beta, Index groups, double eps) {
    check_channels("group_norm", x, gamma, beta, eps);
    const Shape shape = x.shape();
    SOMA_CHECK(shape.rank() >= 2 && groups >= 1 && shape.cols() % groups == 0, "group_norm: x is ",
               shape, ", groups is ", groups, "; need [N, ..., C] and groups dividing C");
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kGroupNorm, {x, gamma, beta}, shape, x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        T* mean = tape.allocate<T>(shape[0] * shape.cols());
        T* rstd = tape.allocate<T>(shape[0] * shape.cols());
        kernels::group_norm(group_shape(shape, groups), value_of<T>(x), value_of<T>(gamma),
                            value_of<T>(beta), static_cast<T>(eps), out.y<T>(), mean, rstd);
        if (out.needs_grad) tape.save(out, Statistics{mean, rstd, groups, false});
    });
    return out.var;
}

Var batch_norm(Var x, Var gamma, Var beta, double eps, BatchStatistics* statistics) {
    check_channels("batch_norm", x, gamma, beta, eps);
    const Index rows = x.shape().rows(), cols = x.shape().cols();
    SOMA_CHECK(rows >= 1, "batch_norm: x is ", x.shape(), "; need at least one row");
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kBatchNorm, {x, gamma, beta}, x.shape(), x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        T* mean = tape.allocate<T>(cols);
        ScratchScope scratch;
        T* variance = scratch.array<T>(cols);
        const T* values = value_of<T>(x);
        kernels::column_sums_tree(rows, cols, values, cols, T{1}, mean, false);
        for (Index c = 0; c < cols; ++c) mean[c] /= static_cast<T>(rows);
        kernels::centred_squares(rows, cols, values, mean, variance);
        for (Index c = 0; c < cols; ++c) variance[c] /= static_cast<T>(rows);
        finish_batch_norm(out, x, gamma, beta, mean, variance, eps, false);
        if (statistics == nullptr) return;
        const auto copy = [&](T* data) {
            return Tensor::view({cols}, x.dtype(), data, nullptr).clone();
        };
        *statistics = {copy(mean), copy(variance), rows};
    });
    return out.var;
}

Var batch_norm_eval(Var x, Var gamma, Var beta, const Tensor& mean, const Tensor& variance,
                    double eps) {
    check_channels("batch_norm_eval", x, gamma, beta, eps);
    const Index cols = x.shape().cols();
    for (const Tensor& t : {mean, variance}) {
        SOMA_CHECK(t.shape() == Shape{cols} && t.dtype() == x.dtype(), "batch_norm_eval: x is ",
                   x.shape(), " ", name_of(x.dtype()), ", mean or variance is ", t.shape(), " ",
                   name_of(t.dtype()), "; need [", cols, "] of one dtype");
    }
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kBatchNormEval, {x, gamma, beta}, x.shape(), x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        T* kept = tape.allocate<T>(cols);
        std::copy_n(mean.data<T>().data(), cols, kept);
        finish_batch_norm<T>(out, x, gamma, beta, kept, variance.data<T>().data(), eps, true);
    });
    return out.var;
}

}  // namespace soma
