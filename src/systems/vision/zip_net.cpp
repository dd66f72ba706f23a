#include "systems/vision/zip_net.h"

#include "soma/autograd/ops/conv.h"
#include "soma/autograd/ops/loss.h"
#include "soma/autograd/ops/shape.h"
#include "soma/core/text.h"
#include "soma/data/permutation.h"
#include "soma/optim/adam.h"
#include "soma/optim/curvature.h"
#include "soma/optim/diagonal_gauss_newton.h"
#include "soma/optim/schedule.h"
#include "soma/optim/sgd.h"

namespace soma::systems {
namespace {

using Rule = ZipRecipe::Rule;

constexpr Index kSide = 16, kPlanes = 12, kHidden = 30, kClasses = 10, kKernel = 5;
constexpr Index kSeen = 8;  // planes of H1 that a plane of H2 sees

const ZipRecipe kRecipes[] = {
    {.name = "paper",
     .rule = Rule::diagonal_gauss_newton,
     .passes = 23,
     .eps = 1e-3,
     .mu = 0.1,
     .curvature_images = 500},
    {.name = "sgd",
     .rule = Rule::sgd,
     .passes = 23,
     .fan_in_sqrt = true,
     .lr = 0.03,
     .last_lr = 0.03},
    {.name = "modern",
     .rule = Rule::adamw,
     .passes = 80,
     .modern_units = true,
     .fan_in_sqrt = true,
     .shift = 1,
     .dropout = 0.25,
     .lr = 3e-4,
     .last_lr = 1e-4,
     .decay = 0.01},
};

// [from plane of H1, to plane of H2]
std::vector<std::uint8_t> connection_table() {
    std::vector<std::uint8_t> table(kPlanes * kPlanes);
    for (Index from = 0; from < kPlanes; ++from) {
        for (Index to = 0; to < kPlanes; ++to) {
            const bool seen = to < 4 ? from < 8 : to < 8 ? from >= 4 : from < 4 || from >= 8;
            table[static_cast<std::size_t>(from * kPlanes + to)] = seen;
        }
    }
    return table;
}

nn::Init initial(const ZipRecipe& recipe, Index fan_in) {
    return recipe.fan_in_sqrt ? nn::Init::lecun_sqrt(fan_in) : nn::Init::lecun1989(fan_in);
}

// Targets of squashing units: +1 for the right class, -1 for the others.
Tensor signed_targets(const std::vector<std::int32_t>& labels) {
    Tensor t = Tensor::full({static_cast<Index>(labels.size()), kClasses}, -1);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        t.data<float>()[i * kClasses + static_cast<std::size_t>(labels[i])] = 1;
    }
    return t;
}

}  // namespace

const ZipRecipe& zip_recipe(const std::string& name) {
    return named(kRecipes, "lecun1989: unknown recipe", name);
}

ZipNet::ZipNet(const ZipRecipe& recipe, std::uint64_t seed) : recipe_(recipe) {
    const Activation f = recipe.modern_units ? Activation::relu : Activation::scaled_tanh;
    const std::vector<std::uint8_t> table = connection_table();
    const auto conv = [&](Index image, Index fan_in, std::span<const std::uint8_t> connected) {
        return nn::Conv2dLayerOptions{.kernel = kKernel,
                                      .conv = {.stride = 2,
                                               .padding = 2,
                                               .pad_value = -1,
                                               .table = connected,
                                               .activation = f},
                                      .bias = nn::ConvBias::unit,
                                      .image = image,
                                      .weight = initial(recipe, fan_in)};
    };
    constexpr Index kTaps = kKernel * kKernel, kFlat = kPlanes * 4 * 4;
    h1_ = std::make_unique<nn::Conv2d>(store_, "h1", 1, kPlanes, conv(kSide, kTaps, {}));
    h2_ = std::make_unique<nn::Conv2d>(store_, "h2", kPlanes, kPlanes,
                                       conv(kSide / 2, kTaps * kSeen, table));
    if (recipe.dropout > 0) drop_ = std::make_unique<nn::Dropout>("drop", recipe.dropout);
    h3_ = std::make_unique<nn::Linear>(
        store_, "h3", kFlat, kHidden,
        nn::LinearOptions{.activation = f, .weight = initial(recipe, kFlat)});
    output_ = std::make_unique<nn::Linear>(
        store_, "output", kHidden, kClasses,
        nn::LinearOptions{.activation = recipe.modern_units ? Activation::none : f,
                          .weight = initial(recipe, kHidden),
                          .bias_init = nn::Init::constant(recipe.modern_units ? 0 : -1)});
    store_.freeze(seed);
}

