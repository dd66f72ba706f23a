#pragma once
// Schedules: who sends which elements to whom in an all-reduce, as plain data.
//
//   doubling   round k: rank r swaps everything with r ^ 2^k and folds.
//              log2(P) (a + n b); for small n
//   halving    round k: r and r ^ 2^k swap halves of their range, r keeps the half that bit k of r
//              names and folds it; after d rounds r owns one slice of the sum. Then the mirror:
//              round d-1 ... 0 swap what each owns.
//              2 log2(P) a + 2 (P-1)/P n b;  P = 2^d
//   ring       P-1 rounds: a slice moves from neighbour to neighbour and each adds its own; then
//              P-1 rounds in which the finished slices move on.
//              2 (P-1) a + 2 (P-1)/P n b;  any P
//
//   P ranks, n bytes, a seconds of latency, b seconds per byte
//
// Doubling and halving are one balanced tree over rank numbers, the lower number always the left
// operand, so that they give the same bits:
//
//   P = 4      ((x0 + x1) + (x2 + x3))
//
// The order of the ring depends on P: fast mode only, as is doubling over P that is no power of
// two, whose upper ranks first fold into a partner below and are told the result at the end.
// Neighbours r, r ^ 1 exchange first and most, and ranks are node-major, so halving takes only
// n / (ranks of a host) across between hosts.

#include <string_view>
#include <vector>

#include "soma/core/types.h"

namespace soma::dist {

inline constexpr Index kChunk = 1024;  // elements between the points where ranges are cut

struct Range {
    Index begin = 0, end = 0;  // elements
    Index size() const { return end - begin; }
    bool empty() const { return end == begin; }
};

// One rank's part of a round: it sends `give` and receives `take`, either of which may be empty.
struct Step {
    int to = -1, from = -1;
    Range give = {}, take = {};
    bool folds = false;  // what arrives is added; otherwise it replaces
    bool lower = false;  // the operand that stands here is the left one
    // What is folded is being sent too: `give` and `take` are then the same range.
    bool overlap() const { return folds && !give.empty() && give.begin == take.begin; }
};

using Schedule = std::vector<Step>;

// Of rank `rank` of `ranks` for n elements. Error(usage) unless 0 <= rank < ranks, n >= 0, and
// ranks is a power of two where `halving` needs it.
Schedule doubling_schedule(int ranks, int rank, Index n);
Schedule halving_schedule(int ranks, int rank, Index n);
Schedule ring_schedule(int ranks, int rank, Index n);

enum class Algorithm {
    tree,     // halving, below doubling_bytes doubling: strict
    ring,     // below doubling_bytes doubling: fast mode
    library,  // the message library's own all-reduce: a yardstick
};
std::string_view name_of(Algorithm algorithm);
// "tree", "ring" or "mpi"; Error(usage) for any other name.
Algorithm algorithm_named(std::string_view name);

// Bytes below which doubling takes less time than halving where a / b is 24 KB (10 and 100 Gb/s;
// soma plan), at most 128 KB, above which its folding of everything on two ranks costs more than a
// round:
//
//   n (log2(P) - 2 (P-1)/P) = log2(P) a / b
Index doubling_bytes(int ranks);

// The schedule of an algorithm other than `library` for n elements of `size` bytes; doubling below
// `doubling` bytes.
Schedule make_schedule(Algorithm algorithm, int ranks, int rank, Index n, Index size,
                       Index doubling);
Schedule make_schedule(Algorithm algorithm, int ranks, int rank, Index n, Index size);

}  // namespace soma::dist
