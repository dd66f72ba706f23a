#include "soma/nn/embedding.h"

namespace soma::nn {

Embedding::Embedding(ParameterStore& store, const std::string& name, Index vocabulary, Index width,
                     const Init& init)
    : store_(&store) {
    SOMA_CHECK(vocabulary >= 1 && width >= 1, "Embedding '", name, "': vocabulary is ", vocabulary,
               ", width is ", width, "; need at least 1");
    weight_ = store.add(name + ".weight", {vocabulary, width}, init);
}

Var Embedding::operator()(Tape& tape, std::span<const std::int32_t> tokens,
                          const Shape& ids_shape) const {
    return embedding(store_->var(tape, weight_), tokens, ids_shape);
}

}  // namespace soma::nn
