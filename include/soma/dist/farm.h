#pragma once
// Farm: many independent pieces of work, each taken by the first free thread of any rank.
//
// Rank 0 holds the queue. Every rank has `threads` workers that compute and one thread, the
// caller's, that only talks; on rank 0 it hands out pieces and keeps results. A worker rank asks
// when a worker is free, so that slow pieces and slow machines delay nobody else:
//
//   worker rank -> 0    {finished piece or none, bytes of its result, asks?, stops?}, result
//   0 -> worker rank    {a piece, or none is left, or stop}
//
// Talking never waits for work: a rank without news says so once a second, and one that is silent
// for Comm::timeout() ends the farm. Pieces last seconds to hours; a hand-over costs about 1 ms.
//
// Which thread computes a piece, and in which order results arrive, is unspecified: pieces must be
// pure functions of their number.

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "soma/core/types.h"
#include "soma/dist/comm.h"

namespace soma::dist {

// Computes one piece on a worker thread, with parallel_for serial; nothing when `stop()` became
// true meanwhile: the piece counts as not done. Called from several threads at once.
using FarmWork =
    std::function<std::optional<std::string>(Index piece, const std::function<bool()>& stop)>;
// A finished piece and the rank that computed it; on rank 0, on the thread that called farm().
using FarmKeep = std::function<void(Index piece, const std::string& result, int rank)>;

struct FarmOptions {
    int threads = 1;  // workers of this rank
    // Polled on every rank; one that says true stops them all: pieces being computed are asked to
    // end, and what they finish until then is kept.
    std::function<bool()> stop_requested = {};
};

// Computes all `pieces` (read on rank 0 only, handed out in their order). Collective; true on every
// rank when all of them were kept. An exception of `work` or `keep` leaves farm() on its rank;
// run it inside abort_on_exception, so that it ends the other ranks. Error(usage) for no thread,
// Error(timeout) naming a rank that fell silent.
bool farm(Comm& comm, std::span<const Index> pieces, const FarmWork& work, const FarmKeep& keep,
          const FarmOptions& options = {});

}  // namespace soma::dist
