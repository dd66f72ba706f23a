// Yang, Joglekar, Song, Newsome & Wang 2019, "Task representations in neural networks trained to
// perform many cognitive tasks", Nature Neuroscience 22, 297-306.
//
// One net learns 20 tasks, told which one it is to do by a rule input. Its units fall into clusters
// that serve groups of tasks, lesions of a cluster hurt its tasks, and tasks are composed: with
// rule input fdanti + delaygo - fdgo a net does delayanti.
//
//     r_t = (1 - alpha) r_{t-1} + alpha softplus(W r_{t-1} + B u_t + b + sigma sqrt(2 / alpha) xi)
//     z = sigmoid(w_out r + b_out)          W starts as identity / 2; alpha = .2, sigma = .05
//
// Tasks: tasks/yang.h. Batches of one rule each, contextdm1 and 2 five times as often as others.
// Two recipes, which differ in what Options says:
//     full    the paper's: 256 units, until every rule has 95 % right or 10^7 trials
//     short   for `reproduce`: 64 units, 1.6 million trials in batches of 8. For a given time on
//             one core, fewer units and smaller batches learned more rules (seed 101: 64 units and
//             8 trials, 15 rules after 260 s; 128 units and 16 trials, 8 after 104 s where the
//             other had 10). Gates are its own and were set before seed 1 was run.
//
// What fails: on seeds 1-3 every net of the short recipe has 15 rules (94 to 96 % on average, 76 to
// 85 % in the weakest), but compositions are not reliable: the sum for contextdelaydm1 beats its
// parts in all three, that for delayanti in one, that for dmsgo in none; one square of three a net
// is near a parallelogram; lesions correlate by .30 to .48. The paper's figures are medians of many
// nets that had 95 % in every rule. A net of the full recipe that was stopped at 14 % of its trials
// (seed 1, 1.4 million, 9 rules) does delayanti with the sum in 89 % of trials, with the better of
// its parts in 81 %, and has 11 clusters.
//
// Source of recipe and analyses: gyyang/multitask, `train.py`, `experiment.py` (train_all),
// `analysis/`.

#include <algorithm>

#include "soma/systems/net_recipe.h"
#include "soma/train/report.h"
#include "systems/brain/yang_figures.h"
#include "systems/claim_run.h"
#include "systems/systems.h"

