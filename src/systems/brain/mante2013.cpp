// Mante, Sussillo, Shenoy & Newsome 2013, "Context-dependent computation by recurrent dynamics in
// prefrontal cortex", Nature 503, 78-84.
//
// Two noisy senses bring evidence, a context says which of them decides. Trained nets let both in:
// in each context the state integrates along a line of slow points, and what is integrated is
// chosen by the left eigenvector of the slow mode, the selection vector, which turns from one
// context to the other while the input weights stay.
//
//     x_t = (1 - alpha) x_{t-1} + alpha (W r_{t-1} + B u_t) + sigma xi,  r = tanh x,
//     z = w_out r + b        N = 128, alpha = .2, sigma = .05; u = (motion, colour, context 1, 2)
//
// The task is `mante` (tasks/mante.h) with coherences that make its best observer err, a context
// of amplitude 1, and 200 ms of decision: a net that is judged in one step only may count by a
// slow rotation that points the right way just then. Weights begin small (sd .1 / sqrt N), so that
// what dynamics there is has been learned.
//
// For every seed: train, psychometric functions, slow points and their linearisations in both
// contexts, effects of pulses, TDR.
//
// What fails: on seeds 1-10, on which the recipe was chosen, the line lies 20 to 27 degrees from
// the choice axis of TDR, not below 20. The lines of the two contexts are 40 to 51 degrees apart,
// so an axis common to both is at least half of that from one of them. A context of amplitude .5
// turns them less (32 degrees, the claim holds), but then the second mode decays more slowly (.92 a
// step) than the claim on the line allows.
//
// Deviations: the paper's nets have 100 units, tau 10 ms, steps of 1 ms, evidence of 750 ms and
// are trained by Hessian-free optimisation on first and last step; ours by Adam on the decision.

#include <algorithm>
#include <cmath>

#include "soma/systems/net_recipe.h"
#include "soma/train/report.h"
#include "systems/brain/mante_figures.h"
#include "systems/claim_run.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

constexpr const char* kName = "mante2013";
constexpr const char* kRecipe = "full";

struct Options {
    neuro::ManteOptions task = {.decision = 200,
                                .amplitude = 1,
                                .coherences = {0.25, 0.5, 1},
                                .psychometric = {0, 0.1, 0.25, 0.5, 1}};
    Index units = 128;
    double sigma = 0.05, start_gain = 0.1;
    Index updates = 500, batch = 64;
    double rate = 4e-4, clip_norm = 1;
    ManteAnalysis analysis = {};
    int seeds = 10;
    double seeds_that_must_hold = 8;
};

NetRecipe recipe_of(const Options& o) {
    NetRecipe recipe;
    recipe.system = kName;
    recipe.name = kRecipe;
    recipe.task = neuro::make_mante(o.task);
    const double sd = 1 / std::sqrt(static_cast<double>(o.units));
    recipe.net = {.units = o.units,
                  .layer = {.sigma = o.sigma,
                            .bias = false,
                            .recurrent = nn::Init::normal(o.start_gain * sd),
                            .input = nn::Init::normal(1)}};
    const auto updates = static_cast<double>(o.updates);
    recipe.training = {
        .updates = o.updates,
        .batch = o.batch,
        .rate = o.rate,
        .schedule =
            [updates](Index k) { return std::max(0.0, 1 - static_cast<double>(k) / updates); },
        .clip_norm = o.clip_norm,
        .eval_every = 100,
        .eval_trials = 512};
    return recipe;
}

class Experiment {
public:
    Experiment(ClaimRun& run, const Options& o) : run_(run), o_(o) {}

    void claims() {
        const Gate most = run_.on_most_seeds(o_.seeds_that_must_hold, o_.seeds);
        std::vector<Claim> list{
            make("accuracy", "right choices (%)", "accuracy", Gate::at_least(95)),
            make("psychometric",
                 "seeds where relevant evidence counts >= 10 times as much as irrelevant",
                 "accuracy", most),
            make("line",
                 "seeds with one mode of |lambda| > .98 and the next < .9 at >= 80 % of the slow "
                 "points of each context",
                 "count", most),
            make("one-dimension", "seeds whose slow points lie on a line (PC1 > 90 %) per context",
                 "count", most),
            make("selection",
                 "seeds whose selection vector sees the relevant input >= 5 times as well", "count",
                 most),
            make("choice-axis", "seeds whose line is < 20 degrees from the choice axis of TDR",
                 "count", most),
            make("pulses",
                 "seeds where the linearisation predicts the effects of pulses (R^2 > .9)",
                 "identity", most),
            make("not-gated",
                 "movement along a sense's axis when irrelevant, as a share of when relevant",
                 "accuracy", Gate::at_least(0.5))};
        run_.claims(list, [&](std::vector<Claim>& c) {
            if (skip_without_lapack(c)) return;
            all_ = run_.for_every_seed<ManteAnatomy>(
                "nets", [&](std::uint64_t seed) { return study(seed); });
            if (run_.stopped()) return;
            for (Claim& claim : c) {
                claim.seeds = run_.seeds();
                claim.values = values(claim.id);
            }
        });
    }

