#include "soma/nn/ctrnn.h"

#include <cmath>

namespace soma::nn {

Ctrnn::Ctrnn(ParameterStore& store, const std::string& name, Index inputs, Index units,
             const CtrnnLayerOptions& options)
    : store_(&store), options_(options), inputs_(inputs), units_(units) {
    SOMA_CHECK(inputs >= 1 && units >= 1 && options.rank >= 0, "Ctrnn '", name, "': inputs is ",
               inputs, ", units is ", units, ", rank is ", options.rank,
               "; need at least 1, 1 and 0");
    SOMA_CHECK(options.alpha > 0 && options.alpha <= 1, "Ctrnn '", name, "': alpha = dt / tau is ",
               options.alpha, "; need 0 < alpha <= 1");
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

Var Ctrnn::operator()(Var u, const CtrnnRun& run) const {
    Tape& tape = u.tape();
    const auto leaf = [&](ParameterId id) { return id < 0 ? Var{} : store_->var(tape, id); };
    const CtrnnWeights weights{.w_rec = leaf(w_rec_),
                               .m = leaf(m_),
                               .n = leaf(n_),
                               .w_in = leaf(w_in_),
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
