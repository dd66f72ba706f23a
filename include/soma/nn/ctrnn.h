#pragma once
// Ctrnn: a leaky recurrent layer, rates from inputs (ops/ctrnn.h, neuro.md 2).
//
// Parameters: <name>.w_rec [N, N], or <name>.m and <name>.n [N, R]; <name>.w_in [I, N];
// <name>.bias [N]; <name>.start [N]. Frozen ones are buffers: in the checkpoint, without gradient.
//
// Constraints (neuro.md 3.5). The parameter v is free and the weight is made from it in every pass,
// so no step of any optimizer can break them:
//
//     mask    w = v M                 M of 0 and 1
//     Dale    w[j, :] = s_j |v[j, :]| M[j, :]        s_j = +1 excites, -1 inhibits, 0 is free: v M
//
// dv = dw w / v, and s_j M at v = 0, as if |v| had slope +1 there: a weight of 0 can grow. Masked
// weights are 0 and their v gets a gradient of exactly 0.

#include <optional>
#include <string>
#include <vector>

#include "soma/autograd/ops/ctrnn.h"
#include "soma/nn/parameter_store.h"

namespace soma::nn {

struct CtrnnLayerOptions {
    Convention convention = Convention::current;
    Nonlinearity f = Nonlinearity::tanh;
    double alpha = 0.2;  // dt / tau
    double sigma = 0;    // of the noise, as the convention has it
    Index rank = 0;      // 0: full
    bool bias = true;
    bool train_recurrent = true, train_input = true;
    bool train_start = false;            // frozen at start_init
    std::optional<Init> recurrent = {};  // default: N(0, 1 / N); of m and n: N(0, 1)
    std::optional<Init> input = {};      // default: N(0, 1 / I)
    Init start_init = Init::zeros();
    // Constraints; each may be empty. Those of recurrent weights need rank 0.
    std::vector<int> signs = {};  // [N], +1, -1 or 0: of all that a unit sends (Dale's law)
    Tensor mask = {};             // [N, N], from, to
    Tensor input_mask = {};       // [I, N]
};

// The first `excitatory` of N units excite, the others inhibit.
std::vector<int> dale_signs(Index units, Index excitatory);
// 0 on the diagonal, 1 elsewhere: no unit drives itself.
Tensor no_self_connections(Index units);

// One pass over a batch of trials.
struct CtrnnRun {
    bool noise = true;  // false: sigma 0
    PhiloxKey key = {};
    std::uint32_t first_step = 0, visit = 0;
    std::span<const std::uint32_t> trials = {};  // ids [B], needed with noise
    std::span<const Index> lengths = {};         // never growing; empty: all steps
    Var start = {};                              // [N] or [B, N]; absent: the parameter
    Tensor* last = nullptr;                      // receives where each trial ended
};

class Ctrnn {
public:
    // Error(usage) for impossible sizes and alpha, and for constraints that do not fit.
    Ctrnn(ParameterStore& store, const std::string& name, Index inputs, Index units,
          const CtrnnLayerOptions& options = {});

    // u [T, B, I] -> rates [T, B, N]
    Var operator()(Var u, const CtrnnRun& run) const;

    const CtrnnLayerOptions& options() const { return options_; }
    Index units() const { return units_; }
    Index inputs() const { return inputs_; }
    // The weights as constrained, [N, N] (Error(usage) for low rank) and [I, N]; copies.
    Tensor recurrent_weights() const;
    Tensor input_weights() const;
    // The parameters, v where there are constraints; -1 for those that the layer does not have.
    ParameterId w_rec() const { return w_rec_; }
    ParameterId m() const { return m_; }
    ParameterId n() const { return n_; }
    ParameterId w_in() const { return w_in_; }
    ParameterId bias() const { return bias_; }
    ParameterId start() const { return start_; }

private:
    Tensor recurrent_factors() const;
    Var constrained(Tape& tape, ParameterId id, const Tensor& factors) const;

    ParameterStore* store_;
    CtrnnLayerOptions options_;
    Index inputs_, units_;
    ParameterId w_rec_ = -1, m_ = -1, n_ = -1, w_in_ = -1, bias_ = -1, start_ = -1;
};

}  // namespace soma::nn