namespace soma::systems {
namespace {

constexpr const char* kName = "yang2019";

struct Options {
    const char* recipe = "full";
    Index units = 256;
    double sigma = 0.05, start_gain = 0.5;
    Index batch = 64;
    Index trials = 10'000'000;
    double rate = 1e-3, clip_value = 1;
    double decay = 0;          // share of the run, at its end, in which the rate falls to 0
    Index check_every = 500;   // updates
    Index check_trials = 512;  // a rule
    double goal = 0.95;        // of the weakest rule
};

Options full_recipe() { return {}; }

Options short_recipe() {
    return {.recipe = "short",
            .units = 64,
            .batch = 8,
            .trials = 1'600'000,
            .rate = 2e-3,
            .decay = 0.3,
            .check_every = 5000,
            .check_trials = 256};
}

using Checks = std::vector<RuleCheck>;

// Every check is appended to `checks` and, when there is a folder, logged there.
std::function<bool(neuro::TaskNet&, Index)> checker(const Options& o, Checks* checks,
                                                    train::RunFolder* folder) {
    return [o, checks, folder](neuro::TaskNet& net, Index updates) {
        const RuleScores scores = score_rules(net, o.check_trials);
        if (checks != nullptr) checks->push_back({updates * o.batch, scores});
        if (folder != nullptr) {
            folder->log().write("rules",
                                {{"update", updates},
                                 {"right", std::vector<double>(scores.begin(), scores.end())}});
        }
        return *std::min_element(scores.begin(), scores.end()) >= o.goal;
    };
}

NetRecipe recipe_of(const Options& o, Checks* checks = nullptr,
                    train::RunFolder* folder = nullptr) {
    NetRecipe recipe;
    recipe.system = kName;
    recipe.name = o.recipe;
    recipe.task = neuro::make_yang({.timing_group = o.batch});
    recipe.net = {.units = o.units,
                  .layer = {.convention = Convention::rate,
                            .f = Nonlinearity::softplus,
                            .sigma = o.sigma,
                            .recurrent = nn::Init::identity(o.start_gain)},
                  .sigmoid_output = true,
                  .output = nn::Init::glorot_uniform(o.units, recipe.task->outputs())};
    const auto updates = static_cast<double>(o.trials / o.batch);
    recipe.training = {.updates = o.trials / o.batch,
                       .batch = o.batch,
                       .rate = o.rate,
                       .schedule =
                           [updates, decay = o.decay](Index k) {
                               const double left = 1 - static_cast<double>(k) / updates;
                               return decay > 0 ? std::clamp(left / decay, 0.0, 1.0) : 1.0;
                           },
                       .clip_value = o.clip_value,
                       .eval_every = o.check_every,
                       .eval_trials = 640,
                       .reached = checker(o, checks, folder),
                       .keep_best = false};
    recipe.test_trials = 1280;
    return recipe;
}

Options options_of(const std::string& recipe) {
    for (const Options& o : {full_recipe(), short_recipe()}) {
        if (recipe == o.recipe) return o;
    }
    SOMA_CHECK(recipe.empty(), kName, ": its recipes are 'full' and 'short', not '", recipe, "'");
    return full_recipe();
}

// A net of the short recipe and how it learned.
struct Study {
    YangAnatomy anatomy;
    Checks checks;
};

class Experiment {
public:
    Experiment(ClaimRun& run, const Options& o) : run_(run), o_(o) {}

    void claims() {
        std::vector<Claim> list{
            make("rules", "rules with >= 95 % right, shortened run", "accuracy",
                 Gate::at_least(12)),
            make("accuracy", "right answers, mean over rules (%), shortened run", "accuracy",
                 Gate::at_least(90)),
            make("weakest", "right answers to the weakest rule (%), shortened run", "accuracy", {}),
            make("clusters", "clusters of units by the best silhouette", "count", {}),
            make("clustered", "best silhouette minus that of shuffled variances", "control",
                 Gate::at_least(0)),
            make("lesions", "correlation of a cluster's task variance with what its lesion costs",
                 "ablation", Gate::at_least(0.3))};
        list[0].paper_value = 20;
        list[0].paper_unit = "rules";
        list[0].paper_tag = "P";
        for (const RuleSquare& s : kRuleSquares) {
            list.push_back(
                make(concat("sum-", name_of(s.rule)),
                     concat("right answers to ", name_of(s.rule), " with rule input ",
                            name_of(s.first), " + ", name_of(s.second), " - ", name_of(s.third),
                            ", minus the best without one of them (%)"),
                     "accuracy", Gate::at_least(0)));
        }
        for (const RuleSquare& s : kRuleSquares) {
            list.push_back(
                make(concat("square-", name_of(s.rule)),
                     concat("cosine of ", name_of(s.rule), " - ", name_of(s.first), " with ",
                            name_of(s.second), " - ", name_of(s.third), " in state space"),
                     "identity", Gate::at_least(0.5)));
        }
        run_.claims(list, [&](std::vector<Claim>& c) {
            all_ =
                run_.for_every_seed<Study>("nets", [&](std::uint64_t seed) { return study(seed); });
            if (run_.stopped()) return;
            for (Claim& claim : c) {
                claim.seeds = run_.seeds();
                for (const Study& s : all_) claim.values.push_back(value(claim.id, s.anatomy));
            }
        });
    }

