// soma analyze flow and lyapunov.

#include <algorithm>
#include <cmath>

#include "cli/analyze.h"
#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/data/npy.h"
#include "soma/neuro/flow_field.h"
#include "soma/neuro/lyapunov.h"
#include "soma/systems/flow_figure.h"

namespace soma::cli {
namespace {

// A grid around the projections of the states, a fifth wider than they.
neuro::GridOptions grid_around(const linalg::Matrix& projections, Index points) {
    neuro::GridOptions grid{
        .low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}, .points = {points, points}};
    for (std::size_t axis = 0; axis < 2; ++axis) {
        for (Index i = 0; i < projections.rows; ++i) {
            const double v = projections(i, static_cast<Index>(axis));
            grid.low[axis] = std::min(grid.low[axis], v);
            grid.high[axis] = std::max(grid.high[axis], v);
        }
        const double margin = 0.1 * (grid.high[axis] - grid.low[axis]);
        grid.low[axis] -= margin;
        grid.high[axis] += margin;
    }
    return grid;
}

train::Series contour(const std::string& label, const std::vector<neuro::Segment>& segments) {
    train::Series series{label, {}, {}};
    for (const neuro::Segment& s : segments) {
        series.x.push_back((s.from[0] + s.to[0]) / 2);
        series.y.push_back((s.from[1] + s.to[1]) / 2);
    }
    return series;
}

void draw_flow(const neuro::FlowField& f, const linalg::Matrix& states, train::RunFolder& folder) {
    constexpr Index kMostStates = 300;
    train::Series visited{"states", {}, {}};
    for (Index i = 0; i < states.rows; i += std::max<Index>(1, states.rows / kMostStates)) {
        visited.x.push_back(states(i, 0));
        visited.y.push_back(states(i, 1));
    }
    folder.add(train::LinePlot{
        .text = {"flow", "Flow in the plane of the leading components",
                 "Velocities within the plane under the input that is held, the curves where that "
                 "along PC1 and that along PC2 is zero, and states of trials."},
        .x_label = "PC1",
        .y_label = "PC2",
        .series = {visited, contour("PC1 at rest", neuro::zero_contour(f, f.a_velocity)),
                   contour("PC2 at rest", neuro::zero_contour(f, f.b_velocity))},
        .arrows = systems::arrows_of(f),
        .points = true});
}

void write_flow(const neuro::FlowField& f, const linalg::Matrix& states, train::RunFolder& folder) {
    const auto member = [](const char* name, const std::vector<Index>& sizes,
                           const std::vector<double>& values) {
        Tensor t(Shape(std::span<const Index>(sizes)), DType::f64);
        std::copy(values.begin(), values.end(), t.data<double>().begin());
        return data::NpzMember{name, data::NpyArray::from(t)};
    };
    const Index rows = f.speed.rows, cols = f.speed.cols;
    const std::vector<data::NpzMember> members = {
        member("pc1", {cols}, f.a_values),
        member("pc2", {rows}, f.b_values),
        member("pc1_velocity", {rows, cols}, f.a_velocity.values),
        member("pc2_velocity", {rows, cols}, f.b_velocity.values),
        member("speed", {rows, cols}, f.speed.values),
        member("off_plane", {rows, cols}, f.off_plane.values),
        member("states", {states.rows, 2}, states.values)};
    data::write_file_atomically(folder.file("flow.npz"), data::write_npz(members));
}

}  // namespace

Analysis analyze_flow(const Subject& s, const AnalyzeOptions& o, train::RunFolder& folder) {
    const neuro::Plane plane = neuro::principal_plane(s.states);
    const linalg::Matrix states = neuro::project(plane, s.states);
    const neuro::FlowField f =
        neuro::flow_field(*s.dynamics, s.input, plane, grid_around(states, o.grid));
    const auto [slowest, fastest] =
        std::minmax_element(f.speed.values.begin(), f.speed.values.end());
    const auto at = static_cast<Index>(slowest - f.speed.values.begin());
    const double pc1 = f.a_values[static_cast<std::size_t>(at % f.speed.cols)];
    const double pc2 = f.b_values[static_cast<std::size_t>(at / f.speed.cols)];
    double off_plane = 0;
    for (const double v : f.off_plane.values) {
        off_plane += v / static_cast<double>(f.off_plane.values.size());
    }
    Analysis a;
    a.table = {{"quantity", "value"},
               {"grid", concat(f.speed.cols, " x ", f.speed.rows)},
               {"least speed (per tau)", short_number(*slowest)},
               {"at PC1", short_number(pc1)},
               {"at PC2", short_number(pc2)},
               {"greatest speed (per tau)", short_number(*fastest)},
               {"mean share of the speed that leaves the plane", short_number(off_plane)}};
    a.result = {{"least_speed", *slowest},
                {"least_speed_at", {pc1, pc2}},
                {"greatest_speed", *fastest},
                {"off_plane", off_plane}};
    a.notes.push_back("all velocities are in flow.npz");
    draw_flow(f, states, folder);
    write_flow(f, states, folder);
    return a;
}

Analysis analyze_lyapunov(const Subject& s, const AnalyzeOptions& o, train::RunFolder& folder) {
    const Index n = s.dynamics->size(), last = s.states.rows - 1;
    const std::vector<double> x(s.states.row(last), s.states.row(last) + n);
    const neuro::LyapunovResult r = neuro::lyapunov(*s.dynamics, x, s.input,
                                                    {.exponents = std::min(o.exponents, n),
                                                     .transient = o.transient,
                                                     .steps = o.steps,
                                                     .seed = o.seed});
    Analysis a;
    a.table = {{"exponent", "per_tau", "error", "per_second"}};
    train::Series series{"exponents", {}, {}, r.standard_error};
    const double per_second = 1000 / s.tau_ms();
    for (std::size_t k = 0; k < r.exponents.size(); ++k) {
        a.table.push_back({concat(k + 1), short_number(r.exponents[k], 5),
                           short_number(r.standard_error[k], 2),
                           short_number(r.exponents[k] * per_second, 5)});
        series.x.push_back(static_cast<double>(k + 1));
        series.y.push_back(r.exponents[k]);
    }
    a.result = {
        {"exponents_per_tau", r.exponents},
        {"standard_error", r.standard_error},
        {"dimension", std::isfinite(r.dimension) ? AnalysisJson(r.dimension) : AnalysisJson()},
        {"transient", o.transient},
        {"steps", o.steps}};
    const double top = r.exponents.front(), error = r.standard_error.front();
    a.notes.push_back(concat(
        top > 4 * error    ? "the largest exponent is above 0 by more than 4 errors: chaos"
        : top < -4 * error ? "the largest exponent is below 0: it comes to rest at a fixed point"
                           : "the largest exponent is 0 within 4 errors: a cycle or a line",
        "; Kaplan-Yorke dimension ",
        std::isfinite(r.dimension) ? short_number(r.dimension) : "needs more --exponents"));
    folder.add(
        train::LinePlot{.text = {"exponents", "Lyapunov exponents",
                                 concat("Averages over ", o.steps, " steps after ", o.transient,
                                        ", under the input that is held; bars: standard errors.")},
                        .x_label = "exponent",
                        .y_label = "per tau",
                        .series = {std::move(series)},
                        .references = {{"0", 0.0}},
                        .points = true});
    return a;
}

}  // namespace soma::cli
