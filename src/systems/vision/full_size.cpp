#include "systems/vision/full_size.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "soma/core/timer.h"
#include "soma/data/loader.h"
#include "soma/kernels/dispatch.h"
#include "soma/kernels/peak.h"

namespace soma::systems {
namespace {

constexpr int kTimedUpdates = 3;  // the best counts: what disturbs a run makes it slower

// A net and the first images of the training set, which it is trained on.
class OneBatch {
public:
    OneBatch(const FullSize& full, const ImageData& data, Index images, std::uint64_t seed)
        : net_(full.make()), lr_(full.lr) {
        net_->parameters().freeze(seed);
        optimizer_ = std::make_unique<optim::Sgd>(net_->parameters(), full.rule);
        const data::Loader loader(
            enlarged(data.train, full.side, full.channels, full.scale),
            {.batch = std::min(images, data.train->size()), .shuffle = false});
        batch_ = loader.load(0, 0);
    }

    double images() const { return static_cast<double>(batch_.size()); }
    double flop() const { return tape_.flop(); }

    // The mean loss, and the update that follows from it.
    double update() {
        tape_.reset();
        net_->parameters().zero_gradients();
        const Var loss =
            net_->forward(tape_, batch_, {.seed = 1, .step = step_++, .ids = batch_.ids}).loss;
        tape_.backward(loss);
        optimizer_->step(lr_, 1 / images());
        return loss.item() / images();
    }

private:
    std::unique_ptr<VisionNet> net_;
    std::unique_ptr<optim::Sgd> optimizer_;
    data::Batch batch_;
    Tape tape_;
    double lr_;
    Index step_ = 0;
};

void describe(std::vector<Claim>& claims, const ClaimRun& run, const ImageData& data,
              const OneBatch& one) {
    for (Claim& c : claims) {
        c.set = data.set + ", enlarged";
        c.split = "train";
        c.samples = static_cast<Index>(one.images());
        c.seeds = {run.seeds().front()};
        c.flop = one.flop();
    }
}

void learning_claims(ClaimRun& run, const FullSize& full, const ImageData& data) {
    std::vector<Claim> list = {
        stated("full-first-loss", "full size: first loss, distance from guessing", "identity",
               full.source, Gate::at_most(full.most_from_chance)),
        stated(
            "full-overfit",
            concat("full size: loss of ", full.batch, " images after ", full.updates, " updates"),
            "identity", full.source, Gate::at_most(0.1))};
    run.claims(list, [&](std::vector<Claim>& wanted) {
        OneBatch one(full, data, full.batch, run.seeds().front());
        const double first = one.update();
        for (Index done = 1; done < full.updates && !run.stopped(); ++done) {
            one.update();
            run.context().progress("full size", static_cast<double>(done),
                                   static_cast<double>(full.updates));
        }
        const double last = one.update();
        describe(wanted, run, data, one);
        const double chance = std::log(static_cast<double>(full.classes));
        for (Claim& c : wanted) {
            c.paper_unit = "nats";
            c.values = {c.id == "full-overfit" ? last : std::abs(first - chance)};
        }
    });
}

void speed_claims(ClaimRun& run, const FullSize& full, const ImageData& data) {
    const std::string of = concat("full size, updates of ", full.speed_batch, " images: ");
    std::vector<Claim> list = {
        stated("full-speed", of + "images/s", "speed", "this machine", {}),
        stated("full-peak", of + "% of the FMA peak", "speed", "this machine", {})};
    list[0].paper_unit = "images/s";
    list[1].paper_unit = "% of peak";
    run.claims(list, [&](std::vector<Claim>& wanted) {
        OneBatch one(full, data, full.speed_batch, run.seeds().front());
        one.update();  // takes its memory
        double seconds = std::numeric_limits<double>::infinity(), flop = 0;
        for (int i = 0; i < kTimedUpdates && !run.stopped(); ++i) {
            const double before = one.flop();
            const Timer timer;
            one.update();
            seconds = std::min(seconds, timer.seconds());
            flop = one.flop() - before;
        }
        const double peak = kernels::measure_fma_gflops<float>(kernels::active(), num_threads());
        describe(wanted, run, data, one);
        for (Claim& c : wanted) {
            c.values = {c.id == "full-speed" ? one.images() / seconds
                                             : 100 * flop / seconds / (1e9 * peak)};
        }
    });
}

}  // namespace

void full_size_claims(ClaimRun& run, const FullSize& full, const ImageData& data) {
    learning_claims(run, full, data);
    speed_claims(run, full, data);
}

}  // namespace soma::systems
