#include "soma/nn/ctrnn.h"

#include <algorithm>
#include <cmath>

#include "soma/autograd/ops/math.h"
#include "soma/core/error.h"

namespace soma::nn {
namespace {

void check_mask(const std::string& layer, const char* what, const Tensor& mask,
                const Shape& shape) {
    if (mask.empty()) return;
    SOMA_CHECK(mask.shape() == shape, "Ctrnn '", layer, "': ", what, " is ", mask.shape(),
               "; need ", shape);
    for (Index i = 0; i < mask.shape().count(); ++i) {
        SOMA_CHECK(mask.at(i) == 0 || mask.at(i) == 1, "Ctrnn '", layer, "': ", what, " holds ",
                   mask.at(i), "; need 0 or 1");
    }
}

void check_constraints(const std::string& layer, Index inputs, Index units,
                       const CtrnnLayerOptions& o) {
    check_mask(layer, "mask", o.mask, {units, units});
    check_mask(layer, "input_mask", o.input_mask, {inputs, units});
    SOMA_CHECK(o.signs.empty() || std::ssize(o.signs) == units, "Ctrnn '", layer,
               "': ", o.signs.size(), " signs for ", units, " units");
    for (const int sign : o.signs) {
        SOMA_CHECK(sign >= -1 && sign <= 1, "Ctrnn '", layer, "': sign ", sign,
                   "; need -1, 0 or 1");
    }
    SOMA_CHECK(o.rank == 0 || (o.signs.empty() && o.mask.empty()), "Ctrnn '", layer,
               "': signs or mask with rank ", o.rank, "; need full rank");
}

Tensor product(const Tensor& values, const Tensor& factors) {
    Tensor result = values.clone();
    if (factors.empty()) return result;
    with_dtype(values.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const auto y = result.data<T>();
        const auto c = factors.data<T>();
        for (std::size_t i = 0; i < y.size(); ++i) y[i] *= c[i];
    });
    return result;
}

}  // namespace

std::vector<int> dale_signs(Index units, Index excitatory) {
    SOMA_CHECK(excitatory >= 0 && excitatory <= units, "dale_signs: ", excitatory,
               " excitatory of ", units, " units");
    std::vector<int> signs(static_cast<std::size_t>(units), -1);
    std::fill_n(signs.begin(), excitatory, 1);
    return signs;
}

Tensor no_self_connections(Index units) {
    Tensor mask = Tensor::full({units, units}, 1);
    for (Index i = 0; i < units; ++i) mask.data<float>()[i * units + i] = 0;
    return mask;
}

Ctrnn::Ctrnn(ParameterStore& store, const std::string& name, Index inputs, Index units,
             const CtrnnLayerOptions& options)
    : store_(&store), options_(options), inputs_(inputs), units_(units) {
    SOMA_CHECK(inputs >= 1 && units >= 1 && options.rank >= 0, "Ctrnn '", name, "': inputs is ",
               inputs, ", units is ", units, ", rank is ", options.rank,
               "; need at least 1, 1 and 0");
    SOMA_CHECK(options.alpha > 0 && options.alpha <= 1, "Ctrnn '", name, "': alpha = dt / tau is ",
               options.alpha, "; need 0 < alpha <= 1");
    check_constraints(name, inputs, units, options);
    for (Tensor* mask : {&options_.mask, &options_.input_mask}) {
        if (!mask->empty()) *mask = mask->to(store.dtype());
    }
    const auto add = [&](const char* part, const Shape& shape, const Init& init, bool train,
                         bool decays = true) {
        const std::string full = name + "." + part;
        return train ? store.add(full, shape, init, decays) : store.add_buffer(full, shape, init);
    };
    if (options.rank > 0) {
        const Init init = options.recurrent.value_or(Init::normal(1));
        m_ = add("m", {units, options.rank}, init, options.train_recurrent);
        n_ = add("n", {units, options.rank}, init, options.train_recurrent);
    } else {
        const double sd = 1 / std::sqrt(static_cast<double>(units));
        w_rec_ = add("w_rec", {units, units}, options.recurrent.value_or(Init::normal(sd)),
                     options.train_recurrent);
    }
    const double sd = 1 / std::sqrt(static_cast<double>(inputs));
    w_in_ =
        add("w_in", {inputs, units}, options.input.value_or(Init::normal(sd)), options.train_input);
    if (options.bias) bias_ = add("bias", {units}, Init::zeros(), options.train_recurrent, false);
    start_ = add("start", {units}, options.start_init, options.train_start, false);
}

// c in w = c v: the mask times s_j sgn(v), with sgn(0) = +1. Empty without constraints.
Tensor Ctrnn::recurrent_factors() const {
    if (options_.signs.empty()) return options_.mask;
    const Tensor v = store_->value(w_rec_);
    Tensor factors(v.shape(), v.dtype());
    with_dtype(v.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const auto from = v.data<T>();
        const auto c = factors.data<T>();
        for (Index i = 0; i < v.count(); ++i) {
            const int sign = options_.signs[i / units_];
            c[i] = static_cast<T>(sign == 0 ? 1 : from[i] < 0 ? -sign : sign);
        }
    });
    return options_.mask.empty() ? factors : product(factors, options_.mask);
}

Tensor Ctrnn::recurrent_weights() const {
    SOMA_CHECK(w_rec_ >= 0, "Ctrnn::recurrent_weights: the layer is of rank ", options_.rank,
               "; need full rank");
    return product(store_->value(w_rec_), recurrent_factors());
}

Tensor Ctrnn::input_weights() const { return product(store_->value(w_in_), options_.input_mask); }

Var Ctrnn::constrained(Tape& tape, ParameterId id, const Tensor& factors) const {
    if (id < 0) return {};
    const Var v = store_->var(tape, id);
    return factors.empty() ? v : mul(v, tape.constant(factors));
}

Var Ctrnn::operator()(Var u, const CtrnnRun& run) const {
    Tape& tape = u.tape();
    const auto leaf = [&](ParameterId id) { return id < 0 ? Var{} : store_->var(tape, id); };
    const CtrnnWeights weights{.w_rec = constrained(tape, w_rec_, recurrent_factors()),
                               .m = leaf(m_),
                               .n = leaf(n_),
                               .w_in = constrained(tape, w_in_, options_.input_mask),
                               .bias = leaf(bias_)};
    return ctrnn(run.start ? run.start : leaf(start_), u, weights,
                 {.convention = options_.convention,
                  .f = options_.f,
                  .alpha = options_.alpha,
                  .sigma = run.noise ? options_.sigma : 0,
                  .key = run.key,
                  .first_step = run.first_step,
                  .visit = run.visit,
                  .trials = run.trials,
                  .lengths = run.lengths,
                  .last = run.last});
}

}  // namespace soma::nn
