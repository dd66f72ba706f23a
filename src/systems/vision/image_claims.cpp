#include "systems/vision/image_claims.h"

#include <algorithm>

#include "soma/core/text.h"
#include "soma/data/sets.h"
#include "soma/dist/comm.h"
#include "soma/optim/schedule.h"
#include "soma/train/report.h"
#include "soma/train/trainer.h"
#include "systems/vision/image_figures.h"

namespace soma::systems {
namespace {

constexpr Index kLeastUpdates = 400;
constexpr Index kTestBatch = 50;                   // images of 227x227 take 5 MB each
constexpr const char* kGateSet = "fashion-mnist";  // of the gates of accuracies

Index epochs_of(const ImageRecipe& recipe, Index images) {
    return std::max(recipe.epochs, ceil_div(kLeastUpdates, ceil_div(images, recipe.batch)));
}

data::Loader test_loader(const ImageData& data) {
    return {data.test, {.batch = kTestBatch, .shuffle = false}};
}

// "parameters-c1" of layer C1.
std::string claim_id(std::string layer) {
    for (char& c : layer) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return "parameters-" + layer;
}

void count(ClaimRun& run, const std::string& id, const std::string& text, const std::string& source,
           Index expected, Index own, double printed = 0) {
    Claim c = stated(id, text, "count", source, Gate::equal(static_cast<double>(expected)));
    c.paper_tag = "A";
    if (printed > 0) {
        c.paper_value = printed;
        c.paper_tag = "P";
    }
    run.claim(c, [&](Claim& claim) { claim.values = {static_cast<double>(own)}; });
}

}  // namespace

const ImageRecipe& image_recipe(std::span<const ImageRecipe> recipes, const std::string& name) {
    if (name.empty()) return recipes.front();
    return named(recipes, concat(recipes.front().system, ": unknown recipe"), name);
}

train::TrainResult train_images(const ImageRecipe& recipe, VisionNet& net, const ImageData& data,
                                const train::TrainOptions& options, dist::Comm& comm) {
    const Index epochs =
        options.epochs > 0 ? options.epochs : epochs_of(recipe, data.train->size());
    const data::Loader loader(
        data.train,
        {.batch = options.batch > 0 ? options.batch : recipe.batch,
         .shards = options.shards > 0 ? options.shards : recipe.shards,
         .seed = options.seed,
         .augment = recipe.shift > 0 ? data::rolled_shift(recipe.shift) : data::Augment{}});
    const data::Loader test = test_loader(data);
    optim::Sgd optimizer(net.parameters(),
                         {.momentum = 0.9, .form = recipe.form, .weight_decay = recipe.decay});
    const Index updates = epochs * loader.batches();
    const auto schedule =
        optim::Schedule::cosine(options.lr > 0 ? options.lr : recipe.lr, 0, updates)
            .with_warm_up(std::min(recipe.warm_up, updates / 2));
    train::TrainResult result =
        train::run_training({.system = recipe.system,
                             .recipe = recipe.name,
                             .model = &net,
                             .optimizer = &optimizer,
                             .train = &loader,
                             .test = &test,
                             .epochs = epochs,
                             .learning_rate = [schedule](Index step) { return schedule.at(step); },
                             .data = data.set + " " + data.sha256},
                            options, comm);
    if (options.folder != nullptr && !options.dry_run) {
        draw_images(*options.folder, net, data, result);
    }
    return result;
}

void draw_images(train::RunFolder& folder, VisionNet& net, const ImageData& data,
                 const train::TrainResult& result) {
    draw_net(folder, data.set, result, net.first_layer(), *data.test,
             train::evaluate(net, test_loader(data)));
}

void count_claims(ClaimRun& run, const VisionNet& net, const CountedNet& expected) {
    const std::vector<LayerCount> layers = net.layers();
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const std::string& name = layers[i].name;
        count(run, claim_id(name), "parameters of " + name, expected.source,
              expected.parameters.at(i), layers[i].parameters);
    }
    const LayerCount sum = net.sum();
    count(run, "parameters", "parameters", expected.source, expected.sum.parameters, sum.parameters,
          expected.printed_parameters);
    count(run, "connections", "multiplications of a forward pass", expected.source,
          expected.sum.connections, sum.connections, expected.printed_connections);
    count(run, "units", "units without the input", expected.source, expected.sum.units, sum.units,
          expected.printed_units);
}

TrainedNets trained_nets(const ImageRecipe& recipe, const ImageData& data, Gate gate) {
    const Index images = data.train->size(), epochs = epochs_of(recipe, images);
    return {.system = recipe.system,
            .recipe = recipe.name,
            .epochs = epochs,
            .updates = epochs * ceil_div(images, recipe.batch),
            .shards = recipe.shards,
            .set = data.set,
            .sha256 = data.sha256,
            .gate = gate};
}

void accuracy_claims(ClaimRun& run, const TrainedNets& nets, const Train& train) {
    const ReproduceContext& context = run.context();
    const bool gated = nets.set.empty() || nets.set == kGateSet;
    Claim accuracy = stated("test-accuracy", concat("test accuracy after ", nets.epochs, " epochs"),
                            "accuracy", nets.source, gated ? nets.gate : Gate{});
    Claim speed = stated("speed", "training speed", "speed", "this machine", {});
    accuracy.paper_unit = "%";
    speed.paper_unit = "samples/s";
    run.claims({accuracy, speed}, [&](std::vector<Claim>& list) {
        if (nets.set.empty()) {
            for (Claim& c : list)
                c.skip(concat(kGateSet, " is absent; ", data::set_info(kGateSet).how));
            return;
        }
        const std::unique_ptr<dist::Comm> alone = dist::make_self_comm();
        const auto passes = static_cast<double>(nets.updates * nets.shards);
        for (const std::uint64_t seed : run.seeds()) {
            train::TrainOptions options{.seed = seed,
                                        .recipe = nets.recipe,
                                        .set = context.set,
                                        .data_roots = context.data_roots,
                                        .roots_given = context.roots_given};
            options.folder = seed == run.seeds().front() ? context.folder : nullptr;
            Index done = 0;
            options.stop_requested = [&] {
                if (++done % 64 == 0)
                    context.progress(nets.system, static_cast<double>(done), passes);
                return context.stopped();
            };
            const train::TrainResult result = train(options, *alone);
            if (context.stopped()) return;
            for (Claim& c : list) {
                c.set = nets.set;
                c.sha256 = nets.sha256;
                c.split = "test";
                c.samples = result.test_samples;
                c.seeds = run.seeds();
                c.shards = static_cast<int>(nets.shards);
                c.flop += result.flop;
                c.values.push_back(c.id == accuracy.id
                                       ? 100 - result.test_error
                                       : static_cast<double>(result.samples) / result.seconds);
            }
        }
    });
}

}  // namespace soma::systems
