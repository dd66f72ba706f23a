// Plans of products (gemm_plan.h): pure functions.

#include <algorithm>
#include <bit>

#include "kernels/gemm_plan.h"

namespace soma::kernels {
namespace {

constexpr Index kPageBytes = 4096;     // rows of B farther apart cost a page and one L1 set each
constexpr Index kDirectBytes = 32768;  // a B this small stays near enough without packing
constexpr Index kDirectRows = 48;      // with fewer, packing a near B costs more than it saves
constexpr Index kReuse = 2;            // strips that must use a copy of A to pay for it
constexpr Index kSplitBytes = Index{1} << 20;  // of a thread, to split leaves: C is small then
constexpr Index kFewRows = 16;                 // with fewer, packing B costs more than streaming it
constexpr Index kManyRows = 256;               // with more, each panel is read often: pack many

// Rows of a block whose finishing pass finds them in L1; a multiple of the tile heights 6, 8, 12.
Index rows_at_once(Index m) {
    const Index most = 96;
    return round_up(ceil_div(m, ceil_div(m, most)), 24);
}

// KC is one slice: a row block of A, MR x 256, takes an eighth of L1, and longer blocks measure no
// faster since C is updated once a slice anyway. NC: B[KC, NC] takes 45 % of L2; 30 % when few rows
// use it, because writing the panels then weighs more than reading A again.
void choose_blocks(GemmPlan& plan, Index m, const GemmMachine& machine) {
    const Index unit = 12 * machine.width;  // whole strips of 3 and of 4 vectors
    const Index percent = m > kManyRows ? 45 : 30;
    const Index columns = machine.l2_bytes * percent / 100 / (kGemmSlice * machine.element);
    const Index step = columns >= unit ? unit : unit / 4;
    plan.kc = kGemmSlice;
    plan.nc = std::max(step, columns / step * step);
}

// direct, stream, strips or packed, for a product that is none of the special ones.
GemmPath choose_path(const GemmShape& shape, const GemmMachine& machine) {
    const Index s = machine.element, b_bytes = shape.k * shape.ldb * s;
    const bool short_rows = shape.ldb * s <= kPageBytes;
    if (shape.op_b == Op::N) {
        const bool near = short_rows && b_bytes <= machine.l2_bytes / 2;
        if (shape.m <= kFarRows && b_bytes > machine.l2_bytes * 3 / 4) return GemmPath::stream;
        if (shape.m < kFewRows || (near && shape.m < kDirectRows)) return GemmPath::direct;
        if (short_rows && b_bytes <= kDirectBytes) return GemmPath::direct;
    }
    const Index a_slice = shape.m * std::min(shape.k, kGemmSlice) * s;
    const bool near = b_bytes <= machine.l2_bytes * 3 / 4 && a_slice <= machine.l2_bytes * 7 / 32;
    const bool strips = near || shape.m < 2 * kPackingRows;
    return strips && shape.m >= kFewRows ? GemmPath::strips : GemmPath::packed;
}

Index useful_threads(double flop, int threads) {
    return std::clamp<Index>(static_cast<Index>(flop / kThreadFlop), 1, threads);
}

// Cells of C for `team` threads: columns first, as long as each thread gets `min_n` of them (its
// panels of B are its own), then rows.
void choose_cells(GemmPlan& plan, const GemmShape& shape, Index team, Index min_m, Index min_n,
                  Index unit_n) {
    const Index parts_n = std::clamp<Index>(shape.n / min_n, 1, team);
    const Index parts_m = std::clamp<Index>(shape.m / min_m, 1, team / parts_n);
    plan.cell_n = round_up(ceil_div(shape.n, parts_n), unit_n);
    plan.cell_m = round_up(ceil_div(shape.m, parts_m), std::min<Index>(min_m, 12));
}

Index a_copy_elements(Index kc, Index rows, const GemmMachine& machine) {
    return (round_up(kc, machine.width) + 64 / machine.element) * rows;
}

GemmPlan plan_tree(const GemmShape& shape, const GemmMachine& machine) {
    GemmPlan plan{.path = GemmPath::tree};
    const Index strip = 4 * machine.width, leaves = ceil_div(shape.k, kGemmSlice);
    plan.pack_a = shape.op_a == Op::T && shape.n >= kReuse * strip;
    plan.pack_b = shape.op_b == Op::T || shape.ldb * machine.element >= kPageBytes;
    plan.kc = kGemmSlice;
    plan.nc = std::min(shape.n, 4 * strip);
    const Index levels = std::bit_width(static_cast<std::uint64_t>(leaves)) + 1;
    const Index row = std::max(levels * plan.nc,  // elements a row of C needs in half of L2
                               plan.pack_a ? a_copy_elements(kGemmSlice, 1, machine) : 0);
    const Index fit = machine.l2_bytes / 2 / (row * machine.element);
    plan.mc = std::min(shape.m, std::max<Index>(24, fit / 24 * 24));

    const Index team = useful_threads(shape.flop(), machine.threads);
    choose_cells(plan, shape, team, 24, strip, machine.width);
    if (2 * plan.cells_m(shape.m) * plan.cells_n(shape.n) <= team) {
        GemmPlan split = plan;
        const auto chunk = static_cast<std::uint64_t>(std::max<Index>(1, leaves / (4 * team)));
        split.leaves_per_task = static_cast<Index>(std::bit_ceil(chunk));
        split.cell_m = shape.m;
        split.cell_n = shape.n;
        if (scratch_bytes(split, shape, machine) <= kSplitBytes) return split;
    }
    return plan;
}

}  // namespace

const char* name_of(GemmPath path) {
    switch (path) {
        case GemmPath::tiny:
            return "tiny";
        case GemmPath::direct:
            return "direct";
        case GemmPath::strips:
            return "strips";
        case GemmPath::packed:
            return "packed";
        case GemmPath::stream:
            return "stream";
        case GemmPath::dots:
            return "dots";
        case GemmPath::narrow:
            return "narrow";
        case GemmPath::tree:
            return "tree";
    }
    return "?";
}

namespace {

// An edge pays in a large product only: a narrow product has costs of its own.
Index edge_columns(const GemmShape& shape, const GemmMachine& machine) {
    const Index large = 4 * machine.width, edge = shape.n % machine.width;
    const bool chain = shape.order == Order::chain || shape.k <= kGemmSlice;
    const bool pays = shape.m >= large && shape.n >= large && shape.k >= large;
    return pays && chain && edge <= machine.width / 8 ? edge : 0;
}

GemmPlan plan_columns(const GemmShape& shape, const GemmMachine& machine) {
    const Index s = machine.element;
    if (shape.order == Order::tree && shape.k > kGemmSlice) return plan_tree(shape, machine);
    GemmPlan plan;
    plan.mc = rows_at_once(shape.m);
    plan.cell_m = shape.m;
    plan.cell_n = shape.n;
    const bool small = shape.m <= kTinySize && shape.n <= kTinySize && shape.k <= kTinySize;
    if (small && shape.op_b == Op::N) {
        plan.path = GemmPath::tiny;
        return plan;
    }
    choose_blocks(plan, shape.m, machine);
    plan.far_c = shape.m * shape.n * s > machine.l2_bytes / 2;
    const Index team = useful_threads(shape.flop(), machine.threads);
    const Index strip = 4 * machine.width;
    if (shape.n <= machine.width / 4 && shape.m >= machine.width) {
        plan.path = GemmPath::narrow;
        plan.mc = 8 * machine.width;
        choose_cells(plan, shape, team, plan.mc, shape.n, 1);
        return plan;
    }
    if (shape.op_b == Op::T && shape.m <= kDotRows) {
        plan.path = GemmPath::dots;
        choose_cells(plan, shape, team, shape.m, strip, machine.width);
        return plan;
    }
    const bool few_rows = shape.m < kFewRows;
    plan.path = choose_path(shape, machine);
    plan.pack_b = plan.path == GemmPath::strips || plan.path == GemmPath::packed;
    plan.pack_a = plan.path == GemmPath::packed && shape.op_a == Op::T && shape.n >= kReuse * strip;
    choose_cells(plan, shape, team, 24, few_rows ? strip : 2 * strip, machine.width);
    // Panels for few rows are used once or twice: keep them in L1.
    if (few_rows && plan.pack_b) plan.nc = strip;
    plan.nc = std::min(plan.nc, plan.cell_n);
    return plan;
}

}  // namespace

GemmPlan plan_gemm(const GemmShape& shape, const GemmMachine& machine) {
    const bool small = shape.m <= kTinySize && shape.n <= kTinySize && shape.k <= kTinySize;
    const Index edge = small ? 0 : edge_columns(shape, machine);
    GemmShape main = shape;
    main.n -= edge;
    GemmPlan plan = plan_columns(main, machine);
    plan.edge = edge;
    return plan;
}

GemmPlan plan_packed_b(Index m, Index n, Index k, const GemmMachine& machine) {
    GemmPlan plan{.path = GemmPath::packed};
    choose_blocks(plan, m, machine);
    plan.nc = 12 * machine.width;
    plan.mc = rows_at_once(m);
    plan.far_c = m * n * machine.element > machine.l2_bytes / 2;
    const GemmShape shape{.m = m, .n = n, .k = k};
    const Index team = useful_threads(shape.flop(), machine.threads);
    choose_cells(plan, shape, team, 24, plan.nc, plan.nc);
    return plan;
}

Index scratch_bytes(const GemmPlan& plan, const GemmShape& whole, const GemmMachine& machine) {
    GemmShape shape = whole;
    if (plan.edge > 0) {  // it takes its scratch when the other columns are done
        GemmPlan main = plan;
        main.edge = 0;
        shape.n = plan.edge;
        const Index edge = scratch_bytes(plan_gemm(shape, machine), shape, machine);
        shape.n = whole.n - plan.edge;
        return std::max(edge, scratch_bytes(main, shape, machine));
    }
    Index elements = 0;
    const Index n = round_up(std::min(plan.nc, shape.n), machine.width);
    switch (plan.path) {
        case GemmPath::tiny:
        case GemmPath::direct:
        case GemmPath::dots:
            break;
        case GemmPath::stream:
            elements = shape.m * round_up(shape.n, machine.width);
            break;
        case GemmPath::strips:
            elements = kGemmSlice * kPanelVectors * machine.width;
            break;
        case GemmPath::packed:
            elements = plan.kc * n + (plan.pack_a ? a_copy_elements(plan.kc, plan.mc, machine) : 0);
            break;
        case GemmPath::narrow:
            elements = shape.n * plan.mc;
            break;
        case GemmPath::tree: {
            const bool split = plan.leaves_per_task > 0;
            const Index rows = split ? shape.m : plan.mc, columns = split ? shape.n : plan.nc;
            const Index leaves = split ? plan.leaves_per_task : ceil_div(shape.k, kGemmSlice);
            const Index levels = std::bit_width(static_cast<std::uint64_t>(leaves)) + 1;
            elements = levels * rows * columns +
                       (plan.pack_a ? a_copy_elements(kGemmSlice, rows, machine) : 0) +
                       (plan.pack_b ? kGemmSlice * round_up(columns, machine.width) : 0);
            if (split) elements += ceil_div(shape.k, leaves * kGemmSlice) * rows * columns;
            break;
        }
    }
    return elements * machine.element;
}

}  // namespace soma::kernels
