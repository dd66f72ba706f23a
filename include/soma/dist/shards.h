#pragma once
// Virtual shards: why the number of ranks does not show in the result.
//
// A batch of B samples is S fixed shards of B/S samples, S a power of two. Rank r of P computes the
// S/P consecutive shards from r S/P on, each with its own forward and backward pass. The shard
// gradients g0 ... g(S-1) are summed by one balanced tree over shard numbers, lower number left:
//
//   S = 8        ((g0+g1)+(g2+g3)) + ((g4+g5)+(g6+g7))
//   P = 2         \______ r0 ____/    \______ r1 ____/
//
// A rank holds an aligned subtree; the tree across ranks (collectives.h) is its continuation. So
// any P that divides S gives the same bits, with no extra byte on the wire.

#include <string>
#include <vector>

#include "soma/core/types.h"
#include "soma/dist/collectives.h"

namespace soma::dist {

// The shards of one rank.
struct ShardPlan {
    Index shards = 1;  // S
    Index batch = 1;   // B
    int ranks = 1;     // P
    int rank = 0;

    Index shard_size() const { return batch / shards; }  // samples
    Index local_shards() const { return shards / ranks; }
    Index first_shard() const { return rank * local_shards(); }
};

// A checked plan. Error(usage) naming the valid shard or rank counts unless S is a power of two
// that divides B, P divides S and 0 <= rank < P.
ShardPlan make_shard_plan(Index shards, Index batch, int ranks, int rank);

// One part of the batch a rank, for any number of ranks: fast mode, whose result depends on it.
// Error(usage) unless the ranks divide the batch.
ShardPlan make_fast_plan(Index batch, int ranks, int rank);

// The largest power of two <= 16 that divides the batch.
Index default_shards(Index batch);

// Folds the vectors of 2^k shards in ascending order with at most k buffers beside the caller's,
// the way a binary counter carries: pushing shard i folds it with every pending subtree that its
// trailing one bits say is complete.
//
//   push 0: keep [0]      1: [0]+1 -> keep [01]      2: keep [01] [2]      3: [01]+([2]+3)
//
// T is float, double or ControlRecord.
template <class T>
class ShardFold {
public:
    // Error(usage) unless `shards` is a power of two and length >= 0.
    ShardFold(Index shards, Index length, Add<T> add);

    // Folds the next shard's vector, which may be overwritten. After the last push, `vector` itself
    // holds the sum of all shards, and the fold is ready to begin again.
    void push(std::span<T> vector);
    // For the last shard alone, in place of push(): makes elements `part` of its vector the sum of
    // all shards. After all parts, restart() begins again.
    void finish(std::span<T> vector, Range part);
    // Forgets what was pushed since the last sum.
    void restart() { pushed_ = 0; }
    Index buffers() const;  // kept beside the caller's, now or earlier

private:
    Index shards_, length_;
    Add<T> add_;
    Index pushed_ = 0;
    std::vector<std::vector<T>> levels_;  // levels_[k]: sum of the last 2^k complete shards
};

}  // namespace soma::dist
