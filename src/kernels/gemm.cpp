// gemm(): checks, plan, threads. The arithmetic is in gemm_block.inl, the paths in gemm_chain.cpp
// and gemm_tree.cpp.

#include "soma/kernels/gemm.h"

#include <algorithm>

#include "kernels/gemm_job.h"
#include "soma/core/error.h"
#include "soma/core/parallel.h"

namespace soma::kernels {
namespace {

template <class T>
GemmMachine machine() {
    return {.width = table<T>().width,
            .element = sizeof(T),
            .l2_bytes = cpu().l2_bytes,
            .threads = in_parallel() ? 1 : num_threads()};
}

template <class T>
GemmShape shape_of(const Gemm<T>& g) {
    return {.op_a = g.op_a,
            .op_b = g.op_b,
            .m = g.m,
            .n = g.n,
            .k = g.k,
            .lda = g.lda,
            .ldb = g.ldb,
            .order = g.order};
}

template <class T>
void check(const Gemm<T>& g, bool with_b) {
    SOMA_CHECK(g.m >= 0 && g.n >= 0 && g.k >= 0, "gemm: M, N, K are ", g.m, ", ", g.n, ", ", g.k,
               "; need sizes of at least 0");
    const Index row_a = g.op_a == Op::N ? g.k : g.m, row_b = g.op_b == Op::N ? g.n : g.k;
    SOMA_CHECK(g.lda >= row_a || g.alpha == 0, "gemm: lda is ", g.lda, " for ",
               g.op_a == Op::N ? "A" : "A^T", " of [", g.m, ", ", g.k, "]; need at least ", row_a);
    SOMA_CHECK(g.ldb >= row_b || g.alpha == 0 || !with_b, "gemm: ldb is ", g.ldb, " for ",
               g.op_b == Op::N ? "B" : "B^T", " of [", g.k, ", ", g.n, "]; need at least ", row_b);
    SOMA_CHECK(g.ldc >= g.n, "gemm: ldc is ", g.ldc, " for C of [", g.m, ", ", g.n,
               "]; need at least ", g.n);
}

// One past the last element of a matrix of `rows` rows; checks that it can exist.
template <class T>
const T* end_of(const char* name, const T* first, Index rows, Index ld, Index columns) {
    Index last = 0, elements = 0, bytes = 0;
    const bool fits = !__builtin_mul_overflow(rows - 1, ld, &last) &&
                      !__builtin_add_overflow(last, columns, &elements) &&
                      !__builtin_mul_overflow(elements, Index{sizeof(T)}, &bytes);
    SOMA_CHECK(fits, "gemm: ", name, " of ", rows, " rows, ", ld,
               " elements apart, has no address; sizes are too large");
    SOMA_CHECK(first != nullptr, "gemm: ", name, " is null, but has ", rows, " rows of ", columns);
    return first + elements;
}

// Arrays that are read exist and are not written: the error when they are not.
template <class T>
[[gnu::noinline, gnu::cold]] void explain_arrays(const Gemm<T>& g, bool with_b) {
    const T* c_end = end_of<T>("C", g.c, g.m, g.ldc, g.n);
    if (g.k == 0 || g.alpha == 0) return;
    const bool a_stored = g.op_a == Op::N, b_stored = g.op_b == Op::N;
    const T* a_end = end_of("A", g.a, a_stored ? g.m : g.k, g.lda, a_stored ? g.k : g.m);
    SOMA_CHECK(a_end <= g.c || c_end <= g.a, "gemm: C overlaps A");
    if (!with_b) return;
    const T* b_end = end_of("B", g.b, b_stored ? g.k : g.n, g.ldb, b_stored ? g.n : g.k);
    SOMA_CHECK(b_end <= g.c || c_end <= g.b, "gemm: C overlaps B");
}

// Tiny products feel every comparison, so the usual case is settled by few; rows of A and B count
// with their whole stride here.
template <class T>
inline void check_arrays(const Gemm<T>& g, bool with_b) {
    constexpr Index kNoOverflow = Index{1} << 28;
    const auto apart_from_c = [&](const T* x, Index rows, Index ld) {
        return x != nullptr && (x + rows * ld <= g.c || g.c + g.m * g.ldc <= x);
    };
    const bool usual = (g.m | g.n | g.k | g.lda | g.ldb | g.ldc) < kNoOverflow && g.c != nullptr &&
                       with_b && apart_from_c(g.a, g.op_a == Op::N ? g.m : g.k, g.lda) &&
                       apart_from_c(g.b, g.op_b == Op::N ? g.k : g.n, g.ldb);
    if (!usual) [[unlikely]]
        explain_arrays(g, with_b);
}

template <class T>
auto backend_function() {
    const GemmBackend& backend = active_gemm_backend();
    if constexpr (sizeof(T) == 4) {
        return backend.f32;
    } else {
        return backend.f64;
    }
}

template <class T>
void run_path(const GemmJob<T>& g, const GemmPlan& plan) {
    if (const auto other = backend_function<T>()) {
        other(g);
        finish_rows(g, 0, g.m, true);
        return;
    }
    switch (plan.path) {
        case GemmPath::tiny:
        case GemmPath::direct:
            return run_direct(g, plan);
        case GemmPath::strips:
            return run_strips(g, plan);
        case GemmPath::packed:
            return run_packed<T>(g, plan, nullptr);
        case GemmPath::stream:
            return run_stream(g);
        case GemmPath::dots:
            return run_dots(g);
        case GemmPath::narrow:
            return run_narrow(g, plan);
        case GemmPath::tree:
            return run_tree(g, plan);
    }
}

// Calls f(first row, rows, first column, columns) for the plan's cells of C, on several threads.
template <class F>
void for_each_cell(Index m, Index n, const GemmPlan& plan, F&& f) {
    const Index across = plan.cells_n(n), cells = plan.cells_m(m) * across;
    parallel_for(cells, 1, [&](Index begin, Index end) {
        for (Index cell = begin; cell < end; ++cell) {
            const Index i = cell / across * plan.cell_m, j = cell % across * plan.cell_n;
            f(i, std::min(plan.cell_m, m - i), j, std::min(plan.cell_n, n - j));
        }
    });
}

template <class T>
void check_backend(const GemmJob<T>& g) {
    const GemmBackend& backend = active_gemm_backend();
    const Index largest = std::max({g.m, g.n, g.k, g.lda, g.ldb, g.ldc});
    SOMA_CHECK(largest <= backend.largest, "gemm: a size or leading dimension is ", largest, "; ",
               backend.name, " takes at most ", backend.largest, ", use SOMA_GEMM=native");
}

// The path of tiny products, straight from the call: a copy of the job would cost a tenth of it.
// False when g takes another path.
template <class T>
bool run_tiny(const Gemm<T>& g) {
    const bool small = g.m <= kTinySize && g.n <= kTinySize && g.k <= kTinySize;
    const bool reads = g.alpha != 0 && g.k > 0;
    if (!small || !reads || g.op_b == Op::T || !fits_kernel(g.epilogue)) return false;
    if (backend_function<T>() != nullptr) return false;
    const bool a_is_stored = g.op_a == Op::N;
    table<T>().gemm.block({.m = g.m,
                           .n = g.n,
                           .k = g.k,
                           .alpha = g.alpha,
                           .a = g.a,
                           .a_row = a_is_stored ? g.lda : 1,
                           .a_k = a_is_stored ? 1 : g.lda,
                           .b = g.b,
                           .ldb = g.ldb,
                           .beta = g.beta,
                           .c = g.c,
                           .ldc = g.ldc,
                           .bias = g.epilogue.bias,
                           .relu = g.epilogue.act == Activation::relu});
    return true;
}

template <class T>
void run_planned(const GemmJob<T>& g, const GemmPlan& plan) {
    if (plan.cell_m >= g.m && plan.cell_n >= g.n) {
        run_path(g, plan);
        return;
    }
    for_each_cell(g.m, g.n, plan, [&](Index i, Index m, Index j, Index n) {
        run_path(cell_of(g, i, m, j, n), plan);
    });
}

template <class T>
void run(const GemmJob<T>& g) {
    if (run_tiny<T>(g)) return;
    check_backend(g);
    const GemmPlan plan = plan_gemm(shape_of<T>(g), machine<T>());
    if (plan.edge == 0) return run_planned(g, plan);
    run_planned(cell_of(g, 0, g.m, 0, g.n - plan.edge), plan);
    run(cell_of(g, 0, g.m, g.n - plan.edge, plan.edge));
}

// alpha == 0 is a product with K = 0: nothing is read.
template <class T>
GemmJob<T> job_of(const Gemm<T>& g) {
    GemmJob<T> job{g};
    if (g.alpha == 0) job.k = 0;
    if (job.k == 0) job.op_b = Op::N;
    return job;
}

}  // namespace

template <class T>
void gemm(const Gemm<T>& g) {
    check(g, true);
    if (g.m == 0 || g.n == 0) return;
    check_arrays(g, true);
    if (!run_tiny(g)) run(job_of(g));
}

template <class T>
void gemm_batched(const Gemm<T>& g, Index batch, Index stride_a, Index stride_b, Index stride_c) {
    check(g, true);
    SOMA_CHECK(batch >= 0, "gemm_batched: batch is ", batch, "; need at least 0");
    SOMA_CHECK(g.epilogue.pre == nullptr && g.epilogue.residual == nullptr,
               "gemm_batched: pre and residual are outputs and inputs of one product");
    if (g.m == 0 || g.n == 0 || batch == 0) return;
    check_arrays(g, true);
    const auto item = [&](Index i) {
        GemmJob<T> job = job_of(g);
        job.a += i * stride_a;
        job.b += i * stride_b;
        job.c += i * stride_c;
        run(job);
    };
    const double flop = shape_of(g).flop();
    if (flop >= kThreadFlop * num_threads() && batch < 2 * num_threads()) {
        for (Index i = 0; i < batch; ++i) item(i);
        return;
    }
    const auto grain = static_cast<Index>(kThreadFlop / std::max(flop, 1.0));
    parallel_for(batch, std::max<Index>(1, grain), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) item(i);
    });
}

