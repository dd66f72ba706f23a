#pragma once
// DataParallel: the gradient of one batch, summed over all shards of all ranks.
//
//   for each shard of this rank:  gradient <- 0;  compute(shard, record, ready)
//                                 fold gradient and record                     (shards.h)
//   the last of them:             as its slices become final: fold, launch     (buckets.h)
//                                 sums over ranks meanwhile                    (progress.h)
//
// Shards compute weighted SUMS; the caller divides by the returned weight once. The result is the
// same bits on every rank and for every P that divides S, whatever the buckets and whoever advances
// the sums, provided that compute depends on the shard's number alone. Only the last shard of a
// rank overlaps with communication: all of the backward pass at P = S, a quarter of it at P = S/4.

#include <functional>
#include <memory>
#include <span>

#include "soma/dist/buckets.h"
#include "soma/dist/collectives.h"
#include "soma/dist/comm.h"
#include "soma/dist/progress.h"
#include "soma/dist/shards.h"

namespace soma::dist {

struct ExchangeOptions {
    Algorithm algorithm = Algorithm::tree;
    ProgressMode progress = ProgressMode::none;
    bool spare_core = false;  // ProgressEngine::Options
    BucketSizes buckets = {};
};

class DataParallel {
public:
    // The gradient of the parameter that starts at element `start` is final. Each is announced at
    // most once, in any order; the others are final when compute returns. The record is final
    // before the first call.
    using Ready = std::function<void(Index start)>;
    // Adds one shard's gradient to the zeroed buffer and fills its (empty) record. A shard made of
    // padding alone may return at once: it contributes zeros.
    using Compute = std::function<void(Index shard, ControlRecord& record, const Ready& ready)>;

    // `gradient` is the flat buffer; `starts` says where parameters start in it. Both ranges stay
    // where they are, and comm outlives this object. Between the beginning and the end of step() no
    // other thread of this rank uses comm.
    // Error(usage) unless plan.ranks and plan.rank are those of comm. Collective.
    DataParallel(Comm& comm, const ShardPlan& plan, std::span<float> gradient,
                 std::span<const Index> starts, const ExchangeOptions& options = {},
                 Add<float> add = plain_add<float>);

    // Collective. On return the gradient holds the sum over all S shards on every rank, and so does
    // the record. What compute throws passes through, unless sums are in flight: then, as when a
    // peer stays away (timeout), all ranks end (Comm::abort).
    ControlRecord step(const Compute& compute);

    const ShardPlan& plan() const { return plan_; }
    const std::vector<Range>& buckets() const { return tracker_.buckets(); }
    // Starts that the last step's last shard did not announce, ascending.
    std::vector<Index> unannounced() const;
    // Seconds of the last step that passed between the end of compute and the complete sum.
    double exposed_seconds() const { return exposed_; }
    // Of the last step: the record, then the buckets. Empty on one rank.
    std::span<const ProgressEngine::Times> times() const;

private:
    void build_exchange(Comm& comm, const ExchangeOptions& options, Add<float> add);
    void run_shards(const Compute& compute);
    void compute_last(Index shard, const Compute& compute);
    void ready(Index start);
    void finish_buckets(Index count);
    void launch_record();

    ShardPlan plan_;
    std::span<float> gradient_;
    ShardFold<float> gradients_;
    ShardFold<ControlRecord> records_;
    ControlRecord record_;
    std::vector<Index> starts_;
    std::vector<char> announced_;  // by start
    BucketTracker tracker_;
    Index folded_ = 0;  // buckets
    bool record_launched_ = false;
    std::uint32_t update_ = 0;
    double exposed_ = 0;
    // Absent on one rank.
    std::unique_ptr<Comm> comm_;
    std::unique_ptr<Collective> record_sum_;
    std::vector<std::unique_ptr<Collective>> sums_;  // by bucket
    std::unique_ptr<ProgressEngine> engine_;
};

}  // namespace soma::dist
