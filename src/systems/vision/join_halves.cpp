#include "systems/vision/join_halves.h"

#include <algorithm>

namespace soma::systems {
namespace {

struct JoinRecord {
    dist::Comm* comm;
    Index rows, cols;  // of x
    JoinedUse use;
};

// out [rows, cols] = the half `half` of the columns of y [rows, 2 cols].
template <class T>
void take_columns(const T* y, Index rows, Index cols, Index half, T* out) {
    for (Index r = 0; r < rows; ++r) {
        std::copy_n(y + (2 * r + half) * cols, cols, out + r * cols);
    }
}

template <class T>
void put_columns(const T* x, Index rows, Index cols, Index half, T* y) {
    for (Index r = 0; r < rows; ++r) {
        std::copy_n(x + r * cols, cols, y + (2 * r + half) * cols);
    }
}

template <class T>
void swap_with_peer(dist::Comm& comm, const T* out, T* in, Index count) {
    comm.exchange(out, in, count * static_cast<Index>(sizeof(T)), 1 - comm.rank(),
                  comm.collective_tag());
}

template <class T>
void backward(Tape& tape, const Node& node) {
    const auto& r = node.record<JoinRecord>();
    const auto dx = tape.grad_slot<T>(node, 0);
    if (!dx) return;
    const Index count = r.rows * r.cols, rank = r.comm->rank();
    ScratchScope scratch;
    T* mine = scratch.array<T>(count);
    take_columns(node.dy<T>(), r.rows, r.cols, rank, mine);
    if (r.use == JoinedUse::own_kernels) {
        T *theirs = scratch.array<T>(count), *received = scratch.array<T>(count);
        take_columns(node.dy<T>(), r.rows, r.cols, 1 - rank, theirs);
        swap_with_peer(*r.comm, theirs, received, count);
        for (Index i = 0; i < count; ++i) mine[i] += received[i];
    }
    for (Index i = 0; i < count; ++i) dx.data[i] = dx.accumulate ? dx.data[i] + mine[i] : mine[i];
}

void join_backward(Tape& tape, const Node& node) {
    with_dtype(node.dtype, [&](auto zero) { backward<decltype(zero)>(tape, node); });
}
const OpInfo kJoin{"join_halves", join_backward};

}  // namespace

Var join_halves(dist::Comm& comm, Var x, JoinedUse use) {
    SOMA_CHECK(comm.size() == 2 && x.shape().rank() >= 1, "join_halves: ", comm.size(),
               " ranks, x is ", x.shape(), "; need two ranks and a last axis");
    const JoinRecord record{&comm, x.shape().rows(), x.shape().cols(), use};
    std::vector<Index> sizes(x.shape().sizes().begin(), x.shape().sizes().end());
    sizes.back() *= 2;
    Tape& tape = x.tape();
    const Tape::Output out = tape.emit(kJoin, {x}, Shape(sizes), x.dtype());
    with_dtype(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const Index count = record.rows * record.cols, rank = comm.rank();
        ScratchScope scratch;
        T* received = scratch.array<T>(count);
        swap_with_peer(comm, tape.node(x).y<T>(), received, count);
        put_columns(tape.node(x).y<T>(), record.rows, record.cols, rank, out.y<T>());
        put_columns<T>(received, record.rows, record.cols, 1 - rank, out.y<T>());
    });
    if (out.needs_grad) tape.save(out, record);
    return out.var;
}

}  // namespace soma::systems
