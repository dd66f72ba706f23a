// soma bench explain gemm M N K: what gemm() does with a product, how long that should take by the
// cost model (bench/cost_model.h), and how long it takes.

#include <algorithm>
#include <charconv>
#include <iostream>

#include "bench/explain.h"
#include "cli/bench.h"
#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/kernels/dispatch.h"

namespace soma::cli {
namespace {

using bench::Explanation;
using bench::Prediction;
using bench::Transfer;
using kernels::Op;

constexpr double kMostElements = 1e9;  // of A, B and C: 4 GB in f32

Index size_from(const std::string& text) {
    Index n = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), n);
    SOMA_CHECK(result.ec == std::errc{} && result.ptr == text.data() + text.size() && n >= 1,
               "soma bench explain gemm: '", text, "' is no size; need whole numbers >= 1");
    return n;
}

std::string bytes_text(double bytes) {
    if (bytes < 1e6) return fixed(1e-3 * bytes, 1) + " KB";
    if (bytes < 1e9) return fixed(1e-6 * bytes, 1) + " MB";
    return fixed(1e-9 * bytes, 1) + " GB";
}

std::string time_text(double seconds) { return fixed(1e6 * seconds, 2) + " us"; }

std::string rate_text(double rate, const char* unit) { return fixed(1e-9 * rate, 1) + unit; }

std::string packing_text(const bench::ProductPlan& p) {
    if (!p.packed) return ": A and B read in place";
    if (p.in_passing) return ": each strip of B packed by the tile that reads it first";
    if (p.by_strips) return ": B transposed and packed strip by strip";
    return concat(": B packed in blocks of ", std::min(p.kc, p.k), " k x ", std::min(p.nc, p.n),
                  " columns");
}

std::string plan_text(const Explanation& e) {
    const bench::ProductPlan& p = e.plan;
    std::string out = concat("path    ", e.path, packing_text(p),
                             e.pack_a ? ", A transposed block by block" : "", "\n");
    out +=
        concat("tiles   ", p.row_blocks(), p.row_blocks() == 1 ? " row block" : " row blocks",
               " of up to ", p.tile_rows, ", ", p.strips(), p.strips() == 1 ? " strip" : " strips",
               " of up to ", p.tile_vectors * p.width, " columns, ", p.slices(),
               p.slices() == 1 ? " slice" : " slices", " of up to 256 k\n");
    out += concat("cells   ", e.cells_m, " x ", e.cells_n, " of C, for threads\n");
    return out;
}

std::string cost_table(const Explanation& e) {
    const Prediction& p = e.prediction;
    std::vector<std::vector<std::string>> rows = {{"cost", "amount", "rate", "time"}};
    rows.push_back({"FMA", fixed(1e-6 * p.flop, 2) + " Mflop", rate_text(e.rates.flop, " GF"),
                    time_text(p.fma_seconds)});
    const auto transfer = [&](const char* name, const Transfer& t, double rate) {
        rows.push_back({name, bytes_text(t.bytes), rate_text(rate, " GB/s"), time_text(t.seconds)});
    };
    transfer("L1", p.l1, e.rates.l1);
    transfer("L2", p.l2, e.rates.l2);
    if (p.far.bytes > 0)
        transfer(p.far_is_ram ? "RAM" : "L3", p.far, p.far_is_ram ? e.rates.ram : e.rates.l3);
    if (p.pack.bytes > 0) transfer("packing", p.pack, e.rates.l2);
    rows.push_back({"ends of tiles", "", "", time_text(p.ends_seconds)});
    rows.push_back({"call", "", "", time_text(p.call_seconds)});
    return markdown_table(rows);
}

}  // namespace

int bench_explain(const BenchOptions& options) {
    SOMA_CHECK(options.rest.size() == 4 && options.rest[0] == "gemm",
               "soma bench explain: need gemm M N K, for example: soma bench explain gemm 512 512 "
               "512");
    const Index m = size_from(options.rest[1]), n = size_from(options.rest[2]);
    const Index k = size_from(options.rest[3]);
    const double rows = static_cast<double>(m), cols = static_cast<double>(n);
    const double elements = rows * cols + (rows + cols) * static_cast<double>(k);
    SOMA_CHECK(elements <= kMostElements, "soma bench explain gemm: ", m, " x ", n, " x ", k,
               " has ", elements, " elements; need at most ", kMostElements);
    const Op op_a = options.transpose_a ? Op::T : Op::N, op_b = options.transpose_b ? Op::T : Op::N;
    const Explanation e = options.dtype == "f32"
                              ? bench::explain_gemm<float>(m, n, k, op_a, op_b, options.measure())
                              : bench::explain_gemm<double>(m, n, k, op_a, op_b, options.measure());
    const double predicted = e.prediction.seconds(), measured = e.measured.median;
    const double gflop = 2e-9 * rows * cols * static_cast<double>(k);
    std::cout << concat("gemm    ", m, " x ", n, " x ", k, " ", op_a == Op::N ? "N" : "T",
                        op_b == Op::N ? "N" : "T", ", ", options.dtype, ", ", kernels::active().isa,
                        ", ", options.threads(),
                        options.threads() == 1 ? " thread\n" : " threads\n")
              << plan_text(e) << cost_table(e) << "predicted  " << time_text(predicted)
              << ": call + ends + packing + the largest of the others, " << e.prediction.bound()
              << "\nmeasured   " << time_text(measured) << ", " << fixed(gflop / measured, 1)
              << " GF, +- " << fixed(100 * e.measured.uncertainty(), 1)
              << " %\nmeasured / predicted  " << fixed(measured / predicted, 2) << "\n";
    if (e.measured.conclusive()) return 0;
    std::cout << "No conclusion: the time is known to no better than 5 %.\n";
    return 1;
}

}  // namespace soma::cli
