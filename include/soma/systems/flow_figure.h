#pragma once
// State spaces as figures: curves in a plane, and arrows of the flow below them.

#include <string>
#include <vector>

#include "soma/neuro/flow_field.h"
#include "soma/train/figures.h"

namespace soma::systems {

// States [M, n] in the coordinates of a plane.
train::Series curve_in(const neuro::Plane& plane, const linalg::Matrix& states,
                       const std::string& label);

// Every so many grid points an arrow, at most about 20 along an axis; the longest is as long as the
// way to the next one. None where nothing moves.
std::vector<train::Arrow> arrows_of(const neuro::FlowField& field);

// The flow for input u on a grid over the range of the series; the longest arrow is as long as a
// cell. Error(usage) as flow_field.
std::vector<train::Arrow> flow_over(const std::vector<train::Series>& series,
                                    const neuro::Plane& plane, const neuro::Dynamics& d,
                                    neuro::Values u);

}  // namespace soma::systems
