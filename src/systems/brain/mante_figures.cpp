#include "systems/brain/mante_figures.h"

#include <algorithm>
#include <cmath>

#include "soma/neuro/tasks/batch.h"
#include "soma/systems/flow_figure.h"
#include "soma/train/report.h"

namespace soma::systems {
namespace {

using linalg::Matrix;
using train::Series;

constexpr const char* kSense[] = {"motion", "colour"};
constexpr int kBlack = 7;

// ---- behaviour --------------------------------------------------------------------------------

// Mean and standard deviation over nets of the share of choices at each level.
Series shares(std::span<const ManteAnatomy> nets, std::size_t context, bool relevant,
              const std::string& label) {
    const auto curve = [&](const ManteAnatomy& a) -> const ChoiceCurve& {
        const ContextAnatomy& c = a.contexts[context];
        return relevant ? c.relevant : c.irrelevant;
    };
    const std::vector<double>& levels = curve(nets[0]).coherence;
    Series s{label, {}, {}};
    for (std::size_t k = 0; k < levels.size(); ++k) {
        std::vector<double> values;
        for (const ManteAnatomy& a : nets) values.push_back(100 * curve(a).share[k]);
        train::add_mean(s, levels[k], values);
    }
    s.marks = true;
    return s;
}

// A curve over the range of the coherences.
template <class F>
Series smooth(const std::string& label, double largest, F value) {
    Series s{label, {}, {}};
    for (int k = -60; k <= 60; ++k) {
        s.x.push_back(largest * k / 60);
        s.y.push_back(100 * value(s.x.back()));
    }
    return s;
}

void draw_choices(train::RunFolder& folder, std::span<const ManteAnatomy> nets,
                  const neuro::ManteOptions& task) {
    const double steps = std::floor(task.stimulus / task.dt + 1e-9);
    const neuro::PsychometricFit best{.weights = {task.gain * std::sqrt(steps) / task.noise}};
    for (std::size_t k = 0; k < 2; ++k) {
        const double largest = nets[0].contexts[k].relevant.coherence.back();
        // The mean of the fitted curves over nets and the levels of the other sense.
        const auto fitted = [&](std::size_t variable) {
            return [&, variable](double coherence) {
                const ContextAnatomy& any = nets[0].contexts[k];
                const auto& levels = (variable == 0 ? any.irrelevant : any.relevant).coherence;
                double sum = 0;
                for (const ManteAnatomy& a : nets) {
                    for (const double level : levels) {
                        double x[] = {level, level};
                        x[variable] = coherence;
                        sum += neuro::choice_probability(a.contexts[k].choices, x);
                    }
                }
                return sum / static_cast<double>(nets.size() * levels.size());
            };
        };
        train::LinePlot plot{
            .text = {concat("psychometric-", kSense[k]),
                     concat("Choices in the ", kSense[k], " context"),
                     concat(
                         "Share of choices to the right against the evidence of either sense, "
                         "over all levels of the other; mean and standard deviation of ",
                         nets.size(),
                         " nets. Curves: fits to the choices. Best observer: the one that sums the "
                         "noisy ",
                         kSense[k], ".")},
            .x_label = "coherence",
            .y_label = "choices to the right (%)",
            .series = {},
            .y_limits = {{-2, 102}}};
        plot.series.push_back(shares(nets, k, true, concat(kSense[k], " (relevant)")));
        plot.series.push_back(shares(nets, k, false, concat(kSense[1 - k], " (irrelevant)")));
        plot.series.push_back(smooth("", largest, fitted(0)));
        plot.series.push_back(smooth("", largest, fitted(1)));
        plot.series.push_back(smooth("best observer", largest, [&](double c) {
            return neuro::choice_probability(best, {&c, 1});
        }));
        plot.series[2].color = 1;
        plot.series[3].color = 2;
        plot.series[4].color = kBlack;
        folder.add(plot);
    }
}

// ---- population -------------------------------------------------------------------------------

// The slow points along two TDR axes: rates of the noiseless net.
Series slow_points_along(const ManteAnatomy& a, const ContextAnatomy& c, Index axis) {
    Series s{"slow points", {}, {}};
    if (c.slow.points.empty()) return s;
    neuro::Responses rates(1, std::ssize(c.slow.points), a.tdr.axes.rows);
    for (Index k = 0; k < rates.steps; ++k) {
        const std::vector<double>& x = c.slow.points[static_cast<std::size_t>(k)].x;
        for (Index i = 0; i < rates.units(); ++i) {
            rates(0, k, i) = std::tanh(x[static_cast<std::size_t>(i)]);
        }
    }
    const neuro::Responses along = a.tdr.project(rates);
    for (Index k = 0; k < along.steps; ++k) {
        s.x.push_back(along(0, k, 0));
        s.y.push_back(along(0, k, axis));
    }
    s.marks = true;
    s.color = kBlack;
    return s;
}

// Figures 2 and 5 of the paper: mean activity along choice and one sense, sorted by that sense.
void draw_paths(train::RunFolder& folder, const ManteAnatomy& a) {
    for (std::size_t context = 0; context < 2; ++context) {
        for (std::size_t sense = 0; sense < 2; ++sense) {
            const ContextAnatomy& c = a.contexts[context];
            const auto axis = static_cast<Index>(1 + sense);
            const bool relevant = sense == context;
            train::LinePlot plot{
                .text = {concat("tdr-", kSense[context], "-context-by-", kSense[sense]),
                         concat("In the ", kSense[context], " context, sorted by ",
                                relevant ? "relevant " : "irrelevant ", kSense[sense]),
                         concat("Mean activity of correct trials from the beginning of the "
                                "evidence to the decision, along the axes of choice and ",
                                kSense[sense], " found by targeted dimensionality reduction. ",
                                relevant ? ""
                                         : "Two curves a level: choices to the left and to "
                                           "the right. ",
                                "First net.")},
                .x_label = "choice axis",
                .y_label = concat(kSense[sense], " axis"),
                .series = {}};
            std::vector<double> levels;
            for (const MeanPath& p : c.paths[sense]) levels.push_back(p.coherence);
            std::sort(levels.begin(), levels.end());
            levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
            for (std::size_t level = 0; level < levels.size(); ++level) {
                bool named = false;
                for (const MeanPath& p : c.paths[sense]) {
                    if (p.coherence != levels[level]) continue;
                    Series s{named ? "" : concat(kSense[sense], " ", p.coherence),
                             linalg::column(p.along, 0), linalg::column(p.along, axis)};
                    s.color = static_cast<int>(level) % (kBlack - 1) + 1;
                    plot.series.push_back(std::move(s));
                    named = true;
                }
            }
            plot.series.push_back(slow_points_along(a, c, axis));
            folder.add(plot);
        }
    }
}

// ---- dynamics ---------------------------------------------------------------------------------

// The plane of the line and of what the relevant evidence adds to the state, orthonormal, through
// the middle of the slow points.
neuro::Plane plane_of(const ContextAnatomy& c, const neuro::Dynamics& d, Index relevant) {
    const std::size_t n = c.slow.points.front().x.size();
    const auto inputs = static_cast<std::size_t>(d.inputs());
    std::vector<double> origin(n), along(n), across(n), b(n * inputs);
    for (const neuro::LinePoint& p : c.line.points) {
        const std::vector<double>& x = c.slow.points[static_cast<std::size_t>(p.point)].x;
        for (std::size_t i = 0; i < n; ++i) {
            origin[i] += x[i] / static_cast<double>(c.line.points.size());
            along[i] += p.mode.direction[i];
        }
    }
    d.input_jacobian(origin, c.input, b);
    for (std::size_t i = 0; i < n; ++i) {
        across[i] = b[i * inputs + static_cast<std::size_t>(relevant)];
    }
    return neuro::orthonormal_plane(origin, along, across);
}

// Noiseless trials with relevant evidence alone, from its beginning to the decision.
std::vector<Series> paths_in(const neuro::Plane& plane, const ManteAnatomy& a,
                             const neuro::Dynamics& d, neuro::ManteOptions options,
                             std::size_t context) {
    options.noise = 0;
    const auto task = neuro::make_mante(options);
    neuro::TaskBatch batch(*task, task->cells(neuro::Mode::psychometric));
    batch.fill(neuro::TrialSource(0, neuro::Stream::analysis, neuro::Mode::psychometric), 0);
    std::vector<Series> series;
    for (Index k = 0; k < batch.size(); ++k) {
        const neuro::Trial& trial = batch.trials()[static_cast<std::size_t>(k)];
        const auto relevant = static_cast<double>(trial.labels[context]);
        const bool trained = std::count(options.coherences.begin(), options.coherences.end(),
                                        std::abs(relevant)) > 0;
        if (trial.labels[2] != static_cast<float>(context + 1) || trial.labels[1 - context] != 0 ||
            !trained)
            continue;
        const Matrix all = noiseless_states(d, a.net->start(), batch, k);
        const Index begin = trial.epoch("stimulus").begin, end = trial.epoch("decision").begin;
        Matrix part(end - begin, all.cols);
        std::copy(all.row(begin), all.row(begin) + part.rows * all.cols, part.values.begin());
        series.push_back(curve_in(plane, part, concat(kSense[context], " ", relevant)));
        series.back().color = static_cast<int>(series.size() - 1) % (kBlack - 1) + 1;
    }
    return series;
}

void draw_state_space(train::RunFolder& folder, const ManteAnatomy& a,
                      const neuro::ManteOptions& task) {
    const auto d = a.net->dynamics();
    for (std::size_t k = 0; k < 2; ++k) {
        const ContextAnatomy& c = a.contexts[k];
        if (c.line.points.empty()) continue;
        const neuro::Plane plane = plane_of(c, *d, static_cast<Index>(k));
        std::vector<Series> series = paths_in(plane, a, *d, task, k);
        Matrix points(0, d->size());
        for (const neuro::FixedPoint& p : c.slow.points) points.append_row(p.x);
        series.push_back(curve_in(plane, points, "slow points"));
        series.back().marks = true;
        series.back().color = kBlack;
        std::vector<train::Arrow> arrows = flow_over(series, plane, *d, c.input);
        folder.add(train::LinePlot{
            .text = {concat("state-space-", kSense[k], "-context"),
                     concat("State space in the ", kSense[k], " context"),
                     concat("Noiseless trials with ", kSense[k],
                            " evidence alone, slow points, and the flow without evidence (arrows) "
                            "in the plane of the line and of the ",
                            kSense[k],
                            " input. First "
                            "net.")},
            .x_label = "along the line",
            .y_label = concat("along the ", kSense[k], " input"),
            .series = std::move(series),
            .arrows = std::move(arrows)});
    }
}

// A value of every slow point against its place on the line, 0 to 1.
template <class F>
Series along_line(const ContextAnatomy& c, const std::string& label, F value) {
    Series s{label, {}, {}};
    for (const neuro::LinePoint& p : c.line.points) {
        s.x.push_back(p.arc / c.line.length);
        s.y.push_back(value(p));
    }
    return s;
}

void draw_modes(train::RunFolder& folder, const ManteAnatomy& a) {
    train::LinePlot modes{
        .text = {"eigenvalues", "Two largest eigenvalues along the line",
                 "Moduli for one step, at every slow point. One mode is slow, all others decay. "
                 "First net."},
        .x_label = "place on the line",
        .y_label = "|eigenvalue|",
        .series = {},
        .references = {{"neither grows nor decays", 1}}};
    train::LinePlot selection{
        .text = {"selection", "What the selection vector sees",
                 "Product of the left eigenvector of the slow mode with the input weights of "
                 "either sense: how far a unit of evidence moves the state along the line. First "
                 "net."},
        .x_label = "place on the line",
        .y_label = "gain of the input (l B)",
        .series = {},
        .references = {{"", 0}}};
    for (std::size_t k = 0; k < 2; ++k) {
        const ContextAnatomy& c = a.contexts[k];
        for (std::size_t mode = 0; mode < 2; ++mode) {
            modes.series.push_back(
                along_line(c, concat(mode == 0 ? "slowest, " : "second, ", kSense[k], " context"),
                           [&](const neuro::LinePoint& p) {
                               const auto& point = c.slow.points[static_cast<std::size_t>(p.point)];
                               return std::abs(point.spectrum->values[mode]);
                           }));
            selection.series.push_back(
                along_line(c, concat(kSense[mode], " in the ", kSense[k], " context"),
                           [&](const neuro::LinePoint& p) { return p.input_gain[mode]; }));
        }
    }
    folder.add(modes);
    folder.add(selection);
}

void draw_pulses(train::RunFolder& folder, std::span<const ManteAnatomy> nets) {
    train::LinePlot plot{
        .text = {"pulses", "A pulse of evidence: predicted and simulated effect",
                 "Displacement along the line 20 steps after a pulse of one step, per unit of "
                 "the pulse, at every slow point in both contexts of all nets. Predicted from the "
                 "linearisation: gain times eigenvalue to the power of 20."},
        .x_label = "predicted",
        .y_label = "simulated",
        .series = {{"relevant input", {}, {}}, {"irrelevant input", {}, {}}, {"equal", {}, {}}}};
    double low = 0, high = 0;
    for (const ManteAnatomy& a : nets) {
        for (std::size_t k = 0; k < 2; ++k) {
            for (const neuro::LinePoint& p : a.contexts[k].line.points) {
                for (std::size_t s = 0; s < 2; ++s) {
                    const std::size_t input = s == 0 ? k : 1 - k;
                    plot.series[s].x.push_back(p.predicted[input]);
                    plot.series[s].y.push_back(p.simulated[input]);
                    low = std::min(low, p.predicted[input]);
                    high = std::max(high, p.predicted[input]);
                }
            }
        }
    }
    plot.series[0].marks = plot.series[1].marks = true;
    plot.series[2].x = plot.series[2].y = {low, high};
    plot.series[2].color = kBlack;
    folder.add(plot);
}

void draw_seeds(train::RunFolder& folder, std::span<const ManteAnatomy> nets) {
    train::BarChart chart{
        .text = {"selectivity", "Relevant over irrelevant gain of the selection vector",
                 "Root mean squares over the slow points, of every net."},
        .y_label = "ratio",
        .labels = {},
        .series = {{"motion context", {}}, {"colour context", {}}},
        .references = {{"asked for", 5}}};
    for (const ManteAnatomy& a : nets) {
        chart.labels.push_back(concat("net ", a.net->options().seed));
        for (std::size_t k = 0; k < 2; ++k) {
            chart.series[k].values.push_back(a.contexts[k].selectivity);
        }
    }
    folder.add(chart);
}

}  // namespace

void draw_mante(train::RunFolder& folder, std::span<const ManteAnatomy> nets,
                const neuro::ManteOptions& task) {
    draw_choices(folder, nets, task);
    draw_paths(folder, nets[0]);
    draw_state_space(folder, nets[0], task);
    draw_modes(folder, nets[0]);
    draw_pulses(folder, nets);
    draw_seeds(folder, nets);
}

}  // namespace soma::systems
