#include "soma/systems/flow_figure.h"

#include <algorithm>
#include <cmath>

namespace soma::systems {
namespace {

constexpr Index kGrid = 21;  // along each axis

}  // namespace

train::Series curve_in(const neuro::Plane& plane, const linalg::Matrix& states,
                       const std::string& label) {
    const linalg::Matrix at = neuro::project(plane, states);
    return {label, linalg::column(at, 0), linalg::column(at, 1)};
}

std::vector<train::Arrow> arrows_of(const neuro::FlowField& f) {
    constexpr Index kMostArrows = 20;  // along an axis
    const Index rows = f.speed.rows, cols = f.speed.cols;
    const Index stride = std::max<Index>(1, (std::max(rows, cols) - 1) / kMostArrows);
    const double da = (f.a_values[1] - f.a_values[0]) * static_cast<double>(stride);
    const double db = (f.b_values[1] - f.b_values[0]) * static_cast<double>(stride);
    double longest = 0;  // in units of the way to the next arrow
    for (Index i = 0; i < rows; i += stride) {
        for (Index j = 0; j < cols; j += stride) {
            longest =
                std::max(longest, std::hypot(f.a_velocity(i, j) / da, f.b_velocity(i, j) / db));
        }
    }
    std::vector<train::Arrow> list;
    for (Index i = 0; i < rows && longest > 0; i += stride) {
        for (Index j = 0; j < cols; j += stride) {
            list.push_back({.x = f.a_values[static_cast<std::size_t>(j)],
                            .y = f.b_values[static_cast<std::size_t>(i)],
                            .dx = f.a_velocity(i, j) / longest,
                            .dy = f.b_velocity(i, j) / longest});
        }
    }
    return list;
}

std::vector<train::Arrow> flow_over(const std::vector<train::Series>& series,
                                    const neuro::Plane& plane, const neuro::Dynamics& d,
                                    neuro::Values u) {
    neuro::GridOptions grid{
        .low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}, .points = {kGrid, kGrid}};
    for (const train::Series& s : series) {
        const std::vector<double>* values[] = {&s.x, &s.y};
        for (std::size_t k = 0; k < 2; ++k) {
            for (const double v : *values[k]) {
                grid.low[k] = std::min(grid.low[k], v);
                grid.high[k] = std::max(grid.high[k], v);
            }
        }
    }
    return arrows_of(neuro::flow_field(d, u, plane, grid));
}

}  // namespace soma::systems
