#pragma once
// The figures of a trained net that sorts small images into ten classes.

#include "soma/train/report.h"
#include "soma/train/trainer.h"

namespace soma::systems {

// Kernels [KH, KW, C, maps] of a first layer side by side, C = 1 (diverging colours) or 3 (RGB).
void draw_first_layer(train::RunFolder& folder, const Tensor& kernels);

// Error while training, confusion matrix, and the first 40 test images that the net gets wrong;
// images of one or three channels, if they are at most 64 pixels high. `set` names the data.
void draw_training(train::RunFolder& folder, const std::string& set,
                   const train::TrainResult& result);
void draw_answers(train::RunFolder& folder, const std::string& set, const data::Dataset& test,
                  const train::Evaluation& evaluation);

// All of them.
void draw_net(train::RunFolder& folder, const std::string& set, const train::TrainResult& result,
              const Tensor& first_layer, const data::Dataset& test,
              const train::Evaluation& evaluation);

}  // namespace soma::systems
