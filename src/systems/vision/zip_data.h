#pragma once
// Digits at 16x16 in [-1, 1], as LeCun 1989 sees them.

#include <memory>
#include <string>

#include "soma/data/dataset.h"
#include "soma/data/sets.h"

namespace soma::systems {

struct ZipData {
    std::string set, source, sha256;  // of the training images
    std::shared_ptr<const data::Dataset> train, test;
    std::string note;  // what else is there, when the embedded set was used by default
};

// usps is used as it is; mnist16 and digits8x8 are resized bilinearly with half-pixel centres.
// Preference: usps, digits8x8. Errors as data::choose_set and load_image_split.
ZipData load_zip_data(const std::string& forced_set, const std::vector<std::string>& roots,
                      bool roots_given);

}  // namespace soma::systems
