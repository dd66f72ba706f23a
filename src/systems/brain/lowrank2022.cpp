// Dubreuil, Valente, Beiran, Mastrogiuseppe & Ostojic 2022, "The role of population structure in
// computations through neural dynamics", Nature Neuroscience 25, 783-794.
//
// Nets whose recurrent weights are of rank R = 1 or 2 learn five tasks:
//
//     x_t = (1 - alpha) x_{t-1} + alpha (m n^T tanh(x_{t-1}) / N + I u_t) + sigma xi
//     z   = w^T tanh(x) / N        alpha = .2, sigma = .05 (romo .005), N = 512
//
// A unit is a point (m, n, I, w), a net a cloud of points. A Gaussian is fitted to the cloud and a
// new net drawn from it. Where that net still solves the task (rdm, romo, raposo), the covariances
// of the cloud are all there is to the computation. Where it fails (mante, dms), the units form
// populations: in mante, a context input saturates one population, which silences the sensory input
// that it passes on. Two populations then do most of what one cannot.
//
// One Gaussian gives all units the same gain, so the context cannot favour a sense: with
// independent senses and |c| in {1, 2, 4}, such a net is right where the senses agree (1/2), and
// where they do not, where the attended one is stronger (1/3) or is as strong and favoured by
// chance (1/6): 1/2 + 1/2 (1/3 + 1/6) = 3/4 of the trials.
//
// Source of recipes and procedure: the authors' repository populations_paper_code
// (training_scripts, clustering.py).
//
// Deviations: romo and dms nets start from random vectors, not from the SVD of a full-rank net; dms
// trains at delays to 700 ms only; I and w of rdm, romo, dms stay as drawn, without a trained gain;
// the context input of mante is .5 as in the script of figure 3, at the 512 units of figure 1;
// resampled mante and dms nets have 4,096 units, as the nets of figure 3; EM with zero means
// instead of variational Bayes with a prior on them; ePAIRS with a p-value of its own
// (neuro/epairs.h).

#include "systems/brain/lowrank2022.h"

#include <cmath>
#include <map>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/core/text.h"
#include "soma/linalg/linalg.h"
#include "soma/neuro/tasks/dms.h"
#include "soma/neuro/tasks/mante.h"
#include "soma/neuro/tasks/raposo.h"
#include "soma/neuro/tasks/rdm.h"
#include "soma/neuro/tasks/romo.h"
#include "systems/claim_run.h"
#include "systems/slope.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

constexpr int kSeeds = 5;
constexpr Index kUnits = 512, kManyUnits = 4096;
constexpr Index kDraws = 10, kDrawTrials = 216, kPopulations = 2;
constexpr Index kClouds = 200;  // of ePAIRS
constexpr double kContext = 0.5;

const std::vector<std::string>& task_names() {
    static const std::vector<std::string> names = {"rdm", "romo", "raposo", "mante", "dms"};
    return names;
}

std::unique_ptr<neuro::Task> make_task(const std::string& name) {
    if (name == "rdm") return neuro::make_rdm();
    if (name == "romo") return neuro::make_romo();
    if (name == "raposo") return neuro::make_raposo();
    if (name == "mante") return neuro::make_mante({.amplitude = kContext});
    if (name == "dms") return neuro::make_dms({.delay_max = 700});
    fail(ErrorCode::usage, "lowrank2022: recipe '", name, "' is unknown",
         did_you_mean(name, task_names()), "; recipes are rdm, romo, raposo, mante, dms");
}

// Updates of 32 trials out of 800; an epoch is 25 of them.
neuro::TaskTraining training_of(const std::string& name) {
    neuro::TaskTraining t{.updates = 100 * 25, .batch = 32, .fixed_trials = 800, .rate = 1e-2};
    t.stop_loss = 0.01;
    if (name == "rdm") {
        t.updates = 20 * 25;
        t.rate = 5e-3;
        t.stop_loss = 0;
    } else if (name == "romo") {
        t.clip_norm = 1;
    } else if (name == "dms") {
        t.updates = 300 * 25;
        t.clip_norm = 0.01;
    } else {
        t.updates = (name == "raposo" ? 30 : 100) * 25;
        t.clip_norm = 0.1;
    }
    return t;
}

