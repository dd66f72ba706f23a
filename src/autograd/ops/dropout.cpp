// Dropout on the tape. The mask is not stored: the backward pass draws it again from the same key,
// in blocks that stay in L2.

#include "soma/autograd/ops/dropout.h"

#include <algorithm>

#include "soma/core/parallel.h"
#include "soma/kernels/elementwise.h"
#include "soma/kernels/random.h"

namespace soma {
namespace {

constexpr Index kBlock = 1 << 14;  // elements of the mask held at a time, in L2

struct DropoutRecord {
    DropoutOptions options;
    std::uint32_t* ids;  // [rows], in the tape's arena
    Index rows;
};

// y (+)= x m / (1 - p) on [rows, cols].
template <class T>
void multiply_by_mask(const DropoutRecord& r, Index cols, const T* x, bool accumulate, T* y) {
    const double keep = 1 - r.options.p;
    const T factor = static_cast<T>(1 / keep);
    const Index block = std::max<Index>(1, kBlock / std::max<Index>(1, cols));
    parallel_for(r.rows, block, [&](Index begin, Index end) {
        ScratchScope scratch;
        T* mask = scratch.array<T>(std::min(block, end - begin) * cols);
        for (Index first = begin; first < end; first += block) {
            const Index rows = std::min(block, end - first), n = rows * cols;
            const std::span<const std::uint32_t> ids(r.ids + first, static_cast<std::size_t>(rows));
            kernels::random_mask_rows(r.options.key, {.step = r.options.step}, ids, cols, keep,
                                      factor, mask, cols);
            const T* from = x + first * cols;
            T* to = y + first * cols;
            if (accumulate) {
                kernels::fma(n, from, mask, to, to);
            } else {
                kernels::binary(kernels::Binary::mul, kernels::Broadcast(n), from, mask, to);
            }
        }
    });
}

void dropout_backward(Tape& tape, const Node& node) {
    const DropoutRecord& record = node.record<DropoutRecord>();
    with_dtype(node.dtype, [&](auto zero) {
        using T = decltype(zero);
        const GradSlot<T> dx = tape.grad_slot<T>(node, 0);
        multiply_by_mask(record, node.shape.count() / record.rows, node.dy<T>(), dx.accumulate,
                         dx.data);
    });
}

bool is_leading_product(const Shape& shape, Index rows) {
    Index product = 1;
    for (const Index size : shape.sizes()) {
        product *= size;
        if (product == rows) return true;
    }
    return false;
}

}  // namespace

Var dropout(Var x, std::span<const std::uint32_t> ids, const DropoutOptions& options) {
    static constexpr OpInfo op{"dropout", dropout_backward};
    const Index rows = static_cast<Index>(ids.size());
    SOMA_CHECK(options.p >= 0 && options.p < 1, "dropout: p is ", options.p, "; need 0 <= p < 1");
    SOMA_CHECK(rows > 0 && is_leading_product(x.shape(), rows), "dropout: x is ", x.shape(),
               ", ids has ", rows, " elements; need the product of x's first sizes");
    if (options.p == 0) return x;
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(op, {x}, x.shape(), x.dtype());
    const DropoutRecord record{options, tape.allocate<std::uint32_t>(rows), rows};
    std::copy(ids.begin(), ids.end(), record.ids);
    if (out.needs_grad) tape.save(out, record);
    const Node& in = tape.node(x);
    with_dtype(in.dtype, [&](auto zero) {
        using T = decltype(zero);
        multiply_by_mask(record, in.shape.count() / rows, in.y<T>(), false, out.y<T>());
    });
    return out.var;
}

}  // namespace soma
