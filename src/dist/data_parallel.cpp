#include "soma/dist/data_parallel.h"

#include <algorithm>
#include <optional>

#include "soma/core/clock.h"
#include "soma/core/error.h"
#include "soma/core/poll.h"

namespace soma::dist {

DataParallel::DataParallel(Comm& comm, const ShardPlan& plan, std::span<float> gradient,
                           std::span<const Index> starts, const ExchangeOptions& options,
                           Add<float> add)
    : plan_(plan),
      gradient_(gradient),
      gradients_(plan.local_shards(), static_cast<Index>(gradient.size()), add),
      records_(plan.local_shards(), 1, add_records),
      starts_(starts.begin(), starts.end()),
      announced_(starts_.size()),
      tracker_(cut_buckets(static_cast<Index>(gradient.size()), starts, options.buckets)) {
    SOMA_CHECK(plan.ranks == comm.size() && plan.rank == comm.rank(),
               "data parallel: the plan is for rank ", plan.rank, " of ", plan.ranks,
               ", the communicator says ", comm.rank(), " of ", comm.size());
    if (comm.size() > 1) build_exchange(comm, options, add);
}

// The sums have a communicator, hence tags, of their own: tag 0 is the record's, then the buckets'.
void DataParallel::build_exchange(Comm& comm, const ExchangeOptions& options, Add<float> add) {
    comm_ = comm.split(0, comm.rank());
    const auto schedule = [&](Algorithm algorithm, Index n, Index size) {
        return make_schedule(algorithm, comm.size(), comm.rank(), n, size);
    };
    record_sum_ = std::make_unique<Allreduce<ControlRecord>>(
        *comm_, std::span(&record_, 1), add_records,
        schedule(Algorithm::tree, 1, sizeof(ControlRecord)), CollectiveId{.prepared = true});
    std::vector<Allreduce<float>::Scratch> scratch;
    for (Index i = 0; i < ProgressEngine::kInFlight; ++i) {
        scratch.push_back(Allreduce<float>::make_scratch());
    }
    for (const Range& bucket : tracker_.buckets()) {
        const auto data = gradient_.subspan(static_cast<std::size_t>(bucket.begin),
                                            static_cast<std::size_t>(bucket.size()));
        const int number = static_cast<int>(sums_.size()) + 1;
        if (options.algorithm == Algorithm::library) {
            sums_.push_back(std::make_unique<LibrarySum>(*comm_, data));
            continue;
        }
        sums_.push_back(std::make_unique<Allreduce<float>>(
            *comm_, data, add, schedule(options.algorithm, bucket.size(), sizeof(float)),
            CollectiveId{.tag = number % (kMaxTag + 1), .bucket = number, .prepared = true},
            scratch[static_cast<std::size_t>(number % ProgressEngine::kInFlight)]));
    }
    engine_ = std::make_unique<ProgressEngine>(
        *comm_, 1 + static_cast<Index>(sums_.size()),
        ProgressEngine::Options{options.progress, options.spare_core});
}

ControlRecord DataParallel::step(const Compute& compute) {
    gradients_.restart();  // a step that threw may have left a part
    records_.restart();
    tracker_.restart();
    std::fill(announced_.begin(), announced_.end(), 0);
    folded_ = 0;
    record_launched_ = false;
    ++update_;
    if (engine_) engine_->begin(update_);
    try {
        run_shards(compute);
        const double begin = now_seconds();
        if (engine_) engine_->finish();
        exposed_ = now_seconds() - begin;
    } catch (...) {
        if (engine_ && engine_->in_flight()) abort_with_current_exception(*comm_);
        throw;
    }
    return record_;
}

void DataParallel::run_shards(const Compute& compute) {
    static const Ready ignore = [](Index) {};
    const Index last = plan_.first_shard() + plan_.local_shards() - 1;
    for (Index shard = plan_.first_shard(); shard < last; ++shard) {
        std::fill(gradient_.begin(), gradient_.end(), 0.0f);
        record_ = {};
        compute(shard, record_, ignore);
        gradients_.push(gradient_);
        records_.push({&record_, 1});
    }
    std::fill(gradient_.begin(), gradient_.end(), 0.0f);
    record_ = {};
    compute_last(last, compute);
}

void DataParallel::compute_last(Index shard, const Compute& compute) {
    const Ready announce = [this](Index start) { ready(start); };
    std::optional<PollScope> scope;
    if (engine_ && engine_->polls()) scope.emplace([this] { engine_->poll(); });
    compute(shard, record_, announce);
    scope.reset();
    if (!record_launched_) launch_record();
    finish_buckets(static_cast<Index>(buckets().size()));
}

void DataParallel::ready(Index start) {
    if (!record_launched_) launch_record();
    const auto at = std::lower_bound(starts_.begin(), starts_.end(), start);
    if (at == starts_.end() || *at != start)
        fail(ErrorCode::internal, "data parallel: no parameter starts at element ", start);
    announced_[static_cast<std::size_t>(at - starts_.begin())] = 1;
    const Index end = at + 1 == starts_.end() ? static_cast<Index>(gradient_.size()) : *(at + 1);
    finish_buckets(tracker_.mark({start, end}));
    if (engine_) engine_->poll();
}

std::vector<Index> DataParallel::unannounced() const {
    std::vector<Index> missing;
    for (std::size_t i = 0; i < starts_.size(); ++i) {
        if (announced_[i] == 0) missing.push_back(starts_[i]);
    }
    return missing;
}

void DataParallel::launch_record() {
    record_launched_ = true;
    records_.push({&record_, 1});
    if (engine_) engine_->launch(*record_sum_);
}

// Folds the buckets before number `count` over this rank's shards and sends them off.
void DataParallel::finish_buckets(Index count) {
    for (; folded_ < count; ++folded_) {
        gradients_.finish(gradient_, buckets()[static_cast<std::size_t>(folded_)]);
        if (engine_) engine_->launch(*sums_[static_cast<std::size_t>(folded_)]);
    }
}

std::span<const ProgressEngine::Times> DataParallel::times() const {
    return engine_ ? engine_->times() : std::span<const ProgressEngine::Times>{};
}

}  // namespace soma::dist
