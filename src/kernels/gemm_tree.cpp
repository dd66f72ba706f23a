// Order tree: leaves of 256 k, merged like the digits of a binary counter (kernels.md 6.2).
//
//     leaf     0    1    2    3    4          level[0] = 0; leaf 1 is added into it by the kernel,
//              +----+    +----+    |          the pair moves to level[1]; 2, 3 likewise, and the
//                   +---------+    |          two pairs meet in level[2]; the rest is merged from
//                             +----+          the right. The left operand has the lower indices.
//
// C is cut into blocks so small that all levels of a block stay in L2. When C has too few cells for
// the threads, leaves are split as well: a chunk of 2^s leaves is a node of the same tree.

#include <algorithm>
#include <bit>
#include <utility>

#include "kernels/gemm_job.h"
#include "soma/core/parallel.h"
#include "soma/core/poll.h"
#include "soma/kernels/reduce.h"

namespace soma::kernels {
namespace {

constexpr int kMaxLevels = 56;  // leaves < 2^55

// Partial sums [m, n] in tree order.
template <class T>
class TreeFold {
public:
    TreeFold(ScratchScope& scratch, Index m, Index n, Index leaves) : m_(m), n_(n) {
        const auto levels = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(leaves)));
        for (int l = 0; l <= levels; ++l) level_[l] = scratch.array<T>(m * n);
    }

    // Where the next leaf goes; an odd one must be added to what is there.
    T* next() const { return level_[0]; }
    bool next_is_odd() const { return count_ % 2 != 0; }
    void pushed() {
        if (next_is_odd()) {
            int l = 1;
            for (; (count_ >> l) % 2 != 0; ++l) add(level_[l - 1], level_[l]);
            std::swap(level_[l - 1], level_[l]);
        }
        ++count_;
    }
    // The whole sum, after the last leaf.
    const T* root() const {
        int l = std::countr_zero(static_cast<std::uint64_t>(count_));
        const T* right = level_[l];
        for (++l; count_ >> l != 0; ++l) {
            if ((count_ >> l) % 2 == 0) continue;
            add(right, level_[l]);
            right = level_[l];
        }
        return right;
    }

private:
    void add(const T* right, T* left) const {
        table<T>().gemm.combine(m_, n_, T{1}, right, n_, T{1}, left, n_);
    }

    Index m_, n_;
    Index count_ = 0;
    T* level_[kMaxLevels + 1];
};

// One block of C, whose leaves' operands are copied side by side when their rows are far apart.
template <class T>
class TreeBlock {
public:
    TreeBlock(const GemmJob<T>& g, const GemmPlan& plan, ScratchScope& scratch)
        : g_(g), fold_(scratch, g.m, g.n, ceil_div(g.k, kGemmSlice)) {
        if (plan.pack_a) a_copy_ = scratch.array<T>(a_copy_ld<T>(kGemmSlice) * g.m);
        if (plan.pack_b) panels_ = scratch.array<T>(kGemmSlice * round_up(g.n, table<T>().width));
    }

    const T* sum() {
        for (Index first = 0; first < g_.k; first += kGemmSlice) {
            leaf(first, std::min(kGemmSlice, g_.k - first));
            fold_.pushed();
        }
        return fold_.root();
    }

private:
    void leaf(Index first, Index length) {
        poll();
        const GemmTable<T>& kernels = table<T>().gemm;
        GemmBlock<T> block{.m = g_.m,
                           .n = g_.n,
                           .k = length,
                           .alpha = 1,
                           .a = g_.a_at(0, first),
                           .a_row = g_.a_row(),
                           .a_k = g_.a_k(),
                           .b = g_.b_at(first, 0),
                           .ldb = g_.ldb,
                           .beta = fold_.next_is_odd() ? T{1} : T{0},
                           .c = fold_.next(),
                           .ldc = g_.n};
        if (a_copy_ != nullptr) {
            const Index ld = a_copy_ld<T>(kGemmSlice);
            kernels.transpose(length, g_.m, g_.a_at(0, first), g_.lda, a_copy_, ld);
            block.a = a_copy_;
            block.a_row = ld;
            block.a_k = 1;
        }
        if (panels_ != nullptr) {
            (g_.op_b == Op::N ? kernels.pack : kernels.pack_transposed)(length, g_.n, block.b,
                                                                        g_.ldb, panels_);
            block.b = panels_;
            block.ldb = GemmBlock<T>::kPanels;
        }
        kernels.block(block);
    }

    const GemmJob<T>& g_;
    TreeFold<T> fold_;
    T* a_copy_ = nullptr;
    T* panels_ = nullptr;
};

// Leaves in chunks of a power of two, one chunk a task; then the tree over the chunks.
template <class T>
void split_leaves(const GemmJob<T>& g, const GemmPlan& plan) {
    const Index chunk = plan.leaves_per_task * kGemmSlice, size = g.m * g.n;
    const Index chunks = ceil_div(g.k, chunk);
    ScratchScope scratch;
    T* sums = scratch.array<T>(chunks * size);
    parallel_for(chunks, 1, [&](Index begin, Index end) {
        for (Index c = begin; c < end; ++c) {
            GemmJob<T> part = g;
            part.a = g.a_at(0, c * chunk);
            part.b = g.b_at(c * chunk, 0);
            part.k = std::min(chunk, g.k - c * chunk);
            ScratchScope own;
            std::copy_n(TreeBlock<T>(part, plan, own).sum(), size, sums + c * size);
        }
    });
    fold_tree(chunks, size, sums);
    table<T>().gemm.combine(g.m, g.n, g.alpha, sums, g.n, g.beta, g.c, g.ldc);
    finish_rows(g, 0, g.m, true);
}

}  // namespace

template <class T>
void run_tree(const GemmJob<T>& g, const GemmPlan& plan) {
    if (plan.leaves_per_task > 0) {
        split_leaves(g, plan);
        return;
    }
    const Index mc = plan.mc, nc = plan.nc;
    for (Index j = 0; j < g.n; j += nc) {
        for (Index i = 0; i < g.m; i += mc) {
            const GemmJob<T> block = cell_of(g, i, std::min(mc, g.m - i), j, std::min(nc, g.n - j));
            ScratchScope scratch;
            TreeBlock<T> tree(block, plan, scratch);
            table<T>().gemm.combine(block.m, block.n, g.alpha, tree.sum(), block.n, g.beta, block.c,
                                    block.ldc);
            finish_rows(block, 0, block.m, true);
        }
    }
}

template void run_tree<float>(const GemmJob<float>&, const GemmPlan&);
template void run_tree<double>(const GemmJob<double>&, const GemmPlan&);

}  // namespace soma::kernels
