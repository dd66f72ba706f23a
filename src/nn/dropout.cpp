#include "soma/nn/dropout.h"

#include "soma/autograd/ops/dropout.h"
#include "soma/core/arena.h"

namespace soma::nn {

Dropout::Dropout(const std::string& name, double p) : layer_(hash64(name)), p_(p) {
    SOMA_CHECK(0 <= p && p < 1, "Dropout '", name, "': p is ", p, "; need 0 <= p < 1");
}

Var Dropout::operator()(Var x, const Context& context) const {
    if (!context.training || p_ == 0) return x;
    ScratchScope scratch;
    const std::size_t n = context.ids.size();
    std::uint32_t* ids = scratch.array<std::uint32_t>(static_cast<Index>(n));
    for (std::size_t i = 0; i < n; ++i) ids[i] = static_cast<std::uint32_t>(context.ids[i]);
    return dropout(x, {ids, n},
                   {.p = p_,
                    .key = make_key(context.seed, Purpose::dropout, layer_),
                    .step = static_cast<std::uint32_t>(context.step)});
}

}  // namespace soma::nn