// Panels: for columns j by nc, for k by kc, the panels of [kc, nc] (run_packed reads the same
// order).
template <class T>
PackedB<T>::PackedB(Op op_b, Index k, Index n, const T* b, Index ldb)
    : table_(&table<T>()), k_(k), n_(n) {
    SOMA_CHECK(k >= 0 && n >= 0 && ldb >= (op_b == Op::N ? n : k), "PackedB: ldb is ", ldb,
               " for B of [", k, ", ", n, "]; need at least the row length");
    const GemmTable<T>& kernels = table<T>().gemm;
    const GemmPlan plan = plan_packed_b(1, n, k, machine<T>());
    const Index width = table<T>().width;
    const auto bytes = static_cast<std::size_t>(k * round_up(n, width)) * sizeof(T);
    panels_ = allocate_aligned(bytes);
    T* panels = reinterpret_cast<T*>(panels_.get());
    for (Index j = 0; j < n; j += plan.nc) {
        const Index columns = std::min(plan.nc, n - j);
        for_each_k_block(k, plan.kc, [&](Index first, Index length) {
            (op_b == Op::N ? kernels.pack : kernels.pack_transposed)(
                length, columns, op_b == Op::N ? b + first * ldb + j : b + j * ldb + first, ldb,
                panels + j * k + first * round_up(columns, width));
        });
    }
}