    void draw() {
        if (run_.context().folder == nullptr || all_.empty() || run_.stopped()) return;
        draw_mante(*run_.context().folder, all_, o_.task);
        tabulate(*run_.context().folder);
    }

private:
    using Context = const ContextAnatomy&;

    static double slope_ratio(Context c) {
        return std::abs(c.choices.weights[0]) / std::abs(c.choices.weights[1]);
    }
    static bool is_line(Context c) {
        return c.line.dimension == 1 && !c.line.variance_share.empty() &&
               c.line.variance_share[0] > 0.9;
    }

    // An untrained net, which a stop leaves, is not worth taking apart.
    ManteAnatomy study(std::uint64_t seed) const {
        auto net = train_new(recipe_of(o_), seed, [&] { return run_.stopped(); }).net;
        return run_.stopped() ? ManteAnatomy{}
                              : dissect_mante(std::move(net), o_.task, o_.analysis);
    }

    std::vector<double> values(const std::string& id) const {
        if (id == "accuracy" || id == "not-gated") {
            std::vector<double> each;
            for (const ManteAnatomy& a : all_) {
                each.push_back(id == "accuracy" ? 100 * a.score : a.irrelevant_excursion);
            }
            return each;
        }
        const auto holds = [&](Context c) {
            if (id == "psychometric") return slope_ratio(c) >= 10;
            if (id == "line") return c.one_mode_share >= 0.8;
            if (id == "one-dimension") return is_line(c);
            if (id == "selection") return c.selectivity >= 5;
            if (id == "choice-axis") return c.angle_to_choice < 20;
            return c.pulse_r2 > 0.9;
        };
        return {
            static_cast<double>(std::count_if(all_.begin(), all_.end(), [&](const ManteAnatomy& a) {
                return holds(a.contexts[0]) && holds(a.contexts[1]);
            }))};
    }

    Claim make(const std::string& id, const std::string& text, const char* kind, Gate gate) const {
        Claim c = stated(
            id, text, kind,
            "Mante, Sussillo, Shenoy & Newsome 2013, Nature 503, figures 1, 2, 5 and 6", gate);
        c.set = "mante";
        c.samples = o_.analysis.score_trials;
        return c;
    }

    // What was measured, a row for each net and context.
    void tabulate(train::RunFolder& folder) const {
        train::Table table{
            .title = "Nets",
            .header = {"net", "context", "right (%)", "slopes relevant / irrelevant", "slow points",
                       "one slow mode (%)", "PC1 (%)", "gains relevant / irrelevant",
                       "line to choice axis (deg)", "R^2 of pulses"},
            .rows = {}};
        const auto text = [](double value, const char* format) {
            char buffer[32];
            std::snprintf(buffer, sizeof buffer, format, value);
            return std::string(buffer);
        };
        for (const ManteAnatomy& a : all_) {
            for (std::size_t k = 0; k < 2; ++k) {
                Context c = a.contexts[k];
                const auto& shares = c.line.variance_share;
                table.rows.push_back({concat(a.net->options().seed), k == 0 ? "motion" : "colour",
                                      text(100 * a.score, "%.1f"), text(slope_ratio(c), "%.0f"),
                                      concat(c.line.points.size()),
                                      text(100 * c.one_mode_share, "%.0f"),
                                      text(shares.empty() ? 0 : 100 * shares[0], "%.1f"),
                                      text(c.selectivity, "%.1f"), text(c.angle_to_choice, "%.1f"),
                                      text(c.pulse_r2, "%.3f")});
            }
        }
        folder.add(table);
    }

    ClaimRun& run_;
    const Options& o_;
    std::vector<ManteAnatomy> all_;
};

}  // namespace

Reproduction reproduce_mante2013(const ReproduceContext& context) {
    const Options o;
    ClaimRun run(context, kName, o.seeds);
    run.headline(
        "decisions by context, 128 tanh units, 500 updates of 64 trials (Mante et al. 2013)");
    run.deviation(
        "128 units, steps of 20 ms, tau 100 ms, trained by Adam on 200 ms of decision; the paper's "
        "nets have 100 units, steps of 1 ms, tau 10 ms, and Hessian-free optimisation");
    Experiment experiment(run, o);
    experiment.claims();
    experiment.draw();
    return run.finish();
}

NetRecipe mante2013_net(const std::string& recipe) {
    SOMA_CHECK(recipe.empty() || recipe == kRecipe, kName, ": it has one recipe, '", kRecipe,
               "', not '", recipe, "'");
    return recipe_of(Options{});
}

train::TrainResult train_mante2013(const train::TrainOptions& options, dist::Comm& comm) {
    return train_net(mante2013_net(options.recipe), options, comm);
}

}  // namespace soma::systems
