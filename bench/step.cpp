#include "bench/step.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <span>

#include "soma/core/clock.h"
#include "soma/core/error.h"
#include "soma/core/poll.h"
#include "soma/core/rng.h"

namespace soma::bench {
namespace {

constexpr double kBackward = 2.0 / 3;  // of a step's operations: two products of three
constexpr double kSlice = 200e-6;      // seconds that pass between two polls

// Lets time pass in the place of work.
class Passing {
public:
    Passing(const StepOptions& options, int rank)
        : options_(options),
          random_(make_key(static_cast<std::uint64_t>(rank) + 1, Purpose::data_generation)) {}

    // Another step: its own luck, from a normal distribution (Box-Muller).
    void begin_step() {
        const double u = 1 - static_cast<double>(random_.uniform());
        const double angle = 2 * std::numbers::pi * static_cast<double>(random_.uniform());
        const double luck = std::sqrt(-2 * std::log(u)) * std::cos(angle);
        pace_ = std::max(0.0, 1 + options_.jitter * luck) / (1e9 * options_.gflops);
    }

    void work(double flop) const {
        const double end = now_seconds() + pace_ * flop;
        for (double now = now_seconds(); now < end; now = now_seconds()) {
            sleep_seconds(std::min(kSlice, end - now));
            poll();
        }
    }

private:
    const StepOptions& options_;
    RandomSequence random_;
    double pace_ = 0;  // seconds an operation
};

// A model's step on one rank.
class Stepper {
public:
    Stepper(dist::Comm& comm, const StepModel& model, const StepOptions& options)
        : comm_(comm), model_(model), options_(options), passing_(options, comm.rank()) {
        Index size = 0;
        for (auto layer = model.layers.rbegin(); layer != model.layers.rend(); ++layer) {
            starts_.push_back(size);
            size += round_up(layer->parameters, Index{16});
        }
        if (!options.memory) own_.resize(static_cast<std::size_t>(size));
        gradient_ = {options.memory ? options.memory(size) : own_.data(),
                     static_cast<std::size_t>(size)};
    }

    // Over the ranks of `comm`, which may be this one alone.
    std::unique_ptr<dist::DataParallel> exchange(dist::Comm& comm, dist::ProgressMode mode) {
        const Index samples = samples_of_rank() * comm.size();
        const bool strict = options_.algorithm == dist::Algorithm::tree;
        const dist::ShardPlan plan =
            strict ? dist::make_shard_plan(options_.shards_per_rank * comm.size(), samples,
                                           comm.size(), comm.rank())
                   : dist::make_fast_plan(samples, comm.size(), comm.rank());
        return std::make_unique<dist::DataParallel>(
            comm, plan, gradient_, starts_,
            dist::ExchangeOptions{.algorithm = options_.algorithm,
                                  .progress = mode,
                                  .spare_core = options_.spare_core,
                                  .buckets = options_.buckets});
    }

    void step(dist::DataParallel& parallel, bool works) {
        passing_.begin_step();
        const auto samples = static_cast<double>(parallel.plan().shard_size());
        parallel.step([&](Index, dist::ControlRecord& record, const auto& ready) {
            record.weight = samples;
            if (works) {
                for (const StepLayer& layer : model_.layers) work(layer.flop * samples);
            }
            for (std::size_t i = 0; i < starts_.size(); ++i) {
                const StepLayer& layer = model_.layers[starts_.size() - 1 - i];
                if (works) work(2 * layer.flop * samples);
                ready(starts_[i]);
            }
        });
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
    void work(double flop) {
        if (options_.work) {
            options_.work(flop);
        } else {
            passing_.work(flop);
        }
    }

    Index samples_of_rank() const {
        return options_.samples > 0 ? options_.samples : model_.samples;
    }

    dist::Comm& comm_;
    const StepModel& model_;
    const StepOptions& options_;
    Passing passing_;
    std::vector<Index> starts_;
    std::vector<float> own_;
    std::span<float> gradient_;
};

}  // namespace

Spread StepTimes::overlap(const StepMode& mode) const {
    std::vector<double> shares;
    for (std::size_t r = 0; r < compute.size(); ++r) {
        const double hidden = compute[r] + wire[r] - mode.seconds[r];
        shares.push_back(hidden / std::min(window * compute[r], wire[r]));
    }
    return spread_of(std::move(shares));
}

StepTimes measure_step(dist::Comm& comm, const StepModel& model, const StepOptions& options) {
    SOMA_CHECK(options.rounds >= 1 && options.shards_per_rank >= 1, "bench step: ", options.rounds,
               " rounds, ", options.shards_per_rank, " shards a rank; need at least 1");
    Stepper stepper(comm, model, options);
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
    const int first = options.work ? -1 : 0;  // round -1 warms up
    for (int round = first; round < options.rounds; ++round) {
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