Var ZipNet::scores(Tape& tape, const Tensor& x, const nn::Context& context) const {
    Var h2 = (*h2_)((*h1_)(tape.constant(x)));
    if (recipe_.dropout > 0) h2 = (*drop_)(h2, context);
    return (*output_)((*h3_)(reshape(h2, {x.shape()[0], kPlanes * 4 * 4})));
}

train::Model::Output ZipNet::forward(Tape& tape, const data::Batch& batch,
                                     const nn::Context& context) {
    const Var y = scores(tape, batch.x, context);
    const LossOptions weighted{.weights = batch.weight};
    if (recipe_.modern_units) return {softmax_cross_entropy(y, batch.labels, weighted), y};
    return {squared_error(y, tape.constant(signed_targets(batch.labels)), weighted), y};
}

Index ZipNet::units() const {
    return kSide * kSide + kPlanes * 8 * 8 + kPlanes * 4 * 4 + kHidden + kClasses;
}

// Each unit of H1 has 25 inputs and a bias, each of H2 8 * 25 and a bias.
Index ZipNet::connections() const {
    constexpr Index kTaps = kKernel * kKernel;
    return kPlanes * 64 * (kTaps + 1) + kPlanes * 16 * (kSeen * kTaps + 1) +
           kHidden * (kPlanes * 16 + 1) + kClasses * (kHidden + 1);
}

Index ZipNet::free_parameters() const {
    return store_.parameter_count() - h2_->unconnected_weights();
}

Tensor ZipNet::first_layer() const { return store_.value(h1_->weight()); }

ZipTraining zip_training(const ZipRecipe& recipe, const data::Loader& train, Index passes,
                         std::uint64_t seed) {
    ZipTraining t;
    t.net = std::make_unique<ZipNet>(recipe, seed);
    nn::ParameterStore& store = t.net->parameters();
    const auto batch = static_cast<double>(train.batch());
    const Index steps = passes * train.batches();
    if (recipe.rule == Rule::diagonal_gauss_newton) {
        auto optimizer = std::make_unique<optim::DiagonalGaussNewton>(
            store, optim::DiagonalGaussNewtonOptions{.mu = recipe.mu});
        // The step sizes are those of single samples; an update of a batch sums over it.
        t.learning_rate = [rate = recipe.eps * batch](Index) { return rate; };
        t.before_pass = [&recipe, &train, seed, net = t.net.get(),
                         rule = optimizer.get()](Index pass) {
            // A keyed choice of images, another one in each pass; the training order is not
            // touched.
            const data::Permutation choice(train.samples(), seed,
                                           static_cast<std::uint64_t>(1000 + pass));
            const Index images = std::min(recipe.curvature_images, train.samples());
            const data::Dataset& set = train.dataset();
            const Index pixels = set.sample_shape().count();
            rule->set_curvature(
                optim::diagonal_curvature(net->parameters(), 1, [&](Tape& tape, Index) {
                    Tensor x({images, kSide, kSide, 1}, DType::f32);
                    for (Index i = 0; i < images; ++i) {
                        set.read(choice(i),
                                 x.data<float>().subspan(static_cast<std::size_t>(i * pixels),
                                                         static_cast<std::size_t>(pixels)));
                    }
                    return net->scores(tape, x, nn::Context{});
                }));
        };
        t.optimizer = std::move(optimizer);
    } else if (recipe.rule == Rule::sgd) {
        t.optimizer = std::make_unique<optim::Sgd>(store, optim::SgdOptions{});
        t.learning_rate = [rate = recipe.lr](Index) { return rate; };
    } else {
        t.optimizer =
            std::make_unique<optim::AdamW>(store, optim::AdamOptions{.weight_decay = recipe.decay});
        const auto schedule = optim::Schedule::linear(recipe.lr, recipe.last_lr, steps);
        t.learning_rate = [schedule](Index step) { return schedule.at(step); };
    }
    return t;
}

}  // namespace soma::systems
