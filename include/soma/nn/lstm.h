#pragma once
// Lstm: a layer of LSTM units over whole sequences (formula: autograd/ops/gated.h).
//
// Parameters, N = units, gates i f g o: <name>.w_in [in, 4 N], <name>.w_rec [N, 4 N],
// <name>.bias [4 N], with peepholes <name>.peephole [3, N]: 4 N (in + N + 1) (+ 3 N) numbers.
// Initially U(+-1 / sqrt N) as PyTorch; biases 0, but forget_bias for f: a new net remembers.

#include <optional>
#include <string>

#include "soma/autograd/ops/gated.h"
#include "soma/nn/parameter_store.h"

namespace soma::nn {

struct LstmLayerOptions {
    double forget_bias = 1;
    bool peepholes = false;
    std::optional<Init> w_in = {}, w_rec = {};  // default: U(+-1 / sqrt N)
};

class Lstm {
public:
    Lstm(ParameterStore& store, const std::string& name, Index in, Index units,
         const LstmLayerOptions& options = {});

    // x [T, B, in] -> h [T, B, units]
    Var operator()(Var x, const LstmStart& start = {}, const LstmOptions& options = {}) const;

    Index units() const { return units_; }
    ParameterId w_in() const { return w_in_; }
    ParameterId w_rec() const { return w_rec_; }
    ParameterId bias() const { return bias_; }
    ParameterId peephole() const { return peephole_; }  // -1 when there is none

private:
    ParameterStore* store_;
    Index units_;
    ParameterId w_in_ = -1, w_rec_ = -1, bias_ = -1, peephole_ = -1;
};

}  // namespace soma::nn
