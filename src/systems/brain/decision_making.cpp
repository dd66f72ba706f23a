// A perceptual decision: the direction of noisy motion (task `rdm`, tasks/rdm.h; Britten, Shadlen,
// Newsome & Movshon 1992; Wong & Wang 2006; recipe after Dubreuil, Valente et al. 2022).
//
//     x_t = (1 - alpha) x_{t-1} + alpha (W r_{t-1} + B u_t) + sigma xi,  r = tanh x,  z = w_out r +
//     b N = 64, alpha = .2, sigma = .05; one input, trained on coherences +-1, 2, 4
//
// The best observer sums the evidence; it is known exactly, so every curve has its ceiling:
// choices against coherence, accuracy against the duration of the stimulus, and the time at which
// |z| passes half of its target against coherence. Without input the trained net has two stable
// points, the choices, and between them a saddle: evidence pushes the state over it, and its
// stable mode parts the basins.
//
// Deviations: none from a paper; definition and gates are soma's.

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "soma/core/parallel.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/certificate.h"
#include "soma/neuro/psychometric.h"
#include "soma/neuro/tasks/rdm.h"
#include "soma/systems/flow_figure.h"
#include "soma/systems/net_recipe.h"
#include "soma/train/report.h"
#include "systems/claim_run.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

constexpr const char* kName = "decision_making";
constexpr const char* kRecipe = "rdm";

struct Options {
    neuro::RdmOptions task = {.psychometric = {0, 0.1, 0.2, 0.5, 1, 2, 4}};
    Index units = 64;
    double sigma = 0.05, start_gain = 0.1;
    Index updates = 300, batch = 64;
    double rate = 1e-3, clip_norm = 1;
    Index trials_per_level = 400;
    std::vector<double> durations = {100, 200, 400, 800};  // ms
    double bound = 0.5;                                    // of |z|, for the time of a choice
    Index search_states = 512, trajectories = 32;
    int seeds = 10;
    double seeds_that_must_hold = 8;
};

NetRecipe recipe_of(const Options& o) {
    NetRecipe recipe;
    recipe.system = kName;
    recipe.name = kRecipe;
    recipe.task = neuro::make_rdm(o.task);
    const double sd = 1 / std::sqrt(static_cast<double>(o.units));
    recipe.net = {.units = o.units,
                  .layer = {.sigma = o.sigma,
                            .bias = false,
                            .recurrent = nn::Init::normal(o.start_gain * sd),
                            .input = nn::Init::normal(1)}};
    recipe.training = {.updates = o.updates,
                       .batch = o.batch,
                       .rate = o.rate,
                       .clip_norm = o.clip_norm,
                       .eval_every = 100,
                       .eval_trials = 512};
    return recipe;
}

// ---- measurements -----------------------------------------------------------------------------

// Of all trials with one coherence.
struct Level {
    double trials = 0, plus = 0, right = 0, ideal = 0;
    double decided = 0, time = 0;  // trials that passed the bound, and their mean time in ms
};

struct Behaviour {
    std::map<double, Level> levels;  // by coherence
    neuro::PsychometricFit fit;

    // Labels of trials are floats.
    const Level& at(double coherence) const {
        return levels.at(static_cast<double>(static_cast<float>(coherence)));
    }
};

// Step of the stimulus, from 1, at which |z| passes the bound; 0: never.
Index step_of_choice(std::span<const float> z, Index trials, Index k, const neuro::Epoch& stimulus,
                     double bound) {
    for (Index t = stimulus.begin; t < stimulus.end; ++t) {
        if (std::abs(static_cast<double>(z[static_cast<std::size_t>(t * trials + k)])) >= bound) {
            return t - stimulus.begin + 1;
        }
    }
    return 0;
}

Behaviour behave(neuro::TaskNet& net, const neuro::RdmOptions& options, const Options& o) {
    const auto task = neuro::make_rdm(options);
    const int coherence = task->label("coherence");
    const Index count = task->cells(neuro::Mode::psychometric) * o.trials_per_level;
    neuro::TaskBatch batch(*task, count);
    batch.fill(
        neuro::TrialSource(net.options().seed, neuro::Stream::analysis, neuro::Mode::psychometric),
        0);
    Tape tape(Tape::Mode::no_grad);
    const Tensor outputs = net.run(tape, batch, neuro::NoiseStream::evaluation).outputs.tensor();
    const auto z = outputs.data<float>();
    const auto scores = batch.scores(outputs);
    linalg::Matrix shown(count, 1);
    std::vector<int> chosen;
    Behaviour b;
    for (Index k = 0; k < count; ++k) {
        const auto at = static_cast<std::size_t>(k);
        const neuro::Trial& trial = batch.trials()[at];
        const auto c = static_cast<double>(trial.labels[static_cast<std::size_t>(coherence)]);
        const float last = z[static_cast<std::size_t>((batch.steps() - 1) * count + k)];
        Level& level = b.levels[c];
        ++level.trials;
        level.plus += last > 0 ? 1 : 0;
        level.right += scores[at].value_or(0.5);
        level.ideal += task->ideal_score(trial).value_or(0.5);
        const Index step = step_of_choice(z, count, k, trial.epoch("stimulus"), o.bound);
        level.decided += step > 0 ? 1 : 0;
        level.time += static_cast<double>(step) * task->dt();
        shown(k, 0) = c;
        chosen.push_back(last > 0 ? 1 : -1);
    }
    for (auto& [c, level] : b.levels) level.time /= std::max(level.decided, 1.0);
    b.fit = neuro::fit_psychometric(shown, chosen);
    return b;
}

