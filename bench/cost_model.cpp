#include "bench/cost_model.h"

#include <algorithm>

#include "soma/kernels/table/gemm.h"

namespace soma::bench {
namespace {

constexpr double kEndCycles = 12;   // an FMA's latency and a load's
constexpr double kFlopPerLane = 4;  // and cycle: two FMA units

double real(Index n) { return static_cast<double>(n); }

}  // namespace

Index ProductPlan::slices() const { return std::max<Index>(1, ceil_div(k, kernels::kGemmSlice)); }

double Prediction::seconds() const {
    return call_seconds + ends_seconds + pack.seconds +
           std::max({fma_seconds, l1.seconds, l2.seconds, far.seconds});
}

const char* Prediction::bound() const {
    const double most = std::max({fma_seconds, l1.seconds, l2.seconds, far.seconds});
    if (most == fma_seconds) return "FMA";
    if (most == l1.seconds) return "L1";
    if (most == l2.seconds) return "L2";
    return far_is_ram ? "RAM" : "L3";
}

Prediction predict(const ProductPlan& p, const MachineRates& rates) {
    const double s = real(p.element), m = real(p.m), n = real(p.n), k = real(p.k);
    const double padded_n = real(round_up(p.n, p.width));
    const double a = m * k * s, b = k * padded_n * s, c = m * n * s;
    const double row_blocks = real(p.row_blocks());
    Prediction out;
    out.flop = 2 * m * padded_n * k;
    out.fma_seconds = out.flop / rates.flop;

    const double loads = 1 / real(p.tile_rows) + 1 / real(p.tile_vectors);  // an FMA
    out.l1.bytes = m * padded_n * k * loads * s;
    out.l1.seconds = out.l1.bytes / rates.l1;

    const Index columns = p.by_strips ? p.tile_vectors * p.width : p.nc;
    const double block_b = p.packed ? real(p.kc * std::min(columns, p.n)) * s : b;
    const bool b_in_l1 = block_b <= real(rates.l1_bytes);
    out.l2.bytes =
        (b_in_l1 ? 1 : row_blocks) * b + real(p.column_blocks()) * a + 2 * real(p.slices()) * c;
    out.l2.seconds = out.l2.bytes / rates.l2;

    if (a + b + c > real(rates.l2_bytes)) {
        const bool streams_b = !p.packed && b > real(rates.l2_bytes);
        out.far_is_ram = rates.l3 == 0 || a + b + c > real(rates.l3_bytes) / 2;
        const Index a_passes = p.by_strips ? 1 : p.column_blocks();  // a slice of A stays in L2
        out.far.bytes =
            real(a_passes) * a + (streams_b ? row_blocks : 1) * b + 2 * real(p.k_blocks()) * c;
        out.far.seconds = out.far.bytes / (out.far_is_ram ? rates.ram : rates.l3);
    }
    if (p.packed && !p.in_passing) {
        out.pack.bytes = 3 * b;
        out.pack.seconds = out.pack.bytes / rates.l2;
    }
    const double clock = rates.flop / (kFlopPerLane * real(p.width));
    out.ends_seconds = row_blocks * real(p.strips() * p.slices()) *
                       (real(p.tile_rows * p.tile_vectors) + kEndCycles) / clock;
    out.call_seconds = rates.call_seconds;
    return out;
}

}  // namespace soma::bench
