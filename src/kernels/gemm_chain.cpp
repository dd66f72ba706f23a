// The paths of order chain on one thread: direct, strips, packed, stream, dots, narrow
// (gemm_plan.h).

#include <algorithm>

#include "kernels/gemm_job.h"
#include "soma/core/poll.h"

namespace soma::kernels {

template <class T>
void run_direct(const GemmJob<T>& g, const GemmPlan& plan) {
    const GemmTable<T>& kernels = table<T>().gemm;
    GemmBlock<T> block = block_of(g);
    block.far_c = plan.far_c;
    if (g.fits_kernel()) {
        kernels.block(block);
        return;
    }
    for (Index i = 0; i < g.m; i += plan.mc) {
        block.m = std::min(plan.mc, g.m - i);
        block.a = g.a_at(i, 0);
        block.c = g.c_at(i, 0);
        kernels.block(block);
        finish_rows(g, i, block.m, false);
    }
}

// One panel at a time, packed by the kernel: it stays near while all rows use it.
template <class T>
void run_strips(const GemmJob<T>& g, const GemmPlan& plan) {
    if (g.op_b == Op::N && g.m < kPackingRows) {
        run_direct(g, plan);
        return;
    }
    ScratchScope scratch;
    GemmBlock<T> block = block_of(g);
    block.panel = scratch.array<T>(kGemmSlice * kPanelVectors * table<T>().width);
    block.b_transposed = g.op_b == Op::T;
    block.far_c = plan.far_c;
    for_each_k_block(g.k, plan.kc, [&](Index first, Index length) {
        const bool last = first + length >= g.k;
        block.k = length;
        block.a = g.a_at(0, first);
        block.b = g.b_at(first, 0);
        if (first > 0) block.beta = 1;
        block.bias = last ? g.epilogue.bias : nullptr;
        block.relu = last && g.epilogue.act == Activation::relu && g.fits_kernel();
        table<T>().gemm.block(block);
    });
    if (!g.fits_kernel()) finish_rows(g, 0, g.m, false);
}

namespace {

// One block [kc, nc] of B against all rows of A.
template <class T>
struct PackedStep {
    const GemmJob<T>& g;
    const GemmPlan& plan;
    Index j, columns, first, length;  // columns of C, range of k
    const T* panels;
    T* a_copy;  // room for [kc, mc], or nullptr: A is read in place

    void run() const {
        const GemmTable<T>& kernels = table<T>().gemm;
        const bool last = first + length >= g.k;
        GemmBlock<T> block = block_of(g);
        block.n = columns;
        block.k = length;
        block.far_c = plan.far_c;
        block.b = panels;
        block.ldb = GemmBlock<T>::kPanels;
        if (first > 0) block.beta = 1;
        block.bias = last && block.bias != nullptr ? block.bias + j : nullptr;
        block.relu = last && block.relu;
        const bool whole = a_copy == nullptr && g.fits_kernel() && !is_polled();
        const Index mc = whole ? g.m : plan.mc;
        for (Index i = 0; i < g.m; i += mc) {
            block.m = std::min(mc, g.m - i);
            block.a = g.a_at(i, first);
            block.c = g.c_at(i, j);
            poll();
            if (a_copy != nullptr) copy_a(i, block);
            kernels.block(block);
            if (last && !g.fits_kernel()) {
                finish_rows(cell_of(g, i, block.m, j, columns), 0, block.m, false);
            }
        }
    }

    // The block of A, stored transposed, as rows of k: its lines then hold 16 k of one row.
    void copy_a(Index i, GemmBlock<T>& block) const {
        const Index ld = a_copy_ld<T>(plan.kc);
        table<T>().gemm.transpose(length, block.m, g.a_at(i, first), g.lda, a_copy, ld);
        block.a = a_copy;
        block.a_row = ld;
        block.a_k = 1;
    }
};

}  // namespace

template <class T>
void run_packed(const GemmJob<T>& g, const GemmPlan& plan, const T* constant) {
    const GemmTable<T>& kernels = table<T>().gemm;
    const Index width = table<T>().width;
    ScratchScope scratch;
    T* own = constant != nullptr ? nullptr : scratch.array<T>(plan.kc * round_up(plan.nc, width));
    T* a_copy = plan.pack_a ? scratch.array<T>(a_copy_ld<T>(plan.kc) * plan.mc) : nullptr;
    for (Index j = 0; j < g.n; j += plan.nc) {
        const Index columns = std::min(plan.nc, g.n - j);
        for_each_k_block(g.k, plan.kc, [&](Index first, Index length) {
            const T* panels = own;
            if (constant != nullptr) {
                panels = constant + j * g.k + first * round_up(columns, width);
            } else {
                (g.op_b == Op::N ? kernels.pack : kernels.pack_transposed)(
                    length, columns, g.b_at(first, j), g.ldb, own);
            }
            PackedStep<T>{g, plan, j, columns, first, length, panels, a_copy}.run();
        });
    }
}

template <class T>
void run_stream(const GemmJob<T>& g) {
    ScratchScope scratch;
    table<T>().gemm.stream(block_of(g), scratch.array<T>(g.m * round_up(g.n, table<T>().width)));
    if (!g.fits_kernel()) finish_rows(g, 0, g.m, false);
}

template <class T>
void run_dots(const GemmJob<T>& g) {
    table<T>().gemm.dots(block_of(g));
    if (!g.fits_kernel()) finish_rows(g, 0, g.m, false);
}

// The transposed product C^T = op(B)^T op(A)^T: its vectors run along the rows of C, of which there
// are many. A stored transposed is its right operand as it stands; else its rows are dotted.
//
//     part[n, mc] holds C^T of mc rows, gathered from and scattered to C
template <class T>
void run_narrow(const GemmJob<T>& g, const GemmPlan& plan) {
    const auto kernel = g.op_a == Op::N ? table<T>().gemm.dots : table<T>().gemm.block;
    ScratchScope scratch;
    T* part = scratch.array<T>(g.n * plan.mc);
    for (Index i = 0; i < g.m; i += plan.mc) {
        const Index rows = std::min(plan.mc, g.m - i);
        if (g.beta != 0) {
            for (Index r = 0; r < rows; ++r)
                for (Index j = 0; j < g.n; ++j) part[j * plan.mc + r] = *g.c_at(i + r, j);
        }
        kernel({.m = g.n,
                .n = rows,
                .k = g.k,
                .alpha = g.alpha,
                .a = g.b,
                .a_row = g.b_column(),
                .a_k = g.b_k(),
                .b = g.a_at(i, 0),
                .ldb = g.lda,
                .beta = g.beta,
                .c = part,
                .ldc = plan.mc});
        for (Index r = 0; r < rows; ++r)
            for (Index j = 0; j < g.n; ++j) *g.c_at(i + r, j) = part[j * plan.mc + r];
        finish_rows(g, i, rows, true);
    }
}

#define SOMA_INSTANTIATE(T)                                                    \
    template void run_direct<T>(const GemmJob<T>&, const GemmPlan&);           \
    template void run_strips<T>(const GemmJob<T>&, const GemmPlan&);           \
    template void run_packed<T>(const GemmJob<T>&, const GemmPlan&, const T*); \
    template void run_stream<T>(const GemmJob<T>&);                            \
    template void run_dots<T>(const GemmJob<T>&);                              \
    template void run_narrow<T>(const GemmJob<T>&, const GemmPlan&);
SOMA_INSTANTIATE(float)
SOMA_INSTANTIATE(double)
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