struct Anatomy {
    std::unique_ptr<neuro::TaskNet> net;
    Behaviour behaviour;
    std::vector<Behaviour> by_duration;
    neuro::FixedPointReport points;
    neuro::IndexSum index_sum;

    bool is_bistable() const { return points.index_histogram() == std::vector<Index>{2, 1}; }
    // Largest loss against the best observer over the trained coherences, in %.
    double deficit(const std::vector<double>& trained) const {
        double most = 0;
        for (const auto& [c, level] : behaviour.levels) {
            if (std::count(trained.begin(), trained.end(), std::abs(c)) == 0) continue;
            most = std::max(most, 100 * (level.ideal - level.right) / level.trials);
        }
        return most;
    }
    double time_at(double magnitude) const {
        return (behaviour.at(magnitude).time + behaviour.at(-magnitude).time) / 2;
    }
};

Anatomy dissect(std::unique_ptr<neuro::TaskNet> net, const Options& o) {
    const SerialScope one_thread;  // nets run side by side
    Anatomy a;
    a.net = std::move(net);
    a.behaviour = behave(*a.net, o.task, o);
    for (const double ms : o.durations) {
        neuro::RdmOptions task = o.task;
        task.stimulus = ms;
        a.by_duration.push_back(behave(*a.net, task, o));
    }
    const auto task = neuro::make_rdm(o.task);
    const auto d = a.net->dynamics();
    const double no_input[] = {0};
    a.points = neuro::find_fixed_points(
        *d, no_input,
        neuro::make_seeds(neuro::sample_states(*a.net, *task, o.trajectories),
                          {.count = o.search_states, .seed = a.net->options().seed}));
    a.index_sum = neuro::index_sum(*d, no_input, a.points);
    return a;
}

// ---- figures ----------------------------------------------------------------------------------

constexpr int kBlack = 7;

// Mean and standard deviation over nets.
template <class F>
void add_mean(train::Series& s, double x, const std::vector<Anatomy>& nets, F value) {
    std::vector<double> values;
    for (const Anatomy& a : nets) values.push_back(value(a));
    train::add_mean(s, x, values);
}

// Sums the noisy input of `ms`.
neuro::PsychometricFit best_observer(const Options& o, double ms) {
    return {.weights = {o.task.gain * std::sqrt(ms / o.task.dt) / o.task.noise}};
}

void draw_choices(train::RunFolder& folder, const std::vector<Anatomy>& nets, const Options& o) {
    train::Series shares{"nets", {}, {}}, fit{"", {}, {}}, best{"best observer", {}, {}};
    for (const auto& [c, first] : nets[0].behaviour.levels) {
        if (std::abs(c) > 1) continue;
        add_mean(shares, c, nets, [c = c](const Anatomy& a) {
            const Level& level = a.behaviour.at(c);
            return 100 * level.plus / level.trials;
        });
    }
    const neuro::PsychometricFit observer = best_observer(o, o.task.stimulus);
    for (int k = -60; k <= 60; ++k) {
        const double c[] = {k / 60.0};
        double sum = 0;
        for (const Anatomy& a : nets) sum += neuro::choice_probability(a.behaviour.fit, c);
        fit.x.push_back(c[0]);
        fit.y.push_back(100 * sum / static_cast<double>(nets.size()));
        best.x.push_back(c[0]);
        best.y.push_back(100 * neuro::choice_probability(observer, c));
    }
    shares.marks = true;
    fit.color = 1;
    best.color = kBlack;
    folder.add(train::LinePlot{
        .text = {"psychometric", "Choices against the coherence of the motion",
                 concat("Mean and standard deviation of ", nets.size(),
                        " nets, with their fits, beside the best observer of the same input. "
                        "Trained on coherences from 1 on.")},
        .x_label = "coherence",
        .y_label = "choices to the right (%)",
        .series = {shares, fit, best},
        .y_limits = {{-2, 102}}});
}

