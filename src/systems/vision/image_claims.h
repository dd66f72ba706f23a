#pragma once
// What the systems of images have in common: how they are trained on small images, and the claims
// that their counts and their training make.

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "soma/optim/sgd.h"
#include "soma/train/options.h"
#include "systems/claim_run.h"
#include "systems/vision/image_data.h"
#include "systems/vision/vision_net.h"

namespace soma::systems {

// Momentum with warm-up and a cosine to 0.
struct ImageRecipe {
    const char* system;
    const char* name;
    Index batch, shards;
    Index epochs;  // more on a small set, for 400 updates
    double lr, decay;
    kernels::MomentumForm form = kernels::MomentumForm::classic;
    int shift = 1;      // of the training images, in pixels, either way
    Index warm_up = 0;  // updates
};

// The recipe with this name, the first for "". Error(usage) that says which there are.
const ImageRecipe& image_recipe(std::span<const ImageRecipe> recipes, const std::string& name);

// Trains a net, whose store is frozen, data-parallel on `data` under the caller's options.
train::TrainResult train_images(const ImageRecipe& recipe, VisionNet& net, const ImageData& data,
                                const train::TrainOptions& options, dist::Comm& comm);

// Error curve, first kernels, confusion matrix and wrong answers of a trained net.
void draw_images(train::RunFolder& folder, VisionNet& net, const ImageData& data,
                 const train::TrainResult& result);

// Numbers that follow from a paper's definition: of each layer, and of the sums.
struct CountedNet {
    std::string source;
    std::vector<Index> parameters;
    LayerCount sum;
    // Round numbers that the paper prints; 0: none.
    double printed_parameters = 0, printed_connections = 0, printed_units = 0;
};
// A claim parameters-<layer> for each layer, then parameters, connections and units.
void count_claims(ClaimRun& run, const VisionNet& net, const CountedNet& expected);

// Claims test-accuracy and speed of nets trained as `soma train` does, a net a seed. The first one
// draws its figures.
struct TrainedNets {
    std::string system, recipe;
    Index epochs = 1, updates = 1, shards = 1;  // of one training
    std::string set = {}, sha256 = {};          // set "": absent, the claims are skipped
    Gate gate = {};                             // of fashion-mnist; other sets are only reported
    std::string source = "soma's own gate";
};
using Train = std::function<train::TrainResult(const train::TrainOptions&, dist::Comm&)>;
void accuracy_claims(ClaimRun& run, const TrainedNets& nets, const Train& train);

// The nets that train_images makes of a recipe.
TrainedNets trained_nets(const ImageRecipe& recipe, const ImageData& data, Gate gate);

}  // namespace soma::systems
