#pragma once
// How a product is computed: a pure function of shape, vector width, cache sizes and threads.
//
// The plan decides speed only; every plan gives the same bits (kernels.md 6).
//
//     path      when                                              how
//     tiny      M, N, K <= 64, B not transposed                   one kernel call, no plan
//     direct    B stays in L1, or M < 16, or M < 48 and B in L2   tiles straight on A and B
//     strips    B and the slice of A stay in L2                   one panel at a time, packed by
//                                                                 the first tile that reads it
//     packed    otherwise                                         panels of B, block by block
//     stream    B beyond L2, M <= 8                               B row after row, sums in memory
//     dots      B transposed, M <= 8                              row of A times row of B
//     narrow    N <= width / 4, M >= width                        C^T = op(B)^T op(A)^T
//     tree      order tree, K > 256                               leaves of 256 k, merged pairwise
//
// Last columns that would fill an eighth of a vector or less are an edge: a narrow product of their
// own; the rest of the plan is for the columns before them.
//
// packed:  for columns by nc: for k by kc: pack B[kc, nc] (45 % of L2); for all rows by mc: kernel.

#include "soma/core/cpu.h"
#include "soma/core/types.h"
#include "soma/kernels/gemm.h"
#include "soma/kernels/table/gemm.h"

namespace soma::kernels {

enum class GemmPath : std::uint8_t { tiny, direct, strips, packed, stream, dots, narrow, tree };
const char* name_of(GemmPath path);

// What a plan depends on besides the shape.
struct GemmMachine {
    Index width;    // elements of a vector
    Index element;  // bytes
    Index l2_bytes;
    int threads;
};

struct GemmPlan {
    GemmPath path = GemmPath::direct;
    bool pack_a = false;  // transpose blocks of a transposed A: a line then serves one row
    bool pack_b = false;
    bool far_c = false;            // C does not stay in L2: the kernel prefetches it
    Index kc = 0, nc = 0, mc = 0;  // blocks of k, of columns, of rows
    Index cell_m = 0, cell_n = 0;  // the part of C that a thread takes at once
    Index edge = 0;                // columns, not counted in cells
    Index leaves_per_task = 0;     // tree: leaves are split over threads, too, in such chunks
    Index cells_m(Index m) const { return ceil_div(m, cell_m); }
    Index cells_n(Index n) const { return ceil_div(n, cell_n); }
};

// What the plan is made for; fields as in Gemm.
struct GemmShape {
    Op op_a = Op::N, op_b = Op::N;
    Index m = 0, n = 0, k = 0, lda = 0, ldb = 0;
    Order order = Order::chain;

    double flop() const {
        return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    }
};

inline constexpr Index kTinySize = 64;
inline constexpr double kThreadFlop = 2e6;  // least work worth a thread: about 20 us at 100 GF

GemmPlan plan_gemm(const GemmShape& shape, const GemmMachine& machine);
// The plan for a B that PackedB holds: blocks of the size it was packed in.
GemmPlan plan_packed_b(Index m, Index n, Index k, const GemmMachine& machine);
// Bytes that a thread takes from its arena: at most the size of L2 and 2 MB.
Index scratch_bytes(const GemmPlan& plan, const GemmShape& shape, const GemmMachine& machine);

}  // namespace soma::kernels