neuro::TaskNetOptions net_options(const std::string& name, Index units) {
    return {.units = units,
            .layer = {.sigma = name == "romo" ? 0.005 : 0.05,
                      .rank = name == "romo" || name == "dms" ? 2 : 1,
                      .bias = false,
                      .train_input = name == "mante" || name == "raposo",
                      .input = nn::Init::normal(1)},
            .output_bias = false,
            .train_output = false,
            .mean_readout = true,
            .output = nn::Init::normal(4)};
}

// Random nets of finite size differ from the mixture; the figures of nets with populations are made
// of many units.
Index resampled_units(const std::string& name) {
    return name == "mante" || name == "dms" ? kManyUnits : kUnits;
}

Resampling resample(const LowRankStudy& study, Index populations) {
    Resampling r;
    r.fit = neuro::fit_mixture(study.points,
                               {.components = populations, .zero_means = true, .seed = study.seed});
    r.populations = neuro::populations(r.fit, study.points);
    const std::string& name = study.recipe.name;
    const neuro::Task& task = *study.recipe.task;
    // All conditions equally often: the accuracy has no share of chance from their numbers.
    const Index cells = task.cells(neuro::Mode::grid);
    const Index trials = (kDrawTrials + cells - 1) / cells * cells;
    const Index units = resampled_units(name);
    neuro::TaskNetOptions options = net_options(name, units);
    options.seed = study.seed;
    neuro::TaskNet net(task, options);
    for (Index draw = 0; draw < kDraws; ++draw) {
        neuro::set_loadings(net, neuro::sample(r.populations, units, study.seed, draw));
        r.scores.push_back(neuro::evaluate_task(net, task, trials, neuro::Mode::grid).score);
    }
    return r;
}

LowRankStudy study_net(const std::string& name, std::uint64_t seed, const neuro::EpairsNull& null,
                       const std::function<bool()>& stop) {
    const SerialScope one_thread;  // nets run side by side
    LowRankStudy s{seed, lowrank2022_net(name), nullptr, 0, {}, {}, {}, {}};
    s.net = train_new(s.recipe, seed, stop).net;
    s.score = neuro::evaluate_task(*s.net, *s.recipe.task, s.recipe.test_trials).score;
    s.points = neuro::loadings(*s.net);
    s.space = neuro::loading_space(*s.net);
    for (Index k = 1; k <= kPopulations && !stop(); ++k) s.resampled.push_back(resample(s, k));
    // m, n and I, as the authors take them: w was not trained.
    if (!stop()) {
        s.epairs = neuro::epairs(linalg::columns(s.points, 0, s.space.output(0)), null);
    }
    return s;
}

// Mean distance of the latent variable of sampled nets to the mean field, over the 60 steps that
// follow the onset of the attended input.
double mean_field_error(const LowRankStudy& mante, Index units) {
    constexpr Index kNets = 20, kSteps = 60;
    const neuro::GaussianMixture& mixture = mante.resampled.back().populations;
    const neuro::TimeScale time{.dt = 0.2, .tau = 1};
    const neuro::MeanFieldDynamics limit(mante.space, mixture, time);
    const std::vector<double> u = mante_input(0.1, 0, 1);
    double error = 0;
    for (Index k = 0; k < kNets; ++k) {
        const linalg::Matrix x = neuro::sample(mixture, units, mante.seed, k);
        neuro::CtrnnWeights w{.units = units, .inputs = 4, .rank = 1};
        w.m = linalg::column(x, mante.space.m(0));
        w.n = linalg::column(x, mante.space.n(0));
        for (Index i = 0; i < 4; ++i) {
            const std::vector<double> in = linalg::column(x, mante.space.input(i));
            w.w_in.insert(w.w_in.end(), in.begin(), in.end());
        }
        const neuro::LowRankDynamics net(std::move(w), {.time = time});
        double kappa = 0, expected = 0;
        for (Index t = 0; t < kSteps; ++t) {
            double next = 0;
            net.step({&kappa, 1}, u, {&next, 1});
            kappa = next;
            limit.step({&expected, 1}, u, {&next, 1});
            expected = next;
            error += std::abs(kappa - expected) / (kNets * kSteps);
        }
    }
    return error;
}

