#include "systems/brain/mante_anatomy.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "soma/core/parallel.h"
#include "soma/neuro/tasks/batch.h"

namespace soma::systems {
namespace {

using linalg::Matrix;
using neuro::Mode;
using neuro::Stream;
using neuro::TaskBatch;
using neuro::Trial;
using neuro::TrialSource;

constexpr Index kSenses = 2, kInputs = 4, kBatch = 648;
// Labels of the task, in its order.
enum Label { kCoherence1, kCoherence2, kContext, kChoice };

int context_of(const Trial& trial) { return static_cast<int>(trial.labels[kContext]) - 1; }
double relevant_of(const Trial& trial) {
    return static_cast<double>(trial.labels[static_cast<std::size_t>(context_of(trial))]);
}
double irrelevant_of(const Trial& trial) {
    return static_cast<double>(trial.labels[static_cast<std::size_t>(1 - context_of(trial))]);
}

// The sign of the mean output in the decision, of each trial of z [T, B, 1].
std::vector<int> choices_of(const TaskBatch& batch, const Tensor& z) {
    const auto value = z.data<float>();
    std::vector<int> choices;
    for (Index b = 0; b < batch.size(); ++b) {
        const neuro::Epoch decision = batch.trials()[static_cast<std::size_t>(b)].epoch("decision");
        double sum = 0;
        for (Index t = decision.begin; t < decision.end; ++t) {
            sum += static_cast<double>(value[static_cast<std::size_t>(t * batch.size() + b)]);
        }
        choices.push_back(sum > 0 ? 1 : -1);
    }
    return choices;
}

// ---- behaviour --------------------------------------------------------------------------------

struct Counts {
    double plus = 0, all = 0;
};

ChoiceCurve curve_of(const std::map<double, Counts>& counts) {
    ChoiceCurve curve;
    for (const auto& [coherence, c] : counts) {
        curve.coherence.push_back(coherence);
        curve.share.push_back(c.plus / c.all);
    }
    return curve;
}

void measure_choices(ManteAnatomy& a, const neuro::Task& task, const ManteAnalysis& analysis) {
    const TrialSource source(a.net->options().seed, Stream::analysis, Mode::psychometric);
    const Index trials = task.cells(Mode::psychometric) * analysis.choices_per_cell;
    std::array<std::array<std::map<double, Counts>, 2>, 2> counts;  // [context][irrelevant]
    std::array<Matrix, 2> evidence{Matrix(0, kSenses), Matrix(0, kSenses)};
    std::array<std::vector<int>, 2> chosen;
    for (Index first = 0; first < trials; first += kBatch) {
        TaskBatch batch(task, std::min(kBatch, trials - first));
        batch.fill(source, static_cast<std::uint32_t>(first));
        Tape tape(Tape::Mode::no_grad);
        const auto pass = a.net->run(tape, batch, neuro::NoiseStream::evaluation);
        const std::vector<int> choices = choices_of(batch, pass.outputs.tensor());
        for (std::size_t b = 0; b < choices.size(); ++b) {
            const Trial& trial = batch.trials()[b];
            const auto context = static_cast<std::size_t>(context_of(trial));
            const double shown[] = {relevant_of(trial), irrelevant_of(trial)};
            for (std::size_t k = 0; k < 2; ++k) {
                Counts& c = counts[context][k][shown[k]];
                c.plus += choices[b] > 0 ? 1 : 0;
                c.all += 1;
            }
            evidence[context].append_row(shown);
            chosen[context].push_back(choices[b]);
        }
    }
    for (std::size_t k = 0; k < 2; ++k) {
        a.contexts[k].relevant = curve_of(counts[k][0]);
        a.contexts[k].irrelevant = curve_of(counts[k][1]);
        a.contexts[k].choices = neuro::fit_psychometric(evidence[k], chosen[k]);
    }
}

// ---- dynamics ---------------------------------------------------------------------------------

// States while there is evidence and while it is remembered, of all trials of the context.
Matrix states_of_context(const neuro::Dynamics& d, const std::vector<double>& start,
                         const TaskBatch& batch, int context) {
    Matrix states(0, d.size());
    for (Index b = 0; b < batch.size(); ++b) {
        const Trial& trial = batch.trials()[static_cast<std::size_t>(b)];
        if (context_of(trial) != context) continue;
        const Matrix path = noiseless_states(d, start, batch, b);
        const Index begin = trial.epoch("stimulus").begin, end = trial.epoch("decision").begin;
        states.values.insert(states.values.end(), path.row(begin), path.row(end));
        states.rows += end - begin;
    }
    return states;
}

double rms_gain(const neuro::LineAttractor& line, Index input) {
    double sum = 0;
    for (const neuro::LinePoint& p : line.points) {
        const double gain = p.input_gain[static_cast<std::size_t>(input)];
        sum += gain * gain;
    }
    return std::sqrt(sum / static_cast<double>(line.points.size()));
}

// 1 - |simulated - predicted|^2 / |simulated - mean|^2 over the points.
double r_squared(const neuro::LineAttractor& line, std::size_t input) {
    double mean = 0, residual = 0, total = 0;
    for (const neuro::LinePoint& p : line.points) mean += p.simulated[input];
    mean /= static_cast<double>(line.points.size());
    for (const neuro::LinePoint& p : line.points) {
        residual += std::pow(p.simulated[input] - p.predicted[input], 2);
        total += std::pow(p.simulated[input] - mean, 2);
    }
    return total > 0 ? 1 - residual / total : 0;
}

void find_line(ContextAnatomy& c, const neuro::Dynamics& d, const Matrix& states,
               const std::vector<double>& readout, const ManteAnalysis& analysis, int context) {
    c.slow = neuro::slow_points(d, c.input, states, readout);
    if (c.slow.points.size() < 2) return;
    c.line =
        neuro::line_attractor(d, c.input, c.slow.points, readout,
                              {.slow_modulus = analysis.slow_modulus, .settle = analysis.settle});
    double good = 0;
    for (const neuro::LinePoint& p : c.line.points) {
        const auto& values = c.slow.points[static_cast<std::size_t>(p.point)].spectrum->values;
        good += p.slow_modes == 1 && std::abs(values[1]) < analysis.fast_modulus ? 1 : 0;
    }
    c.one_mode_share = good / static_cast<double>(c.line.points.size());
    c.selectivity = rms_gain(c.line, context) / rms_gain(c.line, 1 - context);
    c.pulse_r2 = r_squared(c.line, static_cast<std::size_t>(context));
}

// ---- population -------------------------------------------------------------------------------

// Rates of correct and wrong trials of the whole table of conditions, from the beginning of the
// evidence to the decision.
struct Recording {
    neuro::Responses rates;
    std::vector<Trial> trials;
    std::vector<int> choices;
    Index first_step = 0;
};

Recording record(neuro::TaskNet& net, const neuro::Task& task, Index repeats) {
    const Index count = task.cells(Mode::grid) * repeats;
    const TrialSource source(net.options().seed, Stream::analysis, Mode::grid);
    TaskBatch batch(task, count);
    batch.fill(source, 0);
    Tape tape(Tape::Mode::no_grad);
    const auto pass = net.run(tape, batch, neuro::NoiseStream::evaluation);
    Recording r;
    r.trials.assign(batch.trials().begin(), batch.trials().end());
    r.choices = choices_of(batch, pass.outputs.tensor());
    r.first_step = r.trials[0].epoch("stimulus").begin;
    const Index steps = r.trials[0].epoch("decision").begin - r.first_step;
    const Index units = net.layer().units();
    r.rates = neuro::Responses(count, steps, units);
    const Tensor rates = pass.rates.tensor();
    const auto value = rates.data<float>();
    for (Index k = 0; k < count; ++k) {
        for (Index t = 0; t < steps; ++t) {
            const auto* from = value.data() + ((r.first_step + t) * count + k) * units;
            std::copy(from, from + units, r.rates.states.row(k * steps + t));
        }
    }
    return r;
}

Matrix variables_of(const Recording& r) {
    Matrix x(r.rates.trials, 4);
    for (Index k = 0; k < x.rows; ++k) {
        const Trial& trial = r.trials[static_cast<std::size_t>(k)];
        x(k, 0) = r.choices[static_cast<std::size_t>(k)];
        x(k, 1) = static_cast<double>(trial.labels[kCoherence1]);
        x(k, 2) = static_cast<double>(trial.labels[kCoherence2]);
        x(k, 3) = 2 * static_cast<double>(trial.labels[kContext]) - 3;
    }
    return x;
}

// Means over correct trials with one coherence of `sense` and one choice.
std::vector<MeanPath> mean_paths(const Recording& r, const neuro::Responses& along, int context,
                                 std::size_t sense) {
    std::map<std::pair<double, double>, std::pair<MeanPath, double>> sums;
    for (Index k = 0; k < along.trials; ++k) {
        const Trial& trial = r.trials[static_cast<std::size_t>(k)];
        const int choice = r.choices[static_cast<std::size_t>(k)];
        if (context_of(trial) != context || static_cast<float>(choice) * trial.labels[kChoice] < 0)
            continue;
        const auto coherence = static_cast<double>(trial.labels[sense]);
        auto& [path, count] = sums[{choice, coherence}];
        if (count == 0) {
            path = {coherence, static_cast<double>(choice), Matrix(along.steps, along.units())};
        }
        ++count;
        const double* from = along.states.row(k * along.steps);
        for (double& v : path.along.values) v += *from++;
    }
    std::vector<MeanPath> paths;
    for (auto& [key, sum] : sums) {
        for (double& v : sum.first.along.values) v /= sum.second;
        paths.push_back(std::move(sum.first));
    }
    return paths;
}

// Along axis 1 + sense: the largest distance over time between the paths of the strongest evidence
// for and against, each the mean over choices.
double excursion(const std::vector<MeanPath>& paths, Index sense) {
    double strongest = 0, largest = 0;
    for (const MeanPath& p : paths) strongest = std::max(strongest, p.coherence);
    for (Index t = 0; t < paths.front().along.rows; ++t) {
        double sum[2] = {0, 0}, count[2] = {0, 0};
        for (const MeanPath& p : paths) {
            if (std::abs(p.coherence) != strongest) continue;
            sum[p.coherence > 0] += p.along(t, 1 + sense);
            ++count[p.coherence > 0];
        }
        largest = std::max(largest, sum[1] / count[1] - sum[0] / count[0]);
    }
    return largest;
}

// Median over the points of the angle between the line and the choice axis, both as z-scored
// rates: a small step r along the line changes rate i by f'(x_i) r_i.
double angle_to_choice(const ContextAnatomy& c, const neuro::Tdr& tdr) {
    std::vector<double> angles;
    for (const neuro::LinePoint& p : c.line.points) {
        const std::vector<double>& x = c.slow.points[static_cast<std::size_t>(p.point)].x;
        double dot = 0, norm = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double rate = std::tanh(x[i]);
            const double step = (1 - rate * rate) * p.mode.direction[i] / tdr.scale[i];
            dot += step * tdr.axes(static_cast<Index>(i), 0);
            norm += step * step;
        }
        angles.push_back(std::acos(std::min(1.0, std::abs(dot) / std::sqrt(norm))));
    }
    return angles.empty() ? 90 : neuro::quantile(angles, 0.5) * 180 / std::acos(-1.0);
}

void measure_population(ManteAnatomy& a, const neuro::Task& task, const ManteAnalysis& analysis) {
    const Recording r = record(*a.net, task, analysis.tdr_trials_per_cell);
    a.tdr = neuro::tdr(r.rates, variables_of(r));
    const neuro::Responses along = a.tdr.project(r.rates);
    for (int k = 0; k < 2; ++k) {
        ContextAnatomy& c = a.contexts[static_cast<std::size_t>(k)];
        for (std::size_t sense = 0; sense < 2; ++sense) {
            c.paths[sense] = mean_paths(r, along, k, sense);
        }
        c.angle_to_choice = angle_to_choice(c, a.tdr);
    }
    const auto share = [&](std::size_t sense) {
        const auto of = [&](std::size_t context) {
            return excursion(a.contexts[context].paths[sense], static_cast<Index>(sense));
        };
        return of(1 - sense) / of(sense);
    };
    a.irrelevant_excursion = std::min(share(0), share(1));
}

}  // namespace