template <class T>
void gemm(const Gemm<T>& g, const PackedB<T>& b) {
    check(g, false);
    SOMA_CHECK(g.k == b.k_ && g.n == b.n_, "gemm: op(B) is [", g.k, ", ", g.n,
               "], the packed one [", b.k_, ", ", b.n_, "]; need equal sizes");
    SOMA_CHECK(b.table_ == &table<T>(),
               "gemm: B was packed for another kernel table; pack it again");
    SOMA_CHECK(g.order == Order::chain || g.k <= kGemmSlice,
               "gemm: a packed B is for order chain, K is ", g.k);
    if (g.m == 0 || g.n == 0) return;
    check_arrays(g, false);
    GemmJob<T> job = job_of(g);
    const T* panels = reinterpret_cast<const T*>(b.panels_.get());
    const GemmPlan plan = plan_packed_b(g.m, g.n, job.k, machine<T>());
    for_each_cell(g.m, g.n, plan, [&](Index i, Index m, Index j, Index n) {
        run_packed(cell_of(job, i, m, j, n), plan, panels + j * g.k);
    });
}

#define SOMA_INSTANTIATE(T)                                                    \
    template void gemm<T>(const Gemm<T>&);                                     \
    template void gemm_batched<T>(const Gemm<T>&, Index, Index, Index, Index); \
    template class PackedB<T>;                                                 \
    template void gemm<T>(const Gemm<T>&, const PackedB<T>&);
SOMA_INSTANTIATE(float)
SOMA_INSTANTIATE(double)
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