// Slope of ln error on ln N, by least squares over N = 256, 1024, 4096, 16384.
double mean_field_slope(const LowRankStudy& mante) {
    std::vector<double> log_n, log_error;
    for (const Index units : {256, 1024, 4096, 16384}) {
        log_n.push_back(std::log(static_cast<double>(units)));
        log_error.push_back(std::log(mean_field_error(mante, units)));
    }
    return fitted_slope(log_n, log_error);
}

// Of the two contexts the worse ratio |velocity from the attended| / |from the ignored input|.
double gating(const LowRankStudy& mante) {
    const std::vector<double> first = effective_inputs(mante, 1),
                              second = effective_inputs(mante, 2);
    return std::min(std::abs(first[0] / first[1]), std::abs(second[1] / second[0]));
}

class Experiment {
public:
    explicit Experiment(ClaimRun& run) : run_(run) {}

    // The claims on one task share its nets.
    void task(const std::string& name) {
        const bool populations = name == "mante" || name == "dms";
        const std::string rank = name == "romo" || name == "dms" ? "2" : "1";
        std::vector<Claim> claims = {
            make("solved-" + name, "rank " + rank + " solves " + name + ": accuracy", "accuracy",
                 Gate::at_least(name == "rdm" || name == "mante" ? 0.98 : 0.95)),
            make("one-" + name,
                 populations ? "accuracy of nets drawn from one Gaussian"
                             : "accuracy of nets drawn from one Gaussian, relative",
                 populations ? "control" : "ablation",
                 name == "mante" ? Gate::at_most(0.8)
                                 : (populations ? Gate{} : Gate::at_least(0.9))),
            make("epairs-" + name, "share of nets whose loadings are not one Gaussian (ePAIRS)",
                 "control", populations ? Gate::at_least(1) : Gate{})};
        claims[2].paper_value = epairs_of_paper().at(name);
        claims[2].paper_unit = "share of 100 nets at p < .0005";
        claims[2].paper_tag = "P";
        if (populations) {
            claims.push_back(make("two-" + name, "accuracy of nets drawn from two populations",
                                  "ablation", name == "mante" ? Gate::at_least(0.95) : Gate{}));
        }
        if (name == "mante") add_mante(claims);
        run_.claims(claims, [&](std::vector<Claim>& list) { decide(name, list); });
    }

    void draw() {
        train::RunFolder* folder = run_.context().folder;
        if (folder == nullptr || run_.stopped() || all_.empty()) return;
        draw_resampling(*folder, all_);
        for (const auto& studies : all_) {
            const LowRankStudy& first = studies.front();
            if (first.recipe.name == "romo") draw_memory(*folder, first);
            if (first.recipe.name != "mante") continue;
            draw_connectivity(*folder, first);
            draw_gating(*folder, first);
        }
    }

private:
    // In data/*_results.npz of the repository: nets of 100 with p < .05 / 100.
    static const std::map<std::string, double>& epairs_of_paper() {
        static const std::map<std::string, double> shares = {
            {"rdm", 0.05}, {"romo", 0.05}, {"raposo", 0.09}, {"mante", 1}, {"dms", 1}};
        return shares;
    }

    Claim make(const std::string& id, const std::string& text, const char* kind, Gate gate) const {
        Claim c = stated(id, text, kind,
                         "Dubreuil, Valente et al. 2022, Nature Neuroscience 25, 783-794", gate);
        c.set = "generated";
        c.samples = kDrawTrials;
        return c;
    }

    void add_mante(std::vector<Claim>& claims) const {
        claims.push_back(make("bic-mante", "share of nets whose BIC prefers two Gaussians to one",
                              "control", Gate::at_least(1)));
        claims.push_back(make("gating-mante",
                              "effective coupling of the attended input over that of the ignored "
                              "one, worse context",
                              "ablation", Gate::at_least(5)));
        // 20 nets a size make a standard error of .76 / sqrt 20 = .17 of each mean, of the slope
        // .17 / (ln 4 sqrt 5) = .055: theory -1/2 with 3 of these.
        claims.push_back(make("mean-field",
                              "exponent of the distance between nets of N = 256 ... 16,384 units "
                              "and their mean field; theory -1/2",
                              "theorem", Gate::at_most(-0.335)));
    }

