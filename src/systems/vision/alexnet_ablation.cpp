#include "systems/vision/alexnet_ablation.h"

#include <algorithm>

#include "soma/core/error.h"
#include "soma/dist/comm.h"
#include "soma/train/report.h"

namespace soma::systems {
namespace {

constexpr double kLearned = 25;  // % training error

struct Variant {
    const char* id;
    const char* text;
    void (*change)(AlexNetOptions&);
};
const Variant kVariants[] = {
    {"ablation-none", "whole", [](AlexNetOptions&) {}},
    {"ablation-relu", "tanh", [](AlexNetOptions& o) { o.activation = Activation::tanh; }},
    {"ablation-lrn", "no LRN", [](AlexNetOptions& o) { o.normalises = false; }},
    {"ablation-overlap", "pool 2x2", [](AlexNetOptions& o) { o.overlapping = false; }},
    {"ablation-dropout", "no dropout", [](AlexNetOptions& o) { o.dropout = 0; }},
    {"ablation-groups", "one group", [](AlexNetOptions& o) { o.groups = 1; }},
};
constexpr std::size_t kWhole = 0, kTanh = 1;

// Epochs until the training error is at most 25 %, between two epochs linearly; the error before
// the first is that of guessing. All epochs and one more when it never is.
double epochs_to_learn(const train::TrainResult& result, int classes) {
    double before = 100 * (1 - 1.0 / classes), epoch = 0;
    for (const train::EpochRecord& r : result.history) {
        if (r.train_error <= kLearned) {
            return epoch + (before - kLearned) / (before - r.train_error);
        }
        before = r.train_error;
        epoch = static_cast<double>(r.epoch);
    }
    return epoch + 1;
}

void draw(train::RunFolder& folder, const std::vector<train::TrainResult>& results, Index epochs,
          const ImageData& data) {
    const std::string how =
        concat(data.train->size(), " images of ", data.set, ", ", epochs, " epochs, one seed.");
    train::BarChart chart{
        .text = {"ablation", "Test error without one part",
                 how +
                     " In the paper normalisation took 1.4 points off the error of 1,000 classes, "
                     "overlapping pooling 0.4."},
        .y_label = "test error (%)",
        .labels = {},
        .series = {{"net", {}}}};
    for (std::size_t i = 0; i < results.size(); ++i) {
        chart.labels.emplace_back(kVariants[i].text);
        chart.series[0].values.push_back(results[i].test_error);
    }
    folder.add(chart);
    train::LinePlot plot{.text = {"relu-tanh", "Training error of ReLU and tanh",
                                  how + " The paper's figure 1 has 6 and 36 epochs to 25 %."},
                         .x_label = "epoch",
                         .y_label = "training error (%)",
                         .series = {{"ReLU", {}, {}}, {"tanh", {}, {}}},
                         .references = {{"25 %", kLearned}}};
    for (const std::size_t i : {kWhole, kTanh}) {
        for (const train::EpochRecord& r : results[i].history) {
            plot.series[i].x.push_back(static_cast<double>(r.epoch));
            plot.series[i].y.push_back(r.train_error);
        }
    }
    folder.add(plot);
}

}  // namespace

void ablation_claims(ClaimRun& run, const Ablation& ablation, const ImageData& data) {
    const char* source = "Krizhevsky et al. 2012, sections 3 and 4";
    std::vector<Claim> list;
    for (const Variant& v : kVariants) {
        list.push_back(stated(v.id, concat("test error, ", v.text), "ablation", source, {}));
        list.back().paper_unit = "% test error";
    }
    list.push_back(stated("relu-epochs", "epochs to 25 % training error, tanh / ReLU", "ablation",
                          "Krizhevsky et al. 2012, figure 1", {}));
    run.claims(list, [&](std::vector<Claim>& wanted) {
        const ImageData few{data.set, data.sha256, first_of(data.train, ablation.images),
                            data.test};
        const std::unique_ptr<dist::Comm> alone = dist::make_self_comm();
        std::vector<train::TrainResult> results;
        for (const Variant& v : kVariants) {
            run.context().progress("alexnet2012 ablation", static_cast<double>(results.size()),
                                   static_cast<double>(std::size(kVariants)));
            AlexNetOptions options = ablation.net;
            v.change(options);
            AlexNet net(options);
            const std::uint64_t seed = run.seeds().front();
            net.parameters().freeze(seed);
            results.push_back(train_images(ablation.recipe, net, few,
                                           {.seed = seed,
                                            .epochs = ablation.epochs,
                                            .stop_requested = [&] { return run.stopped(); }},
                                           *alone));
            if (run.stopped()) return;
        }
        const int classes = data.train->classes();
        for (Claim& c : wanted) {
            c.set = data.set;
            c.split = "test";
            c.samples = data.test->size();
            c.seeds = {run.seeds().front()};
            c.values = {epochs_to_learn(results[kTanh], classes) /
                        epochs_to_learn(results[kWhole], classes)};
            for (std::size_t i = 0; i < results.size(); ++i) {
                if (c.id == kVariants[i].id) c.values = {results[i].test_error};
            }
        }
        if (run.context().folder != nullptr) {
            draw(*run.context().folder, results, ablation.epochs, few);
        }
    });
}

}  // namespace soma::systems
