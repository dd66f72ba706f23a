// soma_sgemm: checks, workspace, and the call of soma::kernels::gemm.

#include "soma/kernels/gemm.h"

#include "capi/status.h"
#include "kernels/gemm_plan.h"
#include "soma/core/cpu.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma::capi {
namespace {

using kernels::Op;
constexpr const char* kName = "soma_sgemm";

Op op_of(soma_op op, const char* argument) {
    require(op == SOMA_NO_TRANS || op == SOMA_TRANS, SOMA_EINVAL, kName, ": ", argument, " is ", op,
            "; need SOMA_NO_TRANS or SOMA_TRANS");
    return op == SOMA_NO_TRANS ? Op::N : Op::T;
}

// Elements from the first to the last of a matrix [rows, columns].
Index extent(Index rows, Index columns, Index ld) {
    if (rows == 0 || columns == 0) return 0;
    return checked_product(kName, {rows - 1, ld}) + columns;
}

void check_leading(const char* argument, Index ld, Index columns) {
    require(ld >= columns, SOMA_ESHAPE, kName, ": ", argument, " is ", ld, "; need at least ",
            columns, ", the row length");
}

void check_shape(const kernels::Gemm<float>& g) {
    require(g.m >= 0 && g.n >= 0 && g.k >= 0, SOMA_ESHAPE, kName, ": m, n, k are ", g.m, ", ", g.n,
            ", ", g.k, "; need at least 0");
    check_leading("lda", g.lda, g.op_a == Op::N ? g.k : g.m);
    check_leading("ldb", g.ldb, g.op_b == Op::N ? g.n : g.k);
    check_leading("ldc", g.ldc, g.n);
    checked_product(kName, {g.m, g.n});
    checked_product(kName, {g.m, g.k});
    checked_product(kName, {g.k, g.n});
}

// Every thread runs the same paths; the plan tells their scratch, alignment of its arrays apart.
Workspace workspace_of(const kernels::Gemm<float>& g) {
    constexpr std::size_t kArrays = 4;
    const int threads = in_parallel() ? 1 : num_threads();
    const kernels::GemmMachine machine{.width = kernels::table<float>().width,
                                       .element = sizeof(float),
                                       .l2_bytes = cpu().l2_bytes,
                                       .threads = threads};
    const kernels::GemmShape shape{
        .op_a = g.op_a, .op_b = g.op_b, .m = g.m, .n = g.n, .k = g.k, .lda = g.lda, .ldb = g.ldb};
    if (g.m == 0 || g.n == 0 || g.k == 0) return {.threads = threads};
    const kernels::GemmPlan plan = kernels::plan_gemm(shape, machine);
    const auto bytes = static_cast<std::size_t>(kernels::scratch_bytes(plan, shape, machine));
    if (bytes == 0) return {.threads = threads};
    const auto slice = (bytes + kArrays * kAlignment) / kAlignment * kAlignment;
    return {.own = slice, .slice = slice, .threads = threads};
}

void run(const kernels::Gemm<float>& g, void* workspace, std::size_t workspace_bytes) {
    check_shape(g);
    const bool reads = g.alpha != 0 && g.m > 0 && g.n > 0 && g.k > 0;
    const bool n_a = g.op_a == Op::N, n_b = g.op_b == Op::N;
    const Array a{"A", g.a, reads ? extent(n_a ? g.m : g.k, n_a ? g.k : g.m, g.lda) : 0};
    const Array b{"B", g.b, reads ? extent(n_b ? g.k : g.n, n_b ? g.n : g.k, g.ldb) : 0};
    const Array c{"C", g.c, extent(g.m, g.n, g.ldc)};
    check_arrays(kName, c, {a, b});
    const Workspace need = workspace_of(g);
    check_workspace(kName, need, workspace, workspace_bytes, {a, b, c});
    with_workspace(need, workspace, [&] { kernels::gemm(g); });
}

}  // namespace
}  // namespace soma::capi

extern "C" {

soma_status soma_sgemm_workspace(soma_op op_a, soma_op op_b, int64_t m, int64_t n, int64_t k,
                                 int64_t lda, int64_t ldb, int64_t ldc, size_t* bytes) {
    using namespace soma::capi;
    return guarded([&] {
        require(bytes != nullptr, SOMA_EINVAL, "soma_sgemm_workspace: bytes is NULL");
        const soma::kernels::Gemm<float> g{.op_a = op_of(op_a, "op_a"),
                                           .op_b = op_of(op_b, "op_b"),
                                           .m = m,
                                           .n = n,
                                           .k = k,
                                           .lda = lda,
                                           .ldb = ldb,
                                           .ldc = ldc};
        check_shape(g);
        *bytes = workspace_of(g).bytes();
    });
}

soma_status soma_sgemm(soma_op op_a, soma_op op_b, int64_t m, int64_t n, int64_t k, float alpha,
                       const float* a, int64_t lda, const float* b, int64_t ldb, float beta,
                       float* c, int64_t ldc, void* workspace, size_t workspace_bytes) {
    using namespace soma::capi;
    return guarded([&] {
        run({.op_a = op_of(op_a, "op_a"),
             .op_b = op_of(op_b, "op_b"),
             .m = m,
             .n = n,
             .k = k,
             .alpha = alpha,
             .a = a,
             .lda = lda,
             .b = b,
             .ldb = ldb,
             .beta = beta,
             .c = c,
             .ldc = ldc},
            workspace, workspace_bytes);
    });
}

}  // extern "C"
