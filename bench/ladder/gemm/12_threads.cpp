// Rung 12: threads, each with a cell of C of its own.
//
//     2 threads             4 threads             a cell has all of K:
//       C  +----+----+        C  +----+----+        no sum is split between threads,
//          | 0  | 1  |           | 0  | 1  |        nobody waits for anybody, and no
//          |    |    |           +----+----+        result depends on who was faster
//          |    |    |           | 2  | 3  |
//          +----+----+           +----+----+
//
// Columns are cut first: each thread then packs its own part of B, and nothing is packed twice.
// Rows are cut only when strips run out (a cell keeps 2 at least), since cells above each other
// pack the same columns again.
//
// Count: per thread as rung 9. New: one fork and join, some microseconds, against
// 2 M N K / 32 / W / threads cycles: 192^3 is 30 us for 2 threads, 1024^3 is 4.5 ms.
// Prediction: that of rung 9, of all cores, for the large product.
// Limit: small products, which the fork costs more than it saves (the product measures that cost
// and keeps them on one thread); then memory bandwidth, which the cores share.

#include "09_blocks.h"
#include "soma/core/parallel.h"

namespace soma::ladder::SOMA_LADDER_ISA {
namespace {

// The part of a product in rows [i0, i1) and columns [j0, j1).
Product cell(const Product& p, Index i0, Index i1, Index j0, Index j1) {
    Product q = p;
    q.M = i1 - i0;
    q.N = j1 - j0;
    q.A += i0 * p.a_row;
    q.B += j0;
    q.C += i0 * p.ldc + j0;
    return q;
}

void gemm(Index M, Index N, Index K, const float* A, const float* B, float* C) {
    const Product p = {M, N, K, A, K, 1, B, N, C, N};
    const Index threads = num_threads(), strips = strips_of(N).parts;
    const Cut columns = {strips_of(N).total, strips < 2 * threads ? (strips + 1) / 2 : threads};
    const Cut rows = {M, (threads + columns.parts - 1) / columns.parts};
    parallel_for(rows.parts * columns.parts, 1, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            const Index r = i / columns.parts, s = i % columns.parts;
            const Index right = columns[s + 1] * W;
            blocked(cell(p, rows[r], rows[r + 1], columns[s] * W, right < N ? right : N),
                    blocks_for(K));
        }
    });
}

}  // namespace

Rung gemm_12() {
    return {.file = "gemm/12_threads",
            .idea = "threads on a grid of cells",
            .turn = full_tile(kPackCycles),
            .threads = true,
            .gemm = gemm};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
