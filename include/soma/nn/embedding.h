#pragma once
// Embedding: one learned row per token.
//
// Parameter: <name>.weight [vocabulary, width].

#include <span>
#include <string>

#include "soma/autograd/ops/embedding.h"
#include "soma/nn/parameter_store.h"

namespace soma::nn {

class Embedding {
public:
    Embedding(ParameterStore& store, const std::string& name, Index vocabulary, Index width,
              const Init& init = Init::normal(0.02));

    // tokens, ids_shape.count() of them -> [ids_shape..., width]
    Var operator()(Tape& tape, std::span<const std::int32_t> tokens, const Shape& ids_shape) const;

    ParameterId weight() const { return weight_; }

private:
    ParameterStore* store_;
    ParameterId weight_;
};

}  // namespace soma::nn
