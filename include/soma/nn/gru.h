#pragma once
// Gru and Ugrnn: layers of gated units over whole sequences (formulas: autograd/ops/gated.h).
//
// Parameters of Gru, N = units, gates r z n: <name>.w_in [in, 3 N], <name>.w_rec [N, 3 N],
// <name>.bias [3 N], of reset_after also <name>.bias_rec [N]: 3 N (in + N + 1) (+ N) numbers.
// Parameters of Ugrnn, gates c g: <name>.w_in [in, 2 N], <name>.w_rec [N, 2 N], <name>.bias [2 N].
// Initially U(+-1 / sqrt N) as PyTorch; biases 0, but gate_bias for g: a new net remembers.

#include <optional>
#include <string>

#include "soma/autograd/ops/gated.h"
#include "soma/nn/parameter_store.h"

namespace soma::nn {

struct GruLayerOptions {
    GruForm form = GruForm::reset_after;
    std::optional<Init> w_in = {}, w_rec = {};  // default: U(+-1 / sqrt N)
};

class Gru {
public:
    Gru(ParameterStore& store, const std::string& name, Index in, Index units,
        const GruLayerOptions& options = {});

    // x [T, B, in] -> h [T, B, units]
    Var operator()(Var x, Var start = {}, const GatedOptions& options = {}) const;

    Index units() const { return units_; }
    ParameterId w_in() const { return w_in_; }
    ParameterId w_rec() const { return w_rec_; }
    ParameterId bias() const { return bias_; }
    ParameterId bias_rec() const { return bias_rec_; }  // -1 when there is none

private:
    ParameterStore* store_;
    Index units_;
    GruForm form_;
    ParameterId w_in_ = -1, w_rec_ = -1, bias_ = -1, bias_rec_ = -1;
};

struct UgrnnLayerOptions {
    double gate_bias = 1;
    std::optional<Init> w_in = {}, w_rec = {};  // default: U(+-1 / sqrt N)
};

class Ugrnn {
public:
    Ugrnn(ParameterStore& store, const std::string& name, Index in, Index units,
          const UgrnnLayerOptions& options = {});

    // x [T, B, in] -> h [T, B, units]
    Var operator()(Var x, Var start = {}, const GatedOptions& options = {}) const;

    Index units() const { return units_; }
    ParameterId w_in() const { return w_in_; }
    ParameterId w_rec() const { return w_rec_; }
    ParameterId bias() const { return bias_; }

private:
    ParameterStore* store_;
    Index units_;
    ParameterId w_in_ = -1, w_rec_ = -1, bias_ = -1;
};

}  // namespace soma::nn
