#include "systems/vision/image_figures.h"

#include "soma/core/text.h"

namespace soma::systems {
namespace {

constexpr std::size_t kMostErrors = 40;
constexpr Index kLargestDrawn = 64;  // pixels a side: 40 of 227x227 are 41 MB of text

std::vector<std::string> class_names(const std::string& set, int classes) {
    if (set == "fashion-mnist") {
        return {"T-shirt", "trouser", "pullover", "dress", "coat",
                "sandal",  "shirt",   "sneaker",  "bag",   "boot"};
    }
    std::vector<std::string> names;
    for (int c = 0; c < classes; ++c) names.push_back(std::to_string(c));
    return names;
}

}  // namespace

void draw_first_layer(train::RunFolder& folder, const Tensor& kernels) {
    const Shape& shape = kernels.shape();
    const Index channels = shape[2], maps = shape[3], taps = shape[0] * shape[1] * channels;
    const bool grey = channels == 1;
    train::ImageGrid grid{.text = {"filters", concat("The ", maps, " kernels of the first layer"),
                                   concat(shape[0], "x", shape[1], " weights",
                                          grey ? ": blue negative, red positive." : ".")},
                          .images = {},
                          .columns = 8,
                          .diverging = grey,
                          .each_scaled = !grey};
    for (Index map = 0; map < maps; ++map) {
        train::GridImage image{
            .height = shape[0], .width = shape[1], .channels = channels, .pixels = {}};
        for (Index tap = 0; tap < taps; ++tap) {
            image.pixels.push_back(static_cast<float>(kernels.at(tap * maps + map)));
        }
        grid.images.push_back(std::move(image));
    }
    folder.add(grid);
}

void draw_training(train::RunFolder& folder, const std::string& set,
                   const train::TrainResult& result) {
    train::Series train_error{"training (as it learns)", {}, {}}, test_error{"test", {}, {}};
    for (const train::EpochRecord& r : result.history) {
        for (train::Series* s : {&train_error, &test_error}) {
            s->x.push_back(static_cast<double>(r.epoch));
        }
        train_error.y.push_back(r.train_error);
        test_error.y.push_back(r.test_error);
    }
    folder.add(train::LinePlot{
        .text = {"error", "Error on " + set,
                 "Training error is the mean over each epoch, with dropout where there is any."},
        .x_label = "epoch",
        .y_label = "error (%)",
        .series = {train_error, test_error}});
}

void draw_answers(train::RunFolder& folder, const std::string& set, const data::Dataset& test,
                  const train::Evaluation& evaluation) {
    const std::vector<std::string> names = class_names(set, test.classes());
    std::vector<std::int32_t> labels;
    train::ImageGrid errors{
        .text = {"sample-errors", concat("The first ", kMostErrors, " test errors"),
                 "True class -> answer of the net."},
        .images = {},
        .columns = 8};
    const Shape shape = test.sample_shape();
    const std::size_t most = shape[0] <= kLargestDrawn ? kMostErrors : 0;
    for (Index i = 0; i < test.size(); ++i) {
        const std::int32_t truth = test.label(i);
        const std::int32_t answer = evaluation.predictions[static_cast<std::size_t>(i)];
        labels.push_back(truth);
        if (answer == truth || errors.images.size() == most) continue;
        train::GridImage image{
            .height = shape[0], .width = shape[1], .channels = shape[2], .pixels = {}};
        image.pixels.resize(static_cast<std::size_t>(shape.count()));
        test.read(i, image.pixels);
        image.caption = names[static_cast<std::size_t>(truth)] + " -> " +
                        names[static_cast<std::size_t>(answer)];
        errors.images.push_back(std::move(image));
    }
    folder.add(train::confusion_matrix(
        {"confusion", "Test images: truth and answer", "Counts; the diagonal is right."},
        test.classes(), labels, evaluation.predictions, names));
    if (!errors.images.empty()) folder.add(errors);
}

void draw_net(train::RunFolder& folder, const std::string& set, const train::TrainResult& result,
              const Tensor& first_layer, const data::Dataset& test,
              const train::Evaluation& evaluation) {
    draw_training(folder, set, result);
    draw_first_layer(folder, first_layer);
    draw_answers(folder, set, test, evaluation);
}

}  // namespace soma::systems
