// Embedding on the tape: gather forward, scatter-add backward. The ids are copied to the tape
// because the caller's may be gone when the backward pass runs.

#include "soma/autograd/ops/embedding.h"

#include <algorithm>

#include "soma/kernels/gather.h"

namespace soma {
namespace {

struct Rows {
    const std::int32_t* ids;
    std::size_t count;
};

void embedding_backward(Tape& tape, const Node& node) {
    const auto& rows = node.record<Rows>();
    const Shape& table = tape.input_node(node, 0)->shape;
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        if (const auto d = tape.grad_slot<T>(node, 0)) {
            if (!d.accumulate) std::fill_n(d.data, table.count(), T{0});
            kernels::scatter_add_rows({rows.ids, rows.count}, table[0], table[1], node.dy<T>(),
                                      d.data);
        }
    });
}
const OpInfo kEmbedding{"embedding", embedding_backward, embedding_backward};

}  // namespace

Var embedding(Var table, std::span<const std::int32_t> ids, const Shape& ids_shape) {
    const Shape from = table.shape();
    SOMA_CHECK(from.rank() == 2, "embedding: table is ", from, "; need [rows, columns]");
    SOMA_CHECK(
        static_cast<Index>(ids.size()) == ids_shape.count() && ids_shape.rank() < Shape::kMaxRank,
        "embedding: ", ids.size(), " ids for shape ", ids_shape,
        "; need one an element and rank < 8");
    for (std::size_t i = 0; i < ids.size(); ++i) {
        SOMA_CHECK(ids[i] >= 0 && ids[i] < from[0], "embedding: id ", i, " is ", ids[i],
                   ", table is ", from, "; need 0 <= id < ", from[0]);
    }
    Index sizes[Shape::kMaxRank];
    std::copy(ids_shape.sizes().begin(), ids_shape.sizes().end(), sizes);
    sizes[ids_shape.rank()] = from[1];
    const Shape shape(std::span<const Index>(sizes, ids_shape.sizes().size() + 1));
    Tape& tape = table.tape();
    const Tape::Output out = tape.emit(kEmbedding, {table}, shape, table.dtype());
    with_dtype(table.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::gather_rows(ids, from[1], tape.node(table).y<T>(), out.y<T>());
    });
    if (out.needs_grad) {
        auto* copy = tape.allocate<std::int32_t>(static_cast<Index>(ids.size()));
        std::copy(ids.begin(), ids.end(), copy);
        tape.save(out, Rows{copy, ids.size()});
    }
    return out.var;
}

}  // namespace soma
