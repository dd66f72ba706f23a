#pragma once
// Labelled images as they lie in a folder: IDX pairs, or the text files of USPS.

#include <string>

#include "soma/data/file.h"
#include "soma/data/image_set.h"

namespace soma::data {

inline constexpr Index kUspsTrain = 7291, kUspsTest = 2007;  // as in LeCun 1989

// Whether a folder holds both halves of an image set under a known spelling.
bool has_image_files(const std::string& folder);

// One half, "train" or "test", of the set in a folder. Images must be side x side.
ImageSet read_image_files(const std::string& folder, const std::string& split, Index side);

// USPS text: one sample a line, "label" (a whole number, may be written 6.0000), then side^2 floats
// in [-1, 1]. Pixels become round((x + 1) 127.5): the bytes' own resolution.
ImageSet parse_usps_text(ByteView bytes, const std::string& name);

}  // namespace soma::data
