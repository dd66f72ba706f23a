#include "systems/vision/zip_data.h"

namespace soma::systems {
namespace {

constexpr Index kSide = 16;

std::shared_ptr<const data::Dataset> at_16x16(const data::ImageSet& set) {
    if (set.height == kSide && set.width == kSide) return std::make_shared<data::ImageDataset>(set);
    return std::make_shared<data::TensorDataset>(
        data::resize_bilinear(data::to_floats(set), kSide, kSide), set.labels, set.classes);
}

}  // namespace

ZipData load_zip_data(const std::string& forced_set, const std::vector<std::string>& roots,
                      bool roots_given) {
    ZipData result;
    const data::SetLocation where = data::choose_set({.preferred = {"usps", "digits8x8"},
                                                      .roots = roots,
                                                      .roots_given = roots_given,
                                                      .forced = forced_set},
                                                     &result.note);
    const data::ImageSplit split = data::load_image_split(where);
    result.set = where.name;
    result.source = split.train.source;
    result.sha256 = split.train.sha256();
    result.train = at_16x16(split.train);
    result.test = at_16x16(split.test);
    return result;
}

}  // namespace soma::systems
