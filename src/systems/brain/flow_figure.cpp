#include "systems/brain/flow_figure.h"

#include <algorithm>
#include <cmath>

namespace soma::systems {
namespace {

constexpr Index kGrid = 21;  // arrows along each axis

}  // namespace

train::Series curve_in(const neuro::Plane& plane, const linalg::Matrix& states,
                       const std::string& label) {
    const linalg::Matrix at = neuro::project(plane, states);
    return {label, linalg::column(at, 0), linalg::column(at, 1)};
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
    const neuro::FlowField field = neuro::flow_field(d, u, plane, grid);
    const double cell[] = {(grid.high[0] - grid.low[0]) / (kGrid - 1),
                           (grid.high[1] - grid.low[1]) / (kGrid - 1)};
    double longest = 0;
    const auto length = [&](Index i, Index j) {
        return std::hypot(field.a_velocity(i, j) / cell[0], field.b_velocity(i, j) / cell[1]);
    };
    for (Index i = 0; i < kGrid; ++i) {
        for (Index j = 0; j < kGrid; ++j) longest = std::max(longest, length(i, j));
    }
    std::vector<train::Arrow> arrows;
    for (Index i = 0; i < kGrid; ++i) {
        for (Index j = 0; j < kGrid; ++j) {
            arrows.push_back({field.a_values[static_cast<std::size_t>(j)],
                              field.b_values[static_cast<std::size_t>(i)],
                              field.a_velocity(i, j) / longest, field.b_velocity(i, j) / longest});
        }
    }
    return arrows;
}

}  // namespace soma::systems