void draw_durations(train::RunFolder& folder, const std::vector<Anatomy>& nets, const Options& o) {
    train::LinePlot plot{
        .text = {"durations", "Accuracy against the duration of the stimulus",
                 concat("Mean and standard deviation of ", nets.size(),
                        " nets trained on 800 ms (points), and the best observer (curves).")},
        .x_label = "duration (ms)",
        .y_label = "right choices (%)",
        .series = {},
        .y_limits = {{50, 101}}};
    int color = 1;
    for (const double c : {0.2, 0.5, 1.0}) {
        train::Series own{concat("coherence ", c), {}, {}}, best{"", {}, {}};
        for (std::size_t k = 0; k < o.durations.size(); ++k) {
            add_mean(own, o.durations[k], nets, [&](const Anatomy& a) {
                const Level &right = a.by_duration[k].at(c), &left = a.by_duration[k].at(-c);
                return 50 * (right.right / right.trials + left.right / left.trials);
            });
        }
        for (double ms = o.durations.front(); ms <= o.durations.back(); ms += o.task.dt) {
            best.x.push_back(ms);
            best.y.push_back(100 * neuro::choice_probability(best_observer(o, ms), {&c, 1}));
        }
        own.marks = true;
        own.color = best.color = color++;
        plot.series.push_back(std::move(own));
        plot.series.push_back(std::move(best));
    }
    folder.add(plot);
}

void draw_times(train::RunFolder& folder, const std::vector<Anatomy>& nets, const Options& o) {
    train::Series times{"nets", {}, {}};
    for (const double c : o.task.psychometric) {
        if (c == 0) continue;
        add_mean(times, c, nets, [c](const Anatomy& a) { return a.time_at(c); });
    }
    folder.add(train::LinePlot{
        .text = {"chronometric", "Time of the choice against coherence",
                 concat("From the beginning of the motion until |z| passes ", o.bound,
                        ", in trials where it does; mean and standard deviation of ", nets.size(),
                        " nets.")},
        .x_label = "coherence",
        .y_label = "time of choice (ms)",
        .series = {times},
        .log_x = true});
}

// The plane of both choices and of the input's part across it, through the saddle.
neuro::Plane plane_of(const Anatomy& a, const neuro::Dynamics& d) {
    const neuro::FixedPoint *saddle = nullptr, *ends[2] = {nullptr, nullptr};
    for (const neuro::FixedPoint& p : a.points.points) {
        if (p.spectrum->unstable == 1) saddle = &p;
        if (p.spectrum->stable) ends[ends[0] != nullptr] = &p;
    }
    const std::size_t n = saddle->x.size();
    const double no_input[] = {0};
    std::vector<double> across(n), along(n);
    d.input_jacobian(saddle->x, no_input, across);
    for (std::size_t i = 0; i < n; ++i) along[i] = ends[1]->x[i] - ends[0]->x[i];
    // Evidence for the right moves to the right.
    if (std::inner_product(along.begin(), along.end(), across.begin(), 0.0) < 0) {
        for (double& v : along) v = -v;
    }
    return neuro::orthonormal_plane(saddle->x, along, across);
}

void draw_state_space(train::RunFolder& folder, const Anatomy& a, const Options& o) {
    const auto d = a.net->dynamics();
    const neuro::Plane plane = plane_of(a, *d);
    std::vector<train::Series> series;
    for (const double c : {-2.0, -1.0, -0.5, 0.5, 1.0, 2.0}) {
        linalg::Matrix path(0, d->size());
        std::vector<double> x = a.net->start(), next(x.size());
        for (double ms = 0; ms < 2 * o.task.stimulus; ms += o.task.dt) {
            const double u[] = {ms < o.task.stimulus ? o.task.gain * c : 0};
            d->step(x, u, next);
            x.swap(next);
            path.append_row(x);
        }
        series.push_back(curve_in(plane, path, concat("coherence ", c)));
    }
    for (const Index modes : {Index{0}, Index{1}}) {
        linalg::Matrix points(0, d->size());
        for (const neuro::FixedPoint& p : a.points.points) {
            if (p.spectrum->unstable != modes) continue;
            points.append_row(p.x);
        }
        series.push_back(curve_in(plane, points, modes == 0 ? "stable" : "saddle"));
        series.back().marks = true;
        series.back().color = modes == 0 ? kBlack : 2;
    }
    const double no_input[] = {0};
    std::vector<train::Arrow> arrows = flow_over(series, plane, *d, no_input);
    folder.add(train::LinePlot{
        .text = {"state-space", "Two choices and the saddle between them",
                 "Noiseless trials, evidence for the first 800 of 1,600 ms; fixed points and flow "
                 "without input, in the plane of both choices and the input. First bistable net."},
        .x_label = "from choice to choice",
        .y_label = "along the input",
        .series = std::move(series),
        .arrows = std::move(arrows)});
}

