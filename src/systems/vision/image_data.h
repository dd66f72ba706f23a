#pragma once
// The images of AlexNet and ResNet: small real ones, and the same as large as the papers'.

#include <memory>
#include <string>
#include <vector>

#include "soma/data/dataset.h"

namespace soma::systems {

struct ImageData {
    std::string set, sha256;  // of the training images
    std::shared_ptr<const data::Dataset> train, test;
};

// Images of 28x28 grey levels in [-1, 1]. Preference: fashion-mnist, mnist, then the embedded
// digits8x8, resized bilinearly. Errors as data::choose_set and
// load_image_split, and Error(data) on images of another size.
ImageData load_image_data(const std::string& forced_set, const std::vector<std::string>& roots,
                          bool roots_given);

// The first `count` of a set (all when it has fewer).
std::shared_ptr<const data::Dataset> first_of(std::shared_ptr<const data::Dataset> set,
                                              Index count);

// Grey images [H, W, 1] enlarged bilinearly to [side, side, channels] as they are read, equal in
// all channels, multiplied by `scale`.
std::shared_ptr<const data::Dataset> enlarged(std::shared_ptr<const data::Dataset> set, Index side,
                                              Index channels, float scale);

// Both halves enlarged; of the test images the first 200, which a full-size net answers in seconds.
ImageData enlarged_data(const ImageData& data, Index side, Index channels, float scale);

}  // namespace soma::systems
