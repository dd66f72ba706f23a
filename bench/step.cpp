#include "bench/step.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "soma/core/clock.h"
#include "soma/core/error.h"

namespace soma::bench {
namespace {

constexpr double kBackward = 2.0 / 3;  // of a step's operations: two products of three

// A program's step over ranks, and its time.
class Stepper {
public:
    Stepper(dist::Comm& comm, const StepModel& model, StepProgram& program,
            const StepOptions& options)
        : comm_(comm), model_(model), program_(program), options_(options) {}

    // Over the ranks of `comm`, which may be this one alone.
    std::unique_ptr<dist::DataParallel> exchange(dist::Comm& comm, dist::ProgressMode mode) {
        const Index shards = options_.shards_per_rank * comm.size();
        const Index batch = options_.shard_samples(model_) * shards;
        const bool strict = options_.algorithm == dist::Algorithm::tree;
        const dist::ShardPlan plan =
            strict ? dist::make_shard_plan(shards, batch, comm.size(), comm.rank())
                   : dist::make_fast_plan(batch, comm.size(), comm.rank());
        return std::make_unique<dist::DataParallel>(
            comm, plan, program_.gradient(), program_.starts(),
            dist::ExchangeOptions{.algorithm = options_.algorithm,
                                  .progress = mode,
                                  .spare_core = options_.spare_core,
                                  .buckets = options_.buckets},
            options_.add);
    }

    void step(dist::DataParallel& parallel, bool works) {
        if (works) program_.begin_step();
        parallel.step([&](Index, dist::ControlRecord& record, const auto& ready) {
            record.weight = 1;
            if (works) program_.compute(ready);
        });
        if (works) program_.update();
    }

    // Seconds of f() on the slowest rank, from a common start.
    template <class F>
    double timed(F&& f) {
        comm_.barrier();
        const double begin = now_seconds();
        f();
        return slowest(now_seconds() - begin);
    }

    double slowest(double mine) {
        std::vector<double> all(static_cast<std::size_t>(comm_.size()));
        comm_.allgather(&mine, sizeof mine, all.data());
        return *std::max_element(all.begin(), all.end());
    }

private:
    dist::Comm& comm_;
    const StepModel& model_;
    StepProgram& program_;
    const StepOptions& options_;
};

}  // namespace

LayerProgram::LayerProgram(const StepModel& model, Index shard_samples, StepWork work,
                           const std::function<float*(Index)>& memory)
    : model_(model), samples_(static_cast<double>(shard_samples)), work_(std::move(work)) {
    Index size = 0;
    for (auto layer = model.layers.rbegin(); layer != model.layers.rend(); ++layer) {
        starts_.push_back(size);
        size += round_up(layer->parameters, Index{16});
    }
    if (!memory) own_.resize(static_cast<std::size_t>(size));
    gradient_ = {memory ? memory(size) : own_.data(), static_cast<std::size_t>(size)};
}

void LayerProgram::compute(const dist::DataParallel::Ready& ready) {
    for (const StepLayer& layer : model_.layers) work_(layer.flop * samples_);
    for (std::size_t i = 0; i < starts_.size(); ++i) {
        work_(2 * model_.layers[starts_.size() - 1 - i].flop * samples_);
        ready(starts_[i]);
    }
}

Spread StepTimes::overlap(const StepMode& mode) const {
    std::vector<double> shares;
    for (std::size_t r = 0; r < compute.size(); ++r) {
        const double hidden = compute[r] + wire[r] - mode.seconds[r];
        shares.push_back(hidden / std::min(window * compute[r], wire[r]));
    }
    return spread_of(std::move(shares));
}

StepTimes measure_step(dist::Comm& comm, const StepModel& model, StepProgram& program,
                       const StepOptions& options) {
    SOMA_CHECK(options.rounds >= 1 && options.shards_per_rank >= 1, "bench step: ", options.rounds,
               " rounds, ", options.shards_per_rank, " shards a rank; need at least 1");
    Stepper stepper(comm, model, program, options);
    const auto self = dist::make_self_comm();
    const auto alone = stepper.exchange(*self, dist::ProgressMode::none);
    const auto wire = stepper.exchange(comm, dist::ProgressMode::none);
    StepTimes times{.buckets = static_cast<Index>(wire->buckets().size()),
                    .window = kBackward / static_cast<double>(wire->plan().local_shards())};
    std::vector<std::unique_ptr<dist::DataParallel>> exchanges;
    for (const dist::ProgressMode mode : options.modes) {
        exchanges.push_back(stepper.exchange(comm, mode));
        times.modes.push_back({.mode = mode});
    }
    for (int round = options.warms_up ? -1 : 0; round < options.rounds; ++round) {
        const bool counts = round >= 0;
        const double compute = stepper.timed([&] { stepper.step(*alone, true); });
        const double talk = stepper.timed([&] { stepper.step(*wire, false); });
        if (counts) times.compute.push_back(compute);
        if (counts) times.wire.push_back(talk);
        for (std::size_t i = 0; i < exchanges.size(); ++i) {
            // Who comes first changes from round to round.
            const std::size_t m = (i + static_cast<std::size_t>(round + 1)) % exchanges.size();
            const double seconds = stepper.timed([&] { stepper.step(*exchanges[m], true); });
            const double exposed = stepper.slowest(exchanges[m]->exposed_seconds());
            if (!counts) continue;
            times.modes[m].seconds.push_back(seconds);
            times.modes[m].exposed.push_back(exposed);
        }
    }
    return times;
}

}  // namespace soma::bench