// ---- claims -----------------------------------------------------------------------------------

class Experiment {
public:
    Experiment(ClaimRun& run, const Options& o) : run_(run), o_(o) {}

    void claims() {
        const Gate most = run_.on_most_seeds(o_.seeds_that_must_hold, o_.seeds);
        std::vector<Claim> list{
            make("accuracy", "largest loss to the best observer at a trained coherence (%)",
                 "accuracy", Gate::at_most(2)),
            make("slope", "slope of the psychometric function, as a share of the best observer's",
                 "accuracy", {}),
            make("lapse", "lapse rate (%)", "accuracy", Gate::at_most(1)),
            make("chronometric", "seeds that decide sooner the higher the coherence", "count",
                 most),
            make("bistable", "seeds with two stable points and one saddle without input", "count",
                 most),
            make("index-sum", "seeds whose fixed points have the index sum +1", "theorem", most)};
        run_.claims(list, [&](std::vector<Claim>& c) {
            if (skip_without_lapack(c)) return;
            all_ = run_.for_every_seed<Anatomy>("nets",
                                                [&](std::uint64_t seed) { return study(seed); });
            if (run_.stopped()) return;
            for (Claim& claim : c) {
                claim.seeds = run_.seeds();
                claim.values = values(claim.id);
            }
        });
    }

    void draw() {
        train::RunFolder* folder = run_.context().folder;
        if (folder == nullptr || all_.empty() || run_.stopped()) return;
        draw_choices(*folder, all_, o_);
        draw_durations(*folder, all_, o_);
        draw_times(*folder, all_, o_);
        const auto bistable = std::find_if(all_.begin(), all_.end(),
                                           [](const Anatomy& a) { return a.is_bistable(); });
        if (bistable != all_.end()) draw_state_space(*folder, *bistable, o_);
    }

private:
    bool sooner_with_coherence(const Anatomy& a) const {
        const std::vector<double>& c = o_.task.coherences;
        for (std::size_t k = 1; k < c.size(); ++k) {
            if (!(a.time_at(c[k]) < a.time_at(c[k - 1]))) return false;
        }
        return true;
    }

    // An untrained net, which a stop leaves, is not worth taking apart.
    Anatomy study(std::uint64_t seed) const {
        auto net = train_new(recipe_of(o_), seed, [&] { return run_.stopped(); }).net;
        return run_.stopped() ? Anatomy{} : dissect(std::move(net), o_);
    }

    std::vector<double> values(const std::string& id) const {
        const double best = best_observer(o_, o_.task.stimulus).weights[0];
        std::vector<double> each;
        for (const Anatomy& a : all_) {
            if (id == "accuracy") each.push_back(a.deficit(o_.task.coherences));
            if (id == "slope") each.push_back(a.behaviour.fit.weights[0] / best);
            if (id == "lapse") each.push_back(100 * a.behaviour.fit.lapse);
        }
        if (!each.empty()) return each;
        return {static_cast<double>(std::count_if(all_.begin(), all_.end(), [&](const Anatomy& a) {
            if (id == "chronometric") return sooner_with_coherence(a);
            if (id == "bistable") return a.is_bistable();
            return a.index_sum.applicable && a.index_sum.sum == 1;
        }))};
    }

    Claim make(const std::string& id, const std::string& text, const char* kind, Gate gate) const {
        Claim c = stated(id, text, kind,
                         "soma's own gates; task of Dubreuil, Valente et al. 2022, `rdm.py`", gate);
        c.set = kRecipe;
        c.samples = o_.trials_per_level;
        return c;
    }

    ClaimRun& run_;
    const Options& o_;
    std::vector<Anatomy> all_;
};

}  // namespace

Reproduction reproduce_decision_making(const ReproduceContext& context) {
    const Options o;
    ClaimRun run(context, kName, o.seeds);
    run.headline("motion discrimination, 64 tanh units, 300 updates of 64 trials");
    Experiment experiment(run, o);
    experiment.claims();
    experiment.draw();
    return run.finish();
}

NetRecipe decision_making_net(const std::string& recipe) {
    SOMA_CHECK(recipe.empty() || recipe == kRecipe, kName, ": it has one recipe, '", kRecipe,
               "', not '", recipe, "'");
    return recipe_of(Options{});
}

train::TrainResult train_decision_making(const train::TrainOptions& options, dist::Comm& comm) {
    return train_net(decision_making_net(options.recipe), options, comm);
}

}  // namespace soma::systems
