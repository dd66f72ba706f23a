// FC: a first modern convolutional net, on Fashion-MNIST (Xiao, Rasul & Vollgraf 2017).
//
//   28x28x1 -> conv 3x3, 32 -> max pool 2 -> conv 3x3, 64 -> max pool 2 -> 128 -> dropout -> 10
//   ReLU, He initialisation, softmax cross-entropy; 421,642 parameters
//   AdamW, batch 64 in four shards, cosine from 1e-3 to 0 over 8 epochs, shifts of +-1 pixel
//
// The data paper reports 89.7 % for its best classical method (support vectors); its authors'
// benchmark page lists about 91.6 % for two convolution layers with pooling. There is no paper for
// this net: the gate is soma's own.
//
// Deviations: none; this is no paper's net.

#include "soma/autograd/ops/loss.h"
#include "soma/autograd/ops/pool.h"
#include "soma/autograd/ops/shape.h"
#include "soma/data/sets.h"
#include "soma/dist/comm.h"
#include "soma/nn/conv.h"
#include "soma/nn/dropout.h"
#include "soma/nn/linear.h"
#include "soma/optim/adam.h"
#include "soma/optim/schedule.h"
#include "soma/train/trainer.h"
#include "systems/claim_run.h"
#include "systems/systems.h"
#include "systems/vision/image_claims.h"
#include "systems/vision/image_figures.h"

namespace soma::systems {
namespace {

constexpr const char* kRecipe = "cnn";

struct Options {
    Index batch = 64, shards = 4, epochs = 8;
    double lr = 1e-3, decay = 1e-4, dropout = 0.3;
    int shift = 1;
};

class FashionNet final : public train::Model {
public:
    FashionNet(const Options& o, std::uint64_t seed)
        : conv1_(store_, "conv1", 1, 32, kConv),
          conv2_(store_, "conv2", 32, 64, kConv),
          hidden_(store_, "hidden", 7 * 7 * 64, 128,
                  {.activation = Activation::relu, .weight = nn::Init::he_uniform(7 * 7 * 64)}),
          drop_("drop", o.dropout),
          output_(store_, "output", 128, 10) {
        store_.freeze(seed);
    }

    nn::ParameterStore& parameters() override { return store_; }

    Output forward(Tape& tape, const data::Batch& batch, const nn::Context& context) override {
        const Var h1 = max_pool2d(conv1_(tape.constant(batch.x)));
        const Var h2 = max_pool2d(conv2_(h1));
        const Var h3 = drop_(hidden_(reshape(h2, {batch.size(), 7 * 7 * 64})), context);
        const Var scores = output_(h3);
        return {softmax_cross_entropy(scores, batch.labels, {.weights = batch.weight}), scores};
    }

    Tensor first_layer() const { return store_.value(conv1_.weight()); }  // [3, 3, 1, 32]

private:
    static const nn::Conv2dLayerOptions kConv;
    nn::ParameterStore store_;
    nn::Conv2d conv1_, conv2_;
    nn::Linear hidden_;
    nn::Dropout drop_;
    nn::Linear output_;
};
const nn::Conv2dLayerOptions FashionNet::kConv{
    .kernel = 3, .conv = {.padding = 1, .activation = Activation::relu}};

struct FashionData {
    std::shared_ptr<const data::ImageDataset> train, test;
};

FashionData load(const std::string& forced, const std::vector<std::string>& roots) {
    const std::string name = forced.empty() ? "fashion-mnist" : forced;
    const std::optional<data::SetLocation> where = data::find_set(name, roots);
    if (!where) {
        fail(ErrorCode::data, "fashion_cnn: the set ", name, " is in none of the data folders; ",
             data::set_info(name).how);
    }
    data::ImageSplit split = data::load_image_split(*where);
    SOMA_CHECK(split.train.height == 28 && split.train.width == 28, "fashion_cnn: images of ", name,
               " are ", split.train.height, "x", split.train.width, "; need 28x28");
    constexpr data::FloatRange kRange{0, 1};
    return {std::make_shared<data::ImageDataset>(std::move(split.train), kRange),
            std::make_shared<data::ImageDataset>(std::move(split.test), kRange)};
}

}  // namespace

train::TrainResult train_fashion_cnn(const train::TrainOptions& options, dist::Comm& comm) {
    const Options o;
    SOMA_CHECK(options.recipe.empty() || options.recipe == kRecipe,
               "fashion_cnn: it has one recipe, '", kRecipe, "', not '", options.recipe, "'");
    const FashionData data = load(options.set, options.data_roots);
    const Index batch = options.batch > 0 ? options.batch : o.batch;
    const Index epochs = options.epochs > 0 ? options.epochs : o.epochs;
    const data::Loader loader(data.train, {.batch = batch,
                                           .shards = options.shards > 0 ? options.shards : o.shards,
                                           .seed = options.seed,
                                           .augment = data::rolled_shift(o.shift)});
    const data::Loader test(data.test, {.batch = 250, .shuffle = false});
    FashionNet net(o, options.seed);
    optim::AdamW optimizer(net.parameters(), {.weight_decay = o.decay});
    const auto schedule =
        optim::Schedule::cosine(options.lr > 0 ? options.lr : o.lr, 0, epochs * loader.batches());
    const data::ImageSet& set = data.train->set();
    train::TrainResult result =
        train::run_training({.system = "fashion_cnn",
                             .recipe = kRecipe,
                             .model = &net,
                             .optimizer = &optimizer,
                             .train = &loader,
                             .test = &test,
                             .epochs = epochs,
                             .learning_rate = [schedule](Index step) { return schedule.at(step); },
                             .data = set.name + " " + set.sha256()},
                            options, comm);
    result.headline = "gate: 91 % test accuracy after 8 epochs on fashion-mnist";
    if (options.folder != nullptr && !options.dry_run) {
        draw_net(*options.folder, set.name, result, net.first_layer(), *data.test,
                 train::evaluate(net, test));
    }
    return result;
}

Reproduction reproduce_fashion_cnn(const ReproduceContext& context) {
    ClaimRun run(context, "fashion_cnn", 1);
    run.headline("two convolutions, 421,642 parameters, on Fashion-MNIST (Xiao et al. 2017)");
    Claim count;
    count.id = "parameters";
    count.text = "parameters";
    count.kind = "count";
    count.source = "arithmetic";
    count.paper_tag = "A";
    count.tolerance = Gate::equal(421642);
    run.claim(count, [](Claim& c) {
        c.values = {static_cast<double>(FashionNet(Options{}, 1).parameters().parameter_count())};
    });
    const Options o;
    const std::string set = context.set.empty() ? "fashion-mnist" : context.set;
    accuracy_claims(run,
                    {.system = "fashion_cnn",
                     .recipe = kRecipe,
                     .epochs = o.epochs,
                     .updates = o.epochs * ceil_div(data::set_info(set).train, o.batch),
                     .shards = o.shards,
                     .set = data::find_set(set, context.data_roots) ? set : "",
                     .gate = Gate::at_least(91),
                     .source = "soma's own gate; Xiao et al. 2017 give 89.7 % for an SVM"},
                    train_fashion_cnn);
    return run.finish();
}

}  // namespace soma::systems
