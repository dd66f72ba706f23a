#include <cmath>

#include "soma/core/error.h"
#include "soma/neuro/tasks/batch.h"
#include "soma/train/report.h"
#include "systems/brain/lowrank2022.h"

namespace soma::systems {
namespace {

constexpr std::size_t kMostUnits = 512;  // in a scatter plot

struct Spread {
    double mean = 0, sd = 0;
};

Spread spread(const std::vector<double>& values) {
    Spread s;
    const auto n = static_cast<double>(values.size());
    for (const double v : values) s.mean += v / n;
    for (const double v : values) s.sd += (v - s.mean) * (v - s.mean);
    s.sd = values.size() > 1 ? std::sqrt(s.sd / (n - 1)) : 0;
    return s;
}

// Loadings a and b of the units of each population, and the line of regression of b on a.
train::LinePlot scatter(const LowRankStudy& study, const train::FigureText& text, Index a, Index b,
                        const std::string& a_label, const std::string& b_label) {
    const neuro::GaussianMixture& fit = study.resampled.back().fit;
    const std::vector<Index> population = neuro::assign(fit, study.points);
    train::LinePlot plot{.text = text, .x_label = a_label, .y_label = b_label, .series = {}};
    plot.points = true;
    for (Index k = 0; k < fit.components(); ++k) {
        train::Series units{concat("population ", k + 1), {}, {}};
        for (Index i = 0; i < study.points.rows && units.x.size() < kMostUnits; ++i) {
            if (population[static_cast<std::size_t>(i)] != k) continue;
            units.x.push_back(study.points(i, a));
            units.y.push_back(study.points(i, b));
        }
        plot.series.push_back(std::move(units));
    }
    return plot;
}

}  // namespace

void draw_resampling(train::RunFolder& folder, const std::vector<std::vector<LowRankStudy>>& all) {
    train::BarChart chart;
    chart.text = {"resampling", "Nets drawn from the statistics of trained ones",
                  "Accuracy of trained nets and of nets drawn from one or two Gaussians fitted to "
                  "their loadings: mean and standard deviation over seeds. mante and dms need "
                  "populations."};
    chart.y_label = "accuracy";
    const char* labels[] = {"trained", "one Gaussian", "two populations"};
    for (const char* label : labels) chart.series.push_back({label, {}, {}});
    for (const auto& studies : all) {
        chart.labels.push_back(studies.front().recipe.name);
        std::vector<std::vector<double>> values(3);
        for (const LowRankStudy& s : studies) {
            values[0].push_back(s.score);
            for (std::size_t k = 0; k < 2; ++k) values[k + 1].push_back(s.resampled[k].mean());
        }
        for (std::size_t k = 0; k < 3; ++k) {
            const Spread s = spread(values[k]);
            chart.series[k].values.push_back(s.mean);
            chart.series[k].error.push_back(s.sd);
        }
    }
    chart.references = {{"chance", 0.5}};
    folder.add(chart);
}

void draw_connectivity(train::RunFolder& folder, const LowRankStudy& mante) {
    const neuro::LoadingSpace& s = mante.space;
    const std::string caption =
        "Each point is a unit of the context-dependent net of the first seed, coloured by its "
        "population. ";
    folder.add(scatter(mante,
                       {"contexts", "Which context drives which population",
                        caption + "A population with large weights from a context is saturated, "
                                  "and silent, in it."},
                       s.input(2), s.input(3), "weight from context 1", "weight from context 2"));
    folder.add(scatter(mante,
                       {"sense-1", "What passes on sense 1",
                        caption + "The population in which input weight and n are correlated "
                                  "passes sense 1 to the latent variable."},
                       s.input(0), s.n(0), "weight from sense 1", "n"));
    folder.add(scatter(mante,
                       {"sense-2", "What passes on sense 2",
                        caption + "The same for sense 2: it is the other population."},
                       s.input(1), s.n(0), "weight from sense 2", "n"));
    train::HeatMap map;
    map.text = {"overlaps", "Overlaps of the loadings",
                "Overlaps between the vectors of the same net, a^T b / (|a| |b|): n with I lets "
                "inputs in, m with n drives the latent variable, m with w is what is read."};
    const linalg::Matrix o = neuro::overlaps(mante.points);
    map.value_label = "cosine";
    map.rows = map.cols = o.rows;
    for (Index i = 0; i < o.rows; ++i) {
        for (Index j = 0; j < o.cols; ++j) {
            const double cosine = o(i, j) / std::sqrt(o(i, i) * o(j, j));
            map.values.push_back(std::round(100 * cosine) / 100);  // as it is printed
        }
    }
    map.row_labels = map.col_labels = s.names();
    map.diverging = true;
    map.print_values = true;
    folder.add(map);
}

void draw_gating(train::RunFolder& folder, const LowRankStudy& mante) {
    const neuro::LowRankDynamics d = latent_dynamics(mante);
    train::LinePlot plot{
        .text = {"gating", "One latent variable, gated by context",
                 "Velocity of the latent variable of the context-dependent net in context 1, first "
                 "seed: sense 1 moves it, sense 2 hardly does. Zeros are fixed points."},
        .x_label = "latent variable kappa",
        .y_label = "velocity (per tau)",
        .series = {}};
    const struct {
        const char* label;
        double sense_1, sense_2;
    } cases[] = {{"no sense", 0, 0}, {"attended +0.4", 0.4, 0}, {"ignored +0.4", 0, 0.4}};
    for (const auto& c : cases) {
        const std::vector<double> u = mante_input(c.sense_1, c.sense_2, 1);
        train::Series series{c.label, {}, {}};
        for (int i = -60; i <= 60; ++i) {
            const double kappa = 0.02 * i;
            double next = 0;
            d.step({&kappa, 1}, u, {&next, 1});
            series.x.push_back(kappa);
            series.y.push_back((next - kappa) / d.alpha());
        }
        plot.series.push_back(std::move(series));
    }
    plot.references = {{"", 0.0}};
    folder.add(plot);
}

// kappa_t = (1 - alpha) kappa_{t-1} + alpha n^T f(x_{t-1}) / N along trials without noise in the
// net.
void draw_memory(train::RunFolder& folder, const LowRankStudy& romo) {
    constexpr Index kPairs[] = {0, 15, 30, 45};
    const auto d = romo.net->dynamics();
    const neuro::TrialSource source(romo.seed, neuro::Stream::analysis, neuro::Mode::grid);
    train::LinePlot plot{
        .text = {"memory", "Two latent variables keep a frequency",
                 "Paths of the latent variables of the rank-2 net of the first seed from rest, up "
                 "to the end of the delay: the frequency f1 stays on one of them."},
        .x_label = "kappa 1",
        .y_label = "kappa 2",
        .series = {}};
    for (const Index pair : kPairs) {
        neuro::TaskBatch batch(*romo.recipe.task, 1);
        batch.fill(source, static_cast<std::uint32_t>(pair));
        const neuro::Trial& trial = batch.trials()[0];
        const Tensor input = batch.u();
        const auto f1 = static_cast<std::size_t>(romo.recipe.task->label("f1"));
        train::Series path{concat("f1 = ", trial.labels[f1], " Hz"), {}, {}};
        std::vector<double> x(static_cast<std::size_t>(d->size())), next = x, kappa(2);
        for (Index t = 0; t < trial.epoch("f2").begin; ++t) {
            for (Index r = 0; r < 2; ++r) {
                double drive = 0;
                for (Index i = 0; i < d->size(); ++i) {
                    drive +=
                        romo.points(i, romo.space.n(r)) * std::tanh(x[static_cast<std::size_t>(i)]);
                }
                double& k = kappa[static_cast<std::size_t>(r)];
                k += d->alpha() * (drive / static_cast<double>(d->size()) - k);
            }
            const double u = input.data<float>()[static_cast<std::size_t>(t)];
            d->step(x, {&u, 1}, next);
            std::swap(x, next);
            path.x.push_back(kappa[0]);
            path.y.push_back(kappa[1]);
        }
        plot.series.push_back(std::move(path));
    }
    folder.add(plot);
}

}  // namespace soma::systems
