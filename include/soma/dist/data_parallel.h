#pragma once
// DataParallel: the gradient of one batch, summed over all shards of all ranks.
//
//   for each shard of this rank:  gradient <- 0;  compute(shard, gradient, record)
//                                 fold gradient and record         (shards.h)
//   all-reduce both over ranks                                     (collectives.h)
//
// Shards compute weighted SUMS; the caller divides by the returned weight once. The result is the
// same bits on every rank and for every P that divides S, provided that compute depends on the
// shard's number alone.

#include <functional>
#include <span>

#include "soma/dist/collectives.h"
#include "soma/dist/comm.h"
#include "soma/dist/shards.h"

namespace soma::dist {

class DataParallel {
public:
    // Adds one shard's gradient to a zeroed buffer and fills its (empty) record. A shard made of
    // padding alone may return at once: it contributes zeros.
    using Compute =
        std::function<void(Index shard, std::span<float> gradient, ControlRecord& record)>;

    // `length` is the size of the flat gradient. comm outlives this object.
    // Error(usage) unless plan.ranks and plan.rank are those of comm and length >= 0.
    DataParallel(Comm& comm, const ShardPlan& plan, Index length,
                 Add<float> add = plain_add<float>);

    // Collective. On return `gradient` holds the sum over all S shards on every rank, and so does
    // the record. Error(timeout) when a peer stays away.
    ControlRecord step(std::span<float> gradient, const Compute& compute);

    const ShardPlan& plan() const { return plan_; }

private:
    ShardPlan plan_;
    Index length_;
    ShardFold<float> gradients_;
    ShardFold<ControlRecord> records_;
    TreeAllreduce<float> reduce_gradients_;
    TreeAllreduce<ControlRecord> reduce_records_;
};

}  // namespace soma::dist