    void decide(const std::string& name, std::vector<Claim>& list) {
        if (skip_without_lapack(list)) return;
        all_.push_back(run_task(name));
        if (run_.stopped()) return;
        for (Claim& c : list) {
            c.seeds = run_.seeds();
            for (const LowRankStudy& s : all_.back()) c.values.push_back(value(c.id, s));
        }
    }

    static double value(const std::string& id, const LowRankStudy& s) {
        const auto is = [&](const char* prefix) { return id.starts_with(prefix); };
        if (is("solved")) return s.score;
        if (is("epairs")) return s.epairs.p < 0.05 ? 1 : 0;
        if (is("two")) return s.resampled[1].mean();
        if (is("bic")) return s.resampled[1].fit.bic < s.resampled[0].fit.bic ? 1 : 0;
        if (is("gating")) return gating(s);
        if (is("mean-field")) return mean_field_slope(s);
        const double one = s.resampled[0].mean();
        return s.recipe.name == "mante" || s.recipe.name == "dms" ? one : one / s.score;
    }

    std::vector<LowRankStudy> run_task(const std::string& name) {
        const NetRecipe recipe = lowrank2022_net(name);
        const neuro::LoadingSpace space{recipe.net.layer.rank, recipe.task->inputs(), 1};
        const neuro::EpairsNull null =
            neuro::epairs_null(kUnits, space.output(0), {.clouds = kClouds});
        return run_.for_every_seed<LowRankStudy>(name + " nets", [&](std::uint64_t seed) {
            return study_net(name, seed, null, [&] { return run_.stopped(); });
        });
    }

    ClaimRun& run_;
    std::vector<std::vector<LowRankStudy>> all_;  // a task, a seed
};

}  // namespace

double Resampling::mean() const {
    double sum = 0;
    for (const double s : scores) sum += s;
    return sum / static_cast<double>(scores.size());
}

std::vector<double> mante_input(double sense_1, double sense_2, int context) {
    return {sense_1, sense_2, context == 1 ? kContext : 0, context == 2 ? kContext : 0};
}

neuro::LowRankDynamics latent_dynamics(const LowRankStudy& study) {
    const auto coordinates = [&](Index first, Index count) {
        return linalg::columns(study.points, first, first + count);
    };
    const neuro::LoadingSpace& s = study.space;
    return neuro::LowRankDynamics(
        {.units = study.points.rows,
         .inputs = s.inputs,
         .rank = s.rank,
         .m = coordinates(s.m(0), s.rank).values,
         .n = coordinates(s.n(0), s.rank).values,
         .w_in = linalg::transpose(coordinates(s.input(0), s.inputs)).values},
        {.time = {.dt = 0.2, .tau = 1}});
}

std::vector<double> effective_inputs(const LowRankStudy& study, int context) {
    const neuro::LowRankDynamics d = latent_dynamics(study);
    const std::vector<double> u = mante_input(0, 0, context);
    const double kappa = 0;
    std::vector<double> b(static_cast<std::size_t>(d.inputs()));
    d.input_jacobian({&kappa, 1}, u, b);
    for (double& v : b) v /= d.alpha();
    return b;
}

NetRecipe lowrank2022_net(const std::string& recipe) {
    const std::string name = recipe.empty() ? "rdm" : recipe;
    return {.system = "lowrank2022",
            .name = name,
            .task = make_task(name),
            .net = net_options(name, kUnits),
            .training = training_of(name)};
}

train::TrainResult train_lowrank2022(const train::TrainOptions& options, dist::Comm& comm) {
    return train_net(lowrank2022_net(options.recipe), options, comm);
}

Reproduction reproduce_lowrank2022(const ReproduceContext& context) {
    ClaimRun run(context, "lowrank2022", kSeeds);
    run.headline(
        "five tasks at rank 1 and 2, 512 tanh units; Gaussians fitted to the loadings and nets "
        "drawn "
        "from them (Dubreuil, Valente et al. 2022)");
    run.deviation(
        "romo and dms nets start from random vectors, not from the SVD of a full-rank net; dms "
        "delays end at 700 ms; no trained gains on I and w; mante at context input .5 (script of "
        "figure 3) with 512 units");
    Experiment experiment(run);
    for (const std::string& name : task_names()) experiment.task(name);
    experiment.draw();
    return run.finish();
}

}  // namespace soma::systems
