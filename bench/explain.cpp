#include "bench/explain.h"

#include <algorithm>
#include <cstring>

#include "bench/operands.h"
#include "kernels/gemm_plan.h"
#include "soma/core/cpu.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/peak.h"

namespace soma::bench {
namespace {

using kernels::Gemm;
using kernels::Op;

// The tile that does most of the work on an instruction set (src/kernels/isa).
struct MainTile {
    const char* isa;
    Index rows, vectors;
};
constexpr MainTile kMainTiles[] = {
    {"avx512", 6, 4}, {"avx2", 6, 2}, {"neon", 5, 4}, {"generic", 4, 4}};

MainTile main_tile() {
    for (const MainTile& tile : kMainTiles) {
        if (std::strcmp(tile.isa, kernels::active().isa) == 0) return tile;
    }
    return {"", 1, 1};
}

template <class T>
Spread measured_seconds(const Gemm<T>& g, const MeasureOptions& options) {
    Contest contest({{"soma",
                      [&g](Index repeats) {
                          for (Index r = 0; r < repeats; ++r) kernels::gemm(g);
                      }}},
                    options);
    contest.run();
    return contest.time(0);
}

template <class T>
MachineRates measured_rates(const MeasureOptions& options) {
    const kernels::Peak peak = kernels::measure_peak(kernels::active(), options.threads);
    const T one = 1;
    T result = 0;
    const Gemm<T> smallest{
        .m = 1, .n = 1, .k = 1, .a = &one, .lda = 1, .b = &one, .ldb = 1, .c = &result, .ldc = 1};
    return {.flop = 1e9 * (sizeof(T) == 4 ? peak.f32_gflops : peak.f64_gflops),
            .l1 = 1e9 * peak.l1_read_gbs,
            .l2 = 1e9 * peak.l2_read_gbs,
            .l3 = 1e9 * peak.l3_read_gbs,
            .ram = 1e9 * peak.ram_read_gbs,
            .l1_bytes = cpu().l1d_bytes,
            .l2_bytes = cpu().l2_bytes,
            .l3_bytes = cpu().l3_bytes,
            .call_seconds = measured_seconds(smallest, options).median};
}

}  // namespace

template <class T>
Explanation explain_gemm(Index m, Index n, Index k, Op op_a, Op op_b,
                         const MeasureOptions& options) {
    const Operand<T> a(m * k, 1, -1, 1), b(k * n, 2, -1, 1), c(m * n);
    const Gemm<T> product{.op_a = op_a,
                          .op_b = op_b,
                          .m = m,
                          .n = n,
                          .k = k,
                          .a = a.data(),
                          .lda = op_a == Op::N ? k : m,
                          .b = b.data(),
                          .ldb = op_b == Op::N ? n : k,
                          .c = c.data(),
                          .ldc = n};
    const Index width = kernels::table<T>().width;
    const kernels::GemmPlan plan = kernels::plan_gemm({.op_a = op_a,
                                                       .op_b = op_b,
                                                       .m = m,
                                                       .n = n,
                                                       .k = k,
                                                       .lda = product.lda,
                                                       .ldb = product.ldb},
                                                      {.width = width,
                                                       .element = sizeof(T),
                                                       .l2_bytes = cpu().l2_bytes,
                                                       .threads = num_threads()});
    const bool by_strips = plan.path == kernels::GemmPath::strips;
    const bool whole_rows = plan.path == kernels::GemmPath::stream;  // of B, for all rows of A
    const MainTile tile = main_tile();
    Explanation out{.path = kernels::name_of(plan.path),
                    .pack_a = plan.pack_a,
                    .plan = {.m = m,
                             .n = n,
                             .k = k,
                             .width = width,
                             .element = sizeof(T),
                             .tile_rows = whole_rows ? m : std::min(tile.rows, m),
                             .tile_vectors = std::min(tile.vectors, ceil_div(n, width)),
                             .packed = plan.pack_b,
                             .by_strips = by_strips,
                             .in_passing = by_strips && op_b == Op::N,
                             .kc = plan.kc,
                             .nc = plan.nc},
                    .cells_m = plan.cells_m(m),
                    .cells_n = plan.cells_n(n - plan.edge),
                    .rates = measured_rates<T>(options),
                    .prediction = {},
                    .measured = measured_seconds(product, options)};
    out.prediction = predict(out.plan, out.rates);
    return out;
}

template Explanation explain_gemm<float>(Index, Index, Index, Op, Op, const MeasureOptions&);
template Explanation explain_gemm<double>(Index, Index, Index, Op, Op, const MeasureOptions&);

}  // namespace soma::bench