    void draw() {
        train::RunFolder* folder = run_.context().folder;
        if (folder == nullptr || all_.empty() || run_.stopped()) return;
        draw_learning(*folder, all_.front().checks, o_.check_trials);
        std::vector<YangAnatomy> nets;
        for (Study& s : all_) nets.push_back(std::move(s.anatomy));
        draw_yang(*folder, nets, analysis_);
    }

private:
    // An untrained net, which a stop leaves, is not worth taking apart.
    Study study(std::uint64_t seed) const {
        Study s;
        NetRecipe recipe = recipe_of(o_, &s.checks);
        if (run_.seeds().size() == 1) {  // no other thread reports
            recipe.training.on_eval = [&](Index update, double) {
                run_.context().progress("training", static_cast<double>(update),
                                        static_cast<double>(recipe.training.updates));
            };
        }
        auto net = train_new(recipe, seed, [&] { return run_.stopped(); }).net;
        if (!run_.stopped()) s.anatomy = dissect_yang(std::move(net), analysis_);
        return s;
    }

    static double value(const std::string& id, const YangAnatomy& a) {
        if (id == "rules") return static_cast<double>(a.rules_above(0.95));
        if (id == "accuracy") return 100 * a.mean_score();
        if (id == "weakest") return 100 * *std::min_element(a.scores.begin(), a.scores.end());
        if (id == "clusters") return static_cast<double>(a.clusters.count());
        if (id == "clustered") return a.clusters.silhouette() - a.shuffled_silhouette;
        if (id == "lesions") return a.lesion_correlation;
        const std::size_t k = static_cast<std::size_t>(
            std::find_if(kRuleSquares.begin(), kRuleSquares.end(),
                         [&](const RuleSquare& s) { return id.ends_with(name_of(s.rule)); }) -
            kRuleSquares.begin());
        return id.starts_with("sum") ? 100 * a.sums[k].gain() : a.sums[k].cosine;
    }

    Claim make(const std::string& id, const std::string& text, const char* kind, Gate gate) const {
        Claim c = stated(
            id, text, kind,
            "Yang, Joglekar, Song, Newsome & Wang 2019, Nature Neuroscience 22, 297-306", gate);
        c.set = "yang20";
        c.samples = analysis_.trials;
        return c;
    }

    ClaimRun& run_;
    const Options& o_;
    YangAnalysis analysis_;
    std::vector<Study> all_;
};

}  // namespace

Reproduction reproduce_yang2019(const ReproduceContext& context) {
    const Options o = short_recipe();
    ClaimRun run(context, kName);
    run.headline(concat("20 tasks in one net, SHORTENED: ", o.units, " softplus units, ", o.trials,
                        " trials (paper: 256 units, up to 10^7); full: soma train yang2019"));
    run.deviation(concat("shortened run of ", o.trials, " trials with ", o.units,
                         " units, batches of ", o.batch, ", rate ", o.rate,
                         "; the paper trains 256 units until every rule has 95 % right, on up to "
                         "10^7 trials in batches of 64 at rate .001"));
    Experiment experiment(run, o);
    experiment.claims();
    experiment.draw();
    return run.finish();
}

NetRecipe yang2019_net(const std::string& recipe) { return recipe_of(options_of(recipe)); }

train::TrainResult train_yang2019(const train::TrainOptions& options, dist::Comm& comm) {
    Options o = options_of(options.recipe);
    if (options.batch > 0) o.batch = options.batch;
    Checks checks;
    train::TrainResult result = train_net(recipe_of(o, &checks, options.folder), options, comm);
    if (checks.empty()) return result;
    const RuleScores& last = checks.back().scores;
    result.headline +=
        concat("; ", std::count_if(last.begin(), last.end(), [](double s) { return s >= 0.95; }),
               " of 20 rules have 95 % or more (paper: all)");
    if (options.folder == nullptr) return result;
    draw_learning(*options.folder, checks, o.check_trials);
    if (result.interrupted) return result;
    std::vector<YangAnatomy> nets;
    const YangAnalysis analysis;
    nets.push_back(dissect_yang(restore_net(result.checkpoint).net, analysis));
    draw_yang(*options.folder, nets, analysis);
    return result;
}

}  // namespace soma::systems
