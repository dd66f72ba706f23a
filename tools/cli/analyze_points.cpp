// soma analyze fixed-points and selection.

#include <algorithm>
#include <cmath>

#include "cli/analyze.h"
#include "cli/text_table.h"
#include "soma/core/error.h"
#include "soma/data/npy.h"
#include "soma/neuro/certificate.h"
#include "soma/neuro/fixed_points.h"
#include "soma/neuro/pca.h"
#include "soma/neuro/selection.h"

namespace soma::cli {
namespace {

using neuro::FixedPoint;

neuro::FixedPointReport search(const Subject& s, const AnalyzeOptions& o) {
    return neuro::find_fixed_points(
        *s.dynamics, s.input, neuro::make_seeds(s.states, {.count = o.seeds, .seed = o.seed}),
        {.fixed_q = o.tolerance, .slow_q = std::max(o.slow, o.tolerance)});
}

const char* name_of(neuro::PointLabel label) {
    return label == neuro::PointLabel::fixed ? "fixed" : "slow";
}

std::string outputs_text(const std::vector<double>& z) {
    std::string text;
    for (const double v : z) text += (text.empty() ? "" : " ") + short_number(v, 3);
    return text;
}

data::NpzMember member(const std::string& name, const std::vector<Index>& sizes,
                       const std::vector<double>& values) {
    data::NpyArray array{data::NpyType::f64, sizes, data::Bytes(values.size() * sizeof(double))};
    std::copy_n(reinterpret_cast<const std::byte*>(values.data()), array.elements.size(),
                reinterpret_cast<std::byte*>(array.elements.data()));
    return {name, std::move(array)};
}

// x [P, N], q [P]; eigenvalues [P, K]; right and left eigenvectors [P, N, K], real and imaginary.
void write_points(const Subject& s, const std::vector<FixedPoint>& points, Index modes,
                  train::RunFolder& folder) {
    const auto p = static_cast<Index>(points.size()), n = s.dynamics->size();
    std::vector<double> x, q, parts[6];
    for (const FixedPoint& point : points) {
        x.insert(x.end(), point.x.begin(), point.x.end());
        q.push_back(point.q);
        const neuro::Spectrum& spectrum = *point.spectrum;
        for (Index k = 0; k < modes; ++k) {
            parts[0].push_back(spectrum.values[static_cast<std::size_t>(k)].real());
            parts[1].push_back(spectrum.values[static_cast<std::size_t>(k)].imag());
        }
        for (Index i = 0; i < n; ++i) {
            for (Index k = 0; k < modes; ++k) {
                parts[2].push_back(spectrum.right(i, k).real());
                parts[3].push_back(spectrum.right(i, k).imag());
                parts[4].push_back(spectrum.left(i, k).real());
                parts[5].push_back(spectrum.left(i, k).imag());
            }
        }
    }
    const std::vector<data::NpzMember> members = {
        member("x", {p, n}, x),
        member("q", {p}, q),
        member("input", {std::ssize(s.input)}, s.input),
        member("eigenvalues_real", {p, modes}, parts[0]),
        member("eigenvalues_imag", {p, modes}, parts[1]),
        member("right_real", {p, n, modes}, parts[2]),
        member("right_imag", {p, n, modes}, parts[3]),
        member("left_real", {p, n, modes}, parts[4]),
        member("left_imag", {p, n, modes}, parts[5]),
        member("states", {s.states.rows, n}, s.states.values)};
    const data::Bytes bytes = data::write_npz(members);
    data::write_file_atomically(folder.file("fixed_points.npz"), bytes);
}

void draw_points(const Subject& s, const std::vector<FixedPoint>& points,
                 train::RunFolder& folder) {
    constexpr Index kMostStates = 400;
    if (s.dynamics->size() < 2) return;
    const neuro::Pca pca = neuro::pca(s.states, {.components = 2});
    const linalg::Matrix p = pca.project(s.states);
    train::Series states{"states", {}, {}};
    const Index stride = std::max<Index>(1, p.rows / kMostStates);
    for (Index i = 0; i < p.rows; i += stride) {
        states.x.push_back(p(i, 0));
        states.y.push_back(p(i, 1));
    }
    std::vector<train::Series> series{std::move(states)};
    Index most = 0;
    for (const FixedPoint& point : points) most = std::max(most, point.spectrum->unstable);
    for (Index modes = 0; modes <= most; ++modes) {
        train::Series found{
            modes == 0 ? "stable" : concat(modes, " unstable mode", modes > 1 ? "s" : ""), {}, {}};
        for (const FixedPoint& point : points) {
            if (point.spectrum->unstable != modes) continue;
            const linalg::Matrix at = pca.project(linalg::Matrix(1, std::ssize(point.x), point.x));
            found.x.push_back(at(0, 0));
            found.y.push_back(at(0, 1));
        }
        if (!found.x.empty()) series.push_back(std::move(found));
    }
    const auto share = [&](std::size_t k) { return short_number(100 * pca.explained[k], 3); };
    folder.add(train::LinePlot{
        .text = {"points", "Fixed and slow points among the states of trials",
                 concat("The two leading principal components of the states of trials carry ",
                        share(0), " % and ", share(1),
                        " % of their variance. Points by their number of unstable modes.")},
        .x_label = "PC1",
        .y_label = "PC2",
        .series = std::move(series),
        .points = true});
}

std::string summary(const std::vector<Index>& histogram) {
    std::string text;
    for (std::size_t k = 0; k < histogram.size(); ++k) {
        if (histogram[k] == 0) continue;
        text += concat(text.empty() ? "" : ", ", histogram[k], " with ", k, " unstable mode",
                       k == 1 ? "" : "s");
    }
    return text.empty() ? "none" : text;
}

// A note and JSON on completeness: index sum and capture-recapture.
void judge_completeness(const Subject& s, const neuro::FixedPointReport& report, Analysis& a) {
    const neuro::IndexSum sum = neuro::index_sum(*s.dynamics, s.input, report);
    const neuro::PopulationEstimate estimate = neuro::capture_recapture(report);
    a.notes.push_back(concat("index sum ", sum.sum,
                             !sum.applicable ? " (no theorem for this net)"
                                             : (sum.proves_missing ? ": points are missing"
                                                                   : ": nothing is missing by it"),
                             "; capture-recapture expects ", short_number(estimate.total), " +- ",
                             short_number(std::sqrt(estimate.variance), 2), " points; ",
                             report.lost, " of ", report.seeds, " seeds led nowhere"));
    a.result["index_sum"] = {
        {"sum", sum.sum}, {"applicable", sum.applicable}, {"proves_missing", sum.proves_missing}};
    a.result["capture_recapture"] = {{"total", estimate.total}, {"variance", estimate.variance}};
    a.result["seeds"] = report.seeds;
    a.result["lost_seeds"] = report.lost;
}

}  // namespace

Analysis analyze_fixed_points(const Subject& s, const AnalyzeOptions& o, train::RunFolder& folder) {
    const neuro::FixedPointReport report = search(s, o);
    const std::vector<double> distance = neuro::distance_to_states(report.points, s.states);
    Analysis a;
    a.table = {{"point", "label", "q", "speed", "unstable", "|lambda|", "slowest_ms", "certified",
                "radius", "seeds", "distance", "outputs"}};
    a.result["tolerance"] = {{"fixed", o.tolerance}, {"slow", o.slow}};
    a.result["points"] = AnalysisJson::array();
    Index certified = 0;
    for (std::size_t k = 0; k < report.points.size(); ++k) {
        const FixedPoint& point = report.points[k];
        const neuro::Spectrum& spectrum = *point.spectrum;
        const neuro::Certificate c = neuro::certify(*s.dynamics, point.x, s.input);
        certified += c.certified ? 1 : 0;
        const double modulus = std::abs(spectrum.values.front());
        const double slowest = spectrum.time_constants.front() * s.tau_ms();
        const std::vector<double> z = s.outputs(point.x);
        a.table.push_back(
            {concat(k), name_of(point.label), short_number(point.q, 3),
             short_number(point.speed, 3), concat(spectrum.unstable), short_number(modulus, 5),
             short_number(slowest), c.certified ? "yes" : "no", short_number(c.existence_radius, 2),
             concat(point.found_by.size()), short_number(distance[k], 3), outputs_text(z)});
        a.result["points"].push_back({{"label", name_of(point.label)},
                                      {"q", point.q},
                                      {"speed", point.speed},
                                      {"unstable", spectrum.unstable},
                                      {"stable", spectrum.stable},
                                      {"modulus", modulus},
                                      {"slowest_ms", slowest},
                                      {"certified", c.certified},
                                      {"existence_radius", c.existence_radius},
                                      {"found_by", point.found_by.size()},
                                      {"distance", distance[k]},
                                      {"outputs", z}});
    }
    a.notes.push_back(
        concat(report.points.size(), " points, ", certified,
               " with a certificate; fixed points: ", summary(report.index_histogram())));
    judge_completeness(s, report, a);
    write_points(s, report.points, std::min(o.modes, s.dynamics->size()), folder);
    draw_points(s, report.points, folder);
    return a;
}

Analysis analyze_selection(const Subject& s, const AnalyzeOptions& o, train::RunFolder& folder) {
    const neuro::FixedPointReport report = search(s, o);
    SOMA_CHECK(report.points.size() >= 2, "soma analyze selection: found ", report.points.size(),
               " fixed or slow points at --slow ", o.slow,
               "; need at least 2, so a larger --slow or more --seeds");
    const double* row = s.readout.row(o.output - 1);
    const neuro::LineAttractor line =
        neuro::line_attractor(*s.dynamics, s.input, report.points,
                              neuro::Values(row, static_cast<std::size_t>(s.readout.cols)));
    Analysis a;
    a.table = {{"readout", "arc", "slow_modes", "lambda", "tau_ms", "drift"}};
    for (std::size_t i = 0; i < s.input.size(); ++i) a.table[0].push_back(concat("l.B", i + 1));
    a.result["points"] = AnalysisJson::array();
    train::LinePlot plot{
        .text =
            {"selection", "What each input does along the line",
             "Gain l.B of every input at the slow points, l the left eigenvector of the slowest "
             "mode: how far a unit of input in one step moves the net along it."},
        .x_label = concat("x.w, w the weights of output ", o.output),
        .y_label = "gain",
        .series = {}};
    plot.points = true;
    for (std::size_t i = 0; i < s.input.size(); ++i) {
        plot.series.push_back({concat("input ", i + 1), {}, {}});
    }
    for (const neuro::LinePoint& p : line.points) {
        const double modulus = std::abs(p.mode.eigenvalue);
        const double tau = -s.dynamics->dt() / std::log(modulus) * s.tau_ms();
        a.table.push_back({short_number(p.readout), short_number(p.arc), concat(p.slow_modes),
                           short_number(modulus, 5), short_number(tau),
                           short_number(p.drift_along, 2)});
        for (std::size_t i = 0; i < s.input.size(); ++i) {
            a.table.back().push_back(short_number(p.input_gain[i], 3));
            plot.series[i].x.push_back(p.readout);
            plot.series[i].y.push_back(p.input_gain[i]);
        }
        a.result["points"].push_back({{"readout", p.readout},
                                      {"arc", p.arc},
                                      {"slow_modes", p.slow_modes},
                                      {"modulus", modulus},
                                      {"oscillating", p.mode.oscillating},
                                      {"tau_ms", tau},
                                      {"drift_along", p.drift_along},
                                      {"drift_across", p.drift_across},
                                      {"input_gain", p.input_gain},
                                      {"predicted", p.predicted},
                                      {"simulated", p.simulated}});
    }
    a.result["dimension"] = line.dimension;
    a.result["variance_share"] = line.variance_share;
    a.notes.push_back(concat(line.points.size(), " points span ", line.dimension,
                             " dimensions; the first component carries ",
                             short_number(100 * line.variance_share.front(), 3),
                             " % of their variance"));
    folder.add(plot);
    return a;
}

}  // namespace soma::cli