Matrix noiseless_states(const neuro::Dynamics& d, const std::vector<double>& start,
                        const TaskBatch& batch, Index trial) {
    const Tensor input = batch.u();
    const auto u = input.data<float>();
    Matrix states(batch.steps(), d.size());
    std::vector<double> now(static_cast<std::size_t>(d.inputs()));
    const double* from = start.data();
    for (Index t = 0; t < batch.steps(); ++t) {
        const auto at = u.begin() + (t * batch.size() + trial) * d.inputs();
        std::copy(at, at + d.inputs(), now.begin());
        const auto n = static_cast<std::size_t>(d.size());
        d.step({from, n}, now, {states.row(t), n});
        from = states.row(t);
    }
    return states;
}

ManteAnatomy dissect_mante(std::unique_ptr<neuro::TaskNet> net, const neuro::ManteOptions& options,
                           const ManteAnalysis& analysis) {
    const SerialScope one_thread;  // nets run side by side
    const auto task = neuro::make_mante(options);
    ManteAnatomy a;
    a.net = std::move(net);
    a.score = neuro::evaluate_task(*a.net, *task, analysis.score_trials).score;
    measure_choices(a, *task, analysis);

    neuro::ManteOptions quiet = options;
    quiet.noise = 0;
    const auto quiet_task = neuro::make_mante(quiet);
    TaskBatch batch(*quiet_task, quiet_task->cells(Mode::grid));
    batch.fill(TrialSource(a.net->options().seed, Stream::analysis, Mode::grid), 0);
    const auto d = a.net->dynamics();
    const Matrix w = a.net->readout();
    const std::vector<double> readout(w.row(0), w.row(0) + w.cols);
    for (int k = 0; k < 2; ++k) {
        ContextAnatomy& c = a.contexts[static_cast<std::size_t>(k)];
        c.input.assign(kInputs, 0);
        c.input[static_cast<std::size_t>(kSenses + k)] = options.amplitude;
        find_line(c, *d, states_of_context(*d, a.net->start(), batch, k), readout, analysis, k);
    }
    measure_population(a, *task, analysis);
    return a;
}

}  // namespace soma::systems
